extension Family {
    /// DistilBERT (Sanh et al., 2019). BERT's blocks with other names, without types of tokens, and with ReLU
    /// where a BERT's classifier has tanh.
    public static let distilBERT = Family(
        name: "distilbert", architectures: .encoder("DistilBert"), modelType: "distilbert",
        block: .normsAfter, norm: .layer, sees: .wholeSequence, positions: .learned(offset: 0), mlp: .plain,
        settings: [
            .width: ["dim"], .layers: ["n_layers"], .heads: ["n_heads"], .hidden: ["hidden_dim"],
            .vocabulary: ["vocab_size"], .context: ["max_position_embeddings"], .activation: ["activation"],
            .headActivation: ["activation"], .tiedHead: ["tie_word_embeddings"],
        ],
        defaults: [
            .context: .integer(512), .activation: .text("gelu"), .headActivation: .text("gelu"),
            .poolerActivation: .text("relu"), .normEpsilon: .number(1e-12), .tiedHead: .flag(true),
        ],
        fixed: ["tie_weights_": [.flag(true)]],
        weights: [
            .tokenEmbedding: "distilbert.embeddings.word_embeddings",
            .positionEmbedding: "distilbert.embeddings.position_embeddings",
            .embeddingNorm: "distilbert.embeddings.LayerNorm",
            .query: "distilbert.transformer.layer.{layer}.attention.q_lin",
            .key: "distilbert.transformer.layer.{layer}.attention.k_lin",
            .value: "distilbert.transformer.layer.{layer}.attention.v_lin",
            .attentionOutput: "distilbert.transformer.layer.{layer}.attention.out_lin",
            .attentionNorm: "distilbert.transformer.layer.{layer}.sa_layer_norm",
            .up: "distilbert.transformer.layer.{layer}.ffn.lin1",
            .down: "distilbert.transformer.layer.{layer}.ffn.lin2",
            .mlpNorm: "distilbert.transformer.layer.{layer}.output_layer_norm",
            .headTransform: "vocab_transform",
            .headNorm: "vocab_layer_norm",
            .head: "vocab_projector",
            .pooler: "pre_classifier",
            .classifier: "classifier",
        ],
        optionalPrefix: "distilbert.",
        ignored: [".position_ids"])
}
