extension Family {
    /// BERT (Devlin et al., 2019) and models of its shape, such as the MiniLM sentence encoders. Every row sees
    /// all of its text, norms stand after the residual, and a token has one of two types besides its position.
    public static let bert = Family(
        name: "bert",
        architectures: .encoder("Bert") + [.init("BertForPreTraining", .vocabulary)],
        modelType: "bert", block: .normsAfter, norm: .layer, sees: .wholeSequence,
        positions: .learned(offset: 0), mlp: .plain,
        settings: bertSettings,
        defaults: bertDefaults.merging([.context: .integer(512), .tokenTypes: .integer(2)]) { $1 },
        fixed: bertFixed,
        weights: bertWeights(body: "bert").merging([
            .headTransform: "cls.predictions.transform.dense",
            .headNorm: "cls.predictions.transform.LayerNorm",
            .head: "cls.predictions.decoder",
            .headBias: "cls.predictions",
            .classifier: "classifier",
        ]) { $1 },
        optionalPrefix: "bert.",
        ignored: [".position_ids", "cls.seq_relationship.weight", "cls.seq_relationship.bias"],
        gguf: GGUFNaming(
            architecture: "bert", output: .states, activation: .geluErf,
            weights: [
                .tokenTypeEmbedding: "token_types", .attentionNorm: "blk.{layer}.attn_output_norm",
                .mlpNorm: "blk.{layer}.layer_output_norm",
            ]))

    /// What BERT and its relatives call their settings.
    static let bertSettings: [Setting: [String]] = [
        .width: ["hidden_size"], .layers: ["num_hidden_layers"], .heads: ["num_attention_heads"],
        .hidden: ["intermediate_size"], .vocabulary: ["vocab_size"], .context: ["max_position_embeddings"],
        .tokenTypes: ["type_vocab_size"], .activation: ["hidden_act"], .headActivation: ["hidden_act"],
        .normEpsilon: ["layer_norm_eps"], .tiedHead: ["tie_word_embeddings"],
    ]

    static let bertDefaults: [Setting: SettingValue] = [
        .activation: .text("gelu"), .normEpsilon: .number(1e-12), .tiedHead: .flag(true),
    ]

    static let bertFixed: [String: [SettingValue]] = [
        "position_embedding_type": [.text("absolute")], "is_decoder": [.flag(false)],
        "directionality": [.text("bidi")],
    ]

    /// The blocks' names, which RoBERTa has from BERT.
    static func bertWeights(body: String) -> [WeightRole: WeightNames] {
        let layer = "\(body).encoder.layer.{layer}"
        func name(_ name: String) -> WeightNames { WeightNames(stringLiteral: name) }
        return [
            .tokenEmbedding: name("\(body).embeddings.word_embeddings"),
            .positionEmbedding: name("\(body).embeddings.position_embeddings"),
            .tokenTypeEmbedding: name("\(body).embeddings.token_type_embeddings"),
            .embeddingNorm: name("\(body).embeddings.LayerNorm"),
            .query: name("\(layer).attention.self.query"),
            .key: name("\(layer).attention.self.key"),
            .value: name("\(layer).attention.self.value"),
            .attentionOutput: name("\(layer).attention.output.dense"),
            .attentionNorm: name("\(layer).attention.output.LayerNorm"),
            .up: name("\(layer).intermediate.dense"),
            .down: name("\(layer).output.dense"),
            .mlpNorm: name("\(layer).output.LayerNorm"),
            .pooler: name("\(body).pooler.dense"),
        ]
    }
}
