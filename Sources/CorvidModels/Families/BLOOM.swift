extension Family {
    /// BLOOM (BigScience, 2022). ALiBi instead of positions in the input, a norm after the embedding, and the
    /// fused matrix holds query, key and value of one head after those of another.
    public static let bloom = Family(
        name: "bloom", architectures: .decoder("Bloom"), modelType: "bloom",
        block: .sequential, blockChoice: BlockChoice(flag: true, block: .sequentialFromNorms), norm: .layer,
        positions: .slopes, mlp: .plain, fusedOrder: .perHead,
        settings: [
            .width: ["n_embed", "hidden_size"], .layers: ["n_layer", "num_hidden_layers"],
            .heads: ["n_head", "num_attention_heads"], .vocabulary: ["vocab_size"], .context: ["seq_length"],
            .normEpsilon: ["layer_norm_epsilon"], .tiedHead: ["tie_word_embeddings"],
            .blockChoice: ["apply_residual_connection_post_layernorm"],
        ],
        defaults: [
            .context: .integer(2048), .activation: .text("gelu_new"), .normEpsilon: .number(1e-5),
            .tiedHead: .flag(true),
        ],
        fixed: ["n_inner": []],
        weights: [
            .tokenEmbedding: "transformer.word_embeddings",
            .embeddingNorm: "transformer.word_embeddings_layernorm",
            .attentionNorm: "transformer.h.{layer}.input_layernorm",
            .queryKeyValue: "transformer.h.{layer}.self_attention.query_key_value",
            .attentionOutput: "transformer.h.{layer}.self_attention.dense",
            .mlpNorm: "transformer.h.{layer}.post_attention_layernorm",
            .up: "transformer.h.{layer}.mlp.dense_h_to_4h",
            .down: "transformer.h.{layer}.mlp.dense_4h_to_h",
            .finalNorm: "transformer.ln_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        gguf: GGUFNaming(architecture: "bloom", activation: .geluTanh, isWritten: false))
}
