extension Family {
    /// T5 (Raffel et al., 2020) and T5 1.1. An encoder reads the source, a decoder answers and attends to it in
    /// each block. Scores have no factor but a bias by distance, which all blocks of a stack share. Where the
    /// output matrix is the embedding (T5, not 1.1), logits are divided by √width.
    public static let t5 = Family(
        name: "t5",
        architectures: [
            .init("T5ForConditionalGeneration", .vocabulary), .init("T5Model", .states),
            .init("T5EncoderModel", .states, isEncoder: true),
            .init("T5ForSequenceClassification", .labelsAtLast, prefix: "transformer."),
        ],
        modelType: "t5", block: .sequential, norm: .rms, positions: .none, mlp: .plain, attentionScale: .one,
        settings: [
            .width: ["d_model"], .layers: ["num_decoder_layers", "num_layers"],
            .encoderLayers: ["num_layers"], .heads: ["num_heads"], .headWidth: ["d_kv"], .hidden: ["d_ff"],
            .vocabulary: ["vocab_size"], .activation: ["feed_forward_proj"],
            .normEpsilon: ["layer_norm_epsilon"],
            .scalesLogits: ["scale_decoder_outputs", "tie_word_embeddings"],
            .distanceBuckets: ["relative_attention_num_buckets"],
            .distanceLimit: ["relative_attention_max_distance"], .startToken: ["decoder_start_token_id"],
            .endToken: ["eos_token_id"],
        ],
        defaults: [
            // There is no table of positions: this bounds nothing but memory.
            .context: .integer(32_768), .headWidth: .integer(64), .activation: .text("relu"),
            .normEpsilon: .number(1e-6), .scalesLogits: .flag(true), .distanceBuckets: .integer(32),
            .distanceLimit: .integer(128), .startToken: .integer(0), .endToken: .integer(1),
        ],
        fixed: ["is_decoder": [.flag(false)]],
        weights: [
            .tokenEmbedding: "shared",
            .distanceBias: "decoder.block.0.layer.0.SelfAttention.relative_attention_bias",
            .attentionNorm: "decoder.block.{layer}.layer.0.layer_norm",
            .query: "decoder.block.{layer}.layer.0.SelfAttention.q",
            .key: "decoder.block.{layer}.layer.0.SelfAttention.k",
            .value: "decoder.block.{layer}.layer.0.SelfAttention.v",
            .attentionOutput: "decoder.block.{layer}.layer.0.SelfAttention.o",
            .crossNorm: "decoder.block.{layer}.layer.1.layer_norm",
            .crossQuery: "decoder.block.{layer}.layer.1.EncDecAttention.q",
            .crossKey: "decoder.block.{layer}.layer.1.EncDecAttention.k",
            .crossValue: "decoder.block.{layer}.layer.1.EncDecAttention.v",
            .crossOutput: "decoder.block.{layer}.layer.1.EncDecAttention.o",
            .mlpNorm: "decoder.block.{layer}.layer.2.layer_norm",
            .gate: "decoder.block.{layer}.layer.2.DenseReluDense.wi_0",
            .up: [
                "decoder.block.{layer}.layer.2.DenseReluDense.wi_1",
                "decoder.block.{layer}.layer.2.DenseReluDense.wi",
            ],
            .down: "decoder.block.{layer}.layer.2.DenseReluDense.wo",
            .finalNorm: "decoder.final_layer_norm",
            .head: "lm_head",
            .pooler: "classification_head.dense",
            .classifier: "classification_head.out_proj",
        ],
        encoder: [
            .tokenEmbedding: ["shared", "encoder.embed_tokens"],
            .distanceBias: "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
            .attentionNorm: "encoder.block.{layer}.layer.0.layer_norm",
            .query: "encoder.block.{layer}.layer.0.SelfAttention.q",
            .key: "encoder.block.{layer}.layer.0.SelfAttention.k",
            .value: "encoder.block.{layer}.layer.0.SelfAttention.v",
            .attentionOutput: "encoder.block.{layer}.layer.0.SelfAttention.o",
            .mlpNorm: "encoder.block.{layer}.layer.1.layer_norm",
            .gate: "encoder.block.{layer}.layer.1.DenseReluDense.wi_0",
            .up: [
                "encoder.block.{layer}.layer.1.DenseReluDense.wi_1",
                "encoder.block.{layer}.layer.1.DenseReluDense.wi",
            ],
            .down: "encoder.block.{layer}.layer.1.DenseReluDense.wo",
            .finalNorm: "encoder.final_layer_norm",
        ],
        ignored: [
            "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
            // Some old files have a bias for cross-attention, which nothing uses.
            "EncDecAttention.relative_attention_bias.weight", ".cross_attn_rel_b.weight",
        ],
        gguf: GGUFNaming(
            architecture: "t5", activation: .relu, gatedActivation: .geluTanh,
            weights: ggufStack("dec").merging([
                .crossNorm: "dec.blk.{layer}.cross_attn_norm",
                .crossQuery: "dec.blk.{layer}.cross_attn_q",
                .crossKey: "dec.blk.{layer}.cross_attn_k",
                .crossValue: "dec.blk.{layer}.cross_attn_v",
                .crossOutput: "dec.blk.{layer}.cross_attn_o",
            ]) { $1 },
            encoder: ggufStack("enc")))

    /// GGUF's names of one stack.
    private static func ggufStack(_ stack: String) -> [WeightRole: WeightNames] {
        func name(_ part: String) -> WeightNames {
            WeightNames(stringLiteral: "\(stack).blk.{layer}.\(part)")
        }
        return [
            .tokenEmbedding: "token_embd",
            .distanceBias: WeightNames(stringLiteral: "\(stack).blk.0.attn_rel_b"),
            .attentionNorm: name("attn_norm"), .query: name("attn_q"), .key: name("attn_k"),
            .value: name("attn_v"), .attentionOutput: name("attn_o"), .mlpNorm: name("ffn_norm"),
            .gate: name("ffn_gate"), .up: name("ffn_up"), .down: name("ffn_down"),
            .finalNorm: WeightNames(stringLiteral: "\(stack).output_norm"),
        ]
    }
}
