extension Family {
    /// MPNet (Song et al., 2020). RoBERTa's positions, and a bias of the scores by distance besides.
    public static let mpnet = Family(
        name: "mpnet", architectures: .encoder("MPNet"), modelType: "mpnet",
        block: .normsAfter, norm: .layer, sees: .wholeSequence, positions: .learnedAfterPadding, mlp: .plain,
        settings: bertSettings.merging([
            .headActivation: [], .tokenTypes: [], .paddingToken: [],
            .distanceBuckets: ["relative_attention_num_buckets"],
        ]) { $1 },
        defaults: bertDefaults.merging([
            .context: .integer(512), .paddingToken: .integer(1), .headActivation: .text("gelu"),
            .distanceBuckets: .integer(32), .distanceLimit: .integer(128),
        ]) { $1 },
        fixed: bertFixed,
        weights: [
            .tokenEmbedding: "mpnet.embeddings.word_embeddings",
            .positionEmbedding: "mpnet.embeddings.position_embeddings",
            .embeddingNorm: "mpnet.embeddings.LayerNorm",
            .distanceBias: "mpnet.encoder.relative_attention_bias",
            .query: "mpnet.encoder.layer.{layer}.attention.attn.q",
            .key: "mpnet.encoder.layer.{layer}.attention.attn.k",
            .value: "mpnet.encoder.layer.{layer}.attention.attn.v",
            .attentionOutput: "mpnet.encoder.layer.{layer}.attention.attn.o",
            .attentionNorm: "mpnet.encoder.layer.{layer}.attention.LayerNorm",
            .up: "mpnet.encoder.layer.{layer}.intermediate.dense",
            .down: "mpnet.encoder.layer.{layer}.output.dense",
            .mlpNorm: "mpnet.encoder.layer.{layer}.output.LayerNorm",
            .headTransform: "lm_head.dense",
            .headNorm: "lm_head.layer_norm",
            .head: "lm_head.decoder",
            .headBias: "lm_head",
            .pooler: ["classifier.dense", "mpnet.pooler.dense"],
            .classifier: "classifier.out_proj",
        ],
        optionalPrefix: "mpnet.",
        ignored: [".position_ids", "pooler.dense.weight", "pooler.dense.bias"])
}
