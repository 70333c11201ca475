extension Family {
    /// RoBERTa (Liu et al., 2019), CodeBERT, XLM-RoBERTa and CamemBERT. BERT's blocks; positions are counted
    /// from behind the padding token's id, and a classifier has a matrix of its own before its last one.
    public static let roberta = Family(
        name: "roberta",
        architectures: .encoder("Roberta") + .encoder("XLMRoberta") + .encoder("Camembert"),
        modelType: "roberta",
        block: .normsAfter, norm: .layer, sees: .wholeSequence, positions: .learnedAfterPadding, mlp: .plain,
        settings: bertSettings.merging([.headActivation: []]) { $1 },
        defaults: bertDefaults.merging([
            .context: .integer(512), .tokenTypes: .integer(2), .paddingToken: .integer(1),
            .headActivation: .text("gelu"),
        ]) { $1 },
        fixed: bertFixed,
        weights: bertWeights(body: "roberta").merging([
            .headTransform: "lm_head.dense",
            .headNorm: "lm_head.layer_norm",
            .head: "lm_head.decoder",
            .headBias: "lm_head",
            .pooler: ["classifier.dense", "roberta.pooler.dense"],
            .classifier: "classifier.out_proj",
        ]) { $1 },
        optionalPrefix: "roberta.",
        ignored: [".position_ids", "pooler.dense.weight", "pooler.dense.bias"])
}
