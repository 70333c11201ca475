extension Family {
    /// GPT-Neo (Black et al., 2021). As GPT-2, but its scores have no factor, and some layers see only the
    /// last `window_size` positions.
    public static let gptNeo = Family(
        name: "gpt-neo", architectures: .decoder("GPTNeo"), modelType: "gpt_neo",
        block: .sequential, norm: .layer, positions: .learned(offset: 0), mlp: .plain, attentionScale: .one,
        settings: [
            .width: ["hidden_size"], .layers: ["num_layers"], .heads: ["num_heads"],
            .hidden: ["intermediate_size"], .vocabulary: ["vocab_size"],
            .context: ["max_position_embeddings"],
            .activation: ["activation_function"], .normEpsilon: ["layer_norm_epsilon"],
            .tiedHead: ["tie_word_embeddings"], .attentionKinds: ["attention_types", "attention_layers"],
            .window: ["window_size"],
        ],
        defaults: [
            .context: .integer(2048), .activation: .text("gelu_new"), .normEpsilon: .number(1e-5),
            .tiedHead: .flag(true), .window: .integer(256),
            .attentionKinds: .list([.list([.list([.text("global"), .text("local")]), .integer(12)])]),
        ],
        weights: [
            .tokenEmbedding: "transformer.wte",
            .positionEmbedding: "transformer.wpe",
            .attentionNorm: "transformer.h.{layer}.ln_1",
            .query: "transformer.h.{layer}.attn.attention.q_proj",
            .key: "transformer.h.{layer}.attn.attention.k_proj",
            .value: "transformer.h.{layer}.attn.attention.v_proj",
            .attentionOutput: "transformer.h.{layer}.attn.attention.out_proj",
            .mlpNorm: "transformer.h.{layer}.ln_2",
            .up: "transformer.h.{layer}.mlp.c_fc",
            .down: "transformer.h.{layer}.mlp.c_proj",
            .finalNorm: "transformer.ln_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        ignored: [".attn.attention.bias", ".attn.attention.masked_bias"])
}
