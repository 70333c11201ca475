extension Family {
    /// GPT-J (Wang and Komatsuzaki, 2021). Attention and MLP read the same normalised input; their outputs are
    /// added to the residual together. The rotary pairs are neighbours, and only the first `rotary_dim` values
    /// of a head are rotated. The output matrix has a bias and more rows than the tokenizer has tokens.
    public static let gptj = Family(
        name: "gptj", architectures: .decoder("GPTJ"), modelType: "gptj",
        block: .parallelSharedNorm, norm: .layer, positions: .rotary(.interleaved), mlp: .plain,
        settings: [
            .width: ["n_embd"], .layers: ["n_layer"], .heads: ["n_head"], .hidden: ["n_inner"],
            .vocabulary: ["vocab_size"], .context: ["n_positions"], .rotaryWidth: ["rotary_dim"],
            .activation: ["activation_function"], .normEpsilon: ["layer_norm_epsilon"],
            .tiedHead: ["tie_word_embeddings"],
        ],
        defaults: [
            .context: .integer(2048), .rotaryWidth: .integer(64), .activation: .text("gelu_new"),
            .normEpsilon: .number(1e-5), .tiedHead: .flag(false),
        ],
        fixed: ["scale_attn_weights": [.flag(true)], "rotary": [.flag(true)]],
        weights: [
            .tokenEmbedding: "transformer.wte",
            .attentionNorm: "transformer.h.{layer}.ln_1",
            .query: "transformer.h.{layer}.attn.q_proj",
            .key: "transformer.h.{layer}.attn.k_proj",
            .value: "transformer.h.{layer}.attn.v_proj",
            .attentionOutput: "transformer.h.{layer}.attn.out_proj",
            .up: "transformer.h.{layer}.mlp.fc_in",
            .down: "transformer.h.{layer}.mlp.fc_out",
            .finalNorm: "transformer.ln_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        ignored: [".attn.bias", ".attn.masked_bias", ".attn.embed_positions"],
        // llama.cpp reserves the name and runs none; the keys are those of its other families.
        gguf: GGUFNaming(architecture: "gptj", activation: .geluTanh))
}
