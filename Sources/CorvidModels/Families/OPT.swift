extension Family {
    /// OPT (Zhang et al., 2022) and Galactica. Positions come from a table whose first two rows are padding.
    /// OPT-350m has its norms after the residual, and an embedding narrower than the residual.
    public static let opt = Family(
        name: "opt", architectures: .decoder("OPT"), modelType: "opt",
        block: .sequential, blockChoice: BlockChoice(flag: false, block: .normsAfter), norm: .layer,
        positions: .learned(offset: 2), mlp: .plain,
        settings: [
            .width: ["hidden_size"], .layers: ["num_hidden_layers"], .heads: ["num_attention_heads"],
            .hidden: ["ffn_dim"], .vocabulary: ["vocab_size"], .context: ["max_position_embeddings"],
            .embeddingWidth: ["word_embed_proj_dim"], .activation: ["activation_function"],
            .tiedHead: ["tie_word_embeddings"], .blockChoice: ["do_layer_norm_before"],
            .normWeights: ["layer_norm_elementwise_affine"], .omitsFinalNorm: ["_remove_final_layer_norm"],
            .attentionBias: ["enable_bias"], .mlpBias: ["enable_bias"],
        ],
        defaults: [
            .context: .integer(2048), .activation: .text("relu"), .normEpsilon: .number(1e-5),
            .tiedHead: .flag(true),
        ],
        weights: [
            .tokenEmbedding: "model.decoder.embed_tokens",
            .positionEmbedding: "model.decoder.embed_positions",
            .embeddingProjection: "model.decoder.project_in",
            .attentionNorm: "model.decoder.layers.{layer}.self_attn_layer_norm",
            .query: "model.decoder.layers.{layer}.self_attn.q_proj",
            .key: "model.decoder.layers.{layer}.self_attn.k_proj",
            .value: "model.decoder.layers.{layer}.self_attn.v_proj",
            .attentionOutput: "model.decoder.layers.{layer}.self_attn.out_proj",
            .mlpNorm: "model.decoder.layers.{layer}.final_layer_norm",
            .up: "model.decoder.layers.{layer}.fc1",
            .down: "model.decoder.layers.{layer}.fc2",
            .finalNorm: "model.decoder.final_layer_norm",
            .outputProjection: "model.decoder.project_out",
            .head: "lm_head",
        ],
        optionalPrefix: "model.")
}
