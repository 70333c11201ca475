import CorvidTensors

/// The sizes and choices of one model: its family's declaration filled in from its files.
public struct ModelConfiguration: Sendable {
    public let family: Family
    /// The family's block, or the other one that the config chose.
    public let block: Family.BlockShape
    /// Width of the residual stream.
    public let width: Int
    /// Width of the token embedding: the residual's, unless projections lead from one to the other.
    public let embeddingWidth: Int
    public let layers: Int
    /// Query heads.
    public let heads: Int
    public let keyValueHeads: Int
    public let headWidth: Int
    /// Width inside the MLP.
    public let hidden: Int
    /// Rows of the token embedding, which may be more than the tokenizer has tokens.
    public let vocabulary: Int
    /// Most positions.
    public let context: Int
    public let normEpsilon: Float
    public let activation: Activation
    public let rotary: RotarySettings?
    public let rotaryPairs: RotaryPairs
    /// Whether the token embedding is the output matrix, too; nil: if the checkpoint has no other.
    public let tiedHead: Bool?
    /// ALiBi slopes of the heads, or empty.
    public let slopes: [Float]
    /// For each layer how many of its last keys a row sees; 0: all.
    public let windows: [Int]
    /// Queries, keys and values are cut to ± this; nil: as they are.
    public let queryKeyValueLimit: Float?
    /// Whether queries and keys are normalised over all their heads.
    public let hasQueryKeyNorm: Bool
    /// Whether norms have weights.
    public let hasNormWeights: Bool
    public let hasFinalNorm: Bool
    /// Factor of the logits.
    public let logitScale: Float
    /// Factor of the scores, such as 1 / √headWidth.
    public let attentionScale: Float
    /// GPT-2's `scale_attn_by_inverse_layer_idx`: scores of block i are divided by i + 1, too.
    public let scalesByInverseLayer: Bool

    /// Factor of the scores of block `layer`.
    public func attentionScale(layer: Int) -> Float {
        scalesByInverseLayer ? attentionScale / Float(layer + 1) : attentionScale
    }
}
