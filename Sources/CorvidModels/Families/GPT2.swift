extension Family {
    /// GPT-2 (Radford et al., 2019), DistilGPT-2 and Cerebras-GPT. Learned positions, norms before each half,
    /// one matrix for queries, keys and values, matrices stored by columns (Conv1D), tied output matrix.
    public static let gpt2 = Family(
        name: "gpt2", architectures: .decoder("GPT2", causal: "LMHeadModel"),
        modelType: "gpt2",
        block: .sequential, norm: .layer, positions: .learned(offset: 0), mlp: .plain, orientation: .columns,
        settings: [
            .width: ["n_embd"], .layers: ["n_layer"], .heads: ["n_head"], .hidden: ["n_inner"],
            .vocabulary: ["vocab_size"], .context: ["n_positions", "n_ctx"],
            .activation: ["activation_function"], .normEpsilon: ["layer_norm_epsilon"],
            .tiedHead: ["tie_word_embeddings"], .scaleAttention: ["scale_attn_weights"],
            .scaleByInverseLayer: ["scale_attn_by_inverse_layer_idx"],
        ],
        defaults: [
            .context: .integer(1024), .activation: .text("gelu_new"), .normEpsilon: .number(1e-5),
            .tiedHead: .flag(true), .scaleAttention: .flag(true), .scaleByInverseLayer: .flag(false),
        ],
        weights: [
            .tokenEmbedding: "transformer.wte",
            .positionEmbedding: "transformer.wpe",
            .attentionNorm: "transformer.h.{layer}.ln_1",
            .queryKeyValue: "transformer.h.{layer}.attn.c_attn",
            .attentionOutput: "transformer.h.{layer}.attn.c_proj",
            .mlpNorm: "transformer.h.{layer}.ln_2",
            .up: "transformer.h.{layer}.mlp.c_fc",
            .down: "transformer.h.{layer}.mlp.c_proj",
            .finalNorm: "transformer.ln_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        ignored: [".attn.bias", ".attn.masked_bias"],
        gguf: GGUFNaming(architecture: "gpt2", activation: .geluTanh))
}
