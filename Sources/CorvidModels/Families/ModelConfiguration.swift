import CorvidTensors

/// The sizes and choices of one model: its family's declaration filled in from its files.
public struct ModelConfiguration: Sendable {
    public let family: Family
    /// What the model was made to give.
    public let output: Family.Output
    /// Whether it is an encoder-decoder's stack that reads the source, alone.
    public let isEncoderAlone: Bool
    /// What stands before the names of the body's weights in a class of its own.
    let weightPrefix: String
    public let sees: Family.Visibility
    /// The family's block, or the other one that the config chose.
    public let block: Family.BlockShape
    /// Width of the residual stream.
    public let width: Int
    /// Width of the token embedding: the residual's, unless projections lead from one to the other.
    public let embeddingWidth: Int
    public let layers: Int
    /// Layers of the stack that reads a source text; 0: there is none.
    public let encoderLayers: Int
    /// Query heads. Blocks may have fewer (``heads(layer:)``).
    public let heads: Int
    public let keyValueHeads: Int
    public let headWidth: Int
    /// Width inside the MLP.
    public let hidden: Int
    /// Rows of the token embedding, which may be more than the tokenizer has tokens.
    public let vocabulary: Int
    /// Most positions.
    public let context: Int
    /// Row of position 0 in the table of positions.
    public let positionOffset: Int
    /// Kinds of tokens, each with a vector that is added to the embedding; 0: tokens have no kinds.
    public let tokenTypes: Int
    public let normEpsilon: Float
    public let mlp: Family.MLP
    public let activation: Activation
    /// Activation between the two matrices of the output, if it has two.
    public let headActivation: Activation?
    /// Activation of the pooled vector.
    public let poolerActivation: Activation
    /// Whether matrices of attention and of the MLP have biases; nil: if the checkpoint has them.
    public let hasAttentionBias, hasMLPBias: Bool?
    public let rotary: RotarySettings?
    public let rotaryPairs: RotaryPairs
    /// Whether the token embedding is the output matrix, too; nil: if the checkpoint has no other.
    public let tiedHead: Bool?
    /// ALiBi slopes of the heads, or empty.
    public let slopes: [Float]
    /// For each layer how many of its last keys a row sees; 0: all.
    public let windows: [Int]
    /// How distances fall into buckets that have a bias, if they do.
    public let distanceBuckets: DistanceBuckets?
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
    /// Sense vectors of a token; 0: the states are those of the last block.
    public let senses: Int
    /// Width between the two matrices that make sense vectors.
    public let senseHidden: Int
    /// Names of the scores of a classifier.
    public let labels: [String]
    /// What the scores of a classifier mean.
    public let scoring: LabelScoring
    /// The token that fills up short sequences elsewhere; at the end of a sequence it is not classified.
    public let paddingToken: Int32?
    /// The token with which the answer to a source text begins.
    public let startToken: Int32?
    /// The token that ends a source text.
    public let endToken: Int32?
    /// For each layer that has fewer heads than the others the numbers of those which were removed, ascending.
    public internal(set) var prunedHeads: [Int: [Int]] = [:]

    /// Whether positions have vectors, which are added to the embedding.
    var hasPositionEmbedding: Bool {
        switch family.positions {
        case .learned, .learnedAfterPadding: true
        case .rotary, .slopes, .none: false
        }
    }

    /// Factor of the scores of block `layer`.
    public func attentionScale(layer: Int) -> Float {
        scalesByInverseLayer ? attentionScale / Float(layer + 1) : attentionScale
    }
}
