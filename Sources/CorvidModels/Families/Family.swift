import CorvidTensors

/// How one architecture differs from the others: a value without arithmetic. The runtime interprets it.
///
/// All families here are decoders. Encoders (BERT, RoBERTa) and encoder-decoders (T5) would be told apart by
/// more cases of the same enums: ``BlockShape/normsAfter`` is BERT's block already; `Positions` would get a
/// case for T5's table of relative distances and one for RoBERTa's count of tokens that are no padding; a new
/// enum for what a row sees would have causal, everything, and another sequence (cross-attention), with a
/// second set of attention weights among the roles.
public struct Family: Sendable {
    /// How a block's two halves join the residual stream.
    public enum BlockShape: Sendable, Equatable {
        /// h += attention(norm(h)); h += mlp(norm(h))
        case sequential
        /// h += attention(norm(h)) + mlp(norm(h)), one norm for both
        case parallelSharedNorm
        /// h += attention(norm₁(h)) + mlp(norm₂(h))
        case parallel
        /// h = norm₁(h + attention(h)); h = norm₂(h + mlp(h)); no norm after the last block
        case normsAfter
        /// n = norm₁(h); h = n + attention(n); n = norm₂(h); h = n + mlp(n)
        case sequentialFromNorms
    }

    /// Another block shape, which a flag of the config chooses.
    public struct BlockChoice: Sendable, Equatable {
        /// The value of ``Setting/blockChoice`` that chooses it.
        public let flag: Bool
        public let block: BlockShape

        public init(flag: Bool, block: BlockShape) {
            self.flag = flag
            self.block = block
        }
    }

    /// How a token's place enters.
    public enum Positions: Sendable, Equatable {
        /// A table of vectors added to the embedding; row = position + offset.
        case learned(offset: Int)
        /// Queries and keys are rotated.
        case rotary(RotaryPairs)
        /// Scores fall with the distance of their key, by a slope for each head (ALiBi; Press et al., 2022).
        case slopes
        /// Nothing but the causal mask.
        case none
    }

    public enum MLP: Sendable, Equatable {
        /// down(f(up(x)))
        case plain
        /// down(f(gate(x)) * up(x))
        case gated
    }

    /// How queries, keys and values share one matrix.
    public enum FusedOrder: Sendable, Equatable {
        /// All queries, then all keys, then all values.
        case thirds
        /// For each head its query, its key, its value.
        case perHead
        /// The matrix falls into so many equal slices, each with an equal share of the heads: their queries,
        /// then their values, then their keys.
        case slices(Int)
    }

    public enum AttentionScale: Sendable, Equatable {
        /// 1 / √headWidth
        case inverseSquareRoot
        case one
    }

    /// Corvid's name of the family; for many families also the config's `model_type`.
    public let name: String
    /// `architectures` in config.json that this declaration runs.
    public let architectures: [String]
    /// `model_type` in config.json.
    public let modelType: String
    public let block: BlockShape
    /// nil if all models of the family have the same block.
    public let blockChoice: BlockChoice?
    public let norm: Norm.Kind
    public let positions: Positions
    public let mlp: MLP
    public let attentionScale: AttentionScale
    /// The order inside the fused matrix, if the checkpoint has ``WeightRole/queryKeyValue``.
    public let fusedOrder: FusedOrder
    /// How Hugging Face checkpoints store matrices.
    public let orientation: Linear.Orientation
    /// Names in config.json; the first that is present wins. A dot leads into an object.
    public let settings: [Setting: [String]]
    /// Values of settings that config.json may leave out.
    public let defaults: [Setting: SettingValue]
    /// Keys of config.json that change the arithmetic in a way that this declaration does not express, with
    /// the values that it does run. Any other value is refused.
    public let fixed: [String: [SettingValue]]
    /// Names in Hugging Face checkpoints, without `.weight` and `.bias`; `{layer}` is the block's number.
    public let weights: [WeightRole: String]
    /// Prefix which old checkpoints leave out.
    public let optionalPrefix: String
    /// Ends of names of tensors which hold no weights.
    public let ignored: [String]
    /// `general.architecture` in GGUF files, if the family has one.
    public let gguf: GGUFNaming?

    public init(
        name: String, architectures: [String], modelType: String, block: BlockShape,
        blockChoice: BlockChoice? = nil, norm: Norm.Kind, positions: Positions, mlp: MLP,
        attentionScale: AttentionScale = .inverseSquareRoot, fusedOrder: FusedOrder = .thirds,
        orientation: Linear.Orientation = .rows, settings: [Setting: [String]],
        defaults: [Setting: SettingValue] = [:], fixed: [String: [SettingValue]] = [:],
        weights: [WeightRole: String],
        optionalPrefix: String = "", ignored: [String] = [], gguf: GGUFNaming? = nil
    ) {
        self.name = name
        self.architectures = architectures
        self.modelType = modelType
        self.block = block
        self.blockChoice = blockChoice
        self.norm = norm
        self.positions = positions
        self.mlp = mlp
        self.attentionScale = attentionScale
        self.fusedOrder = fusedOrder
        self.orientation = orientation
        self.settings = settings
        self.defaults = defaults
        self.fixed = fixed
        self.weights = weights
        self.optionalPrefix = optionalPrefix
        self.ignored = ignored
        self.gguf = gguf
    }
}

/// What differs when a family comes from GGUF; tensor names are common to all families.
public struct GGUFNaming: Sendable, Equatable {
    public let architecture: String
    /// Rotary pairs of the rows as GGUF stores them, if they differ from Hugging Face's.
    public let rotaryPairs: RotaryPairs?
    /// GGUF does not say which activation an MLP has.
    public let activation: Activation

    public init(architecture: String, rotaryPairs: RotaryPairs? = nil, activation: Activation) {
        self.architecture = architecture
        self.rotaryPairs = rotaryPairs
        self.activation = activation
    }
}

/// A size or choice which a config gives.
public enum Setting: String, Sendable, CaseIterable {
    case width, layers, heads, keyValueHeads, headWidth, hidden, vocabulary, context
    case normEpsilon, activation, rotaryWidth, rotaryFraction, rotaryBase, tiedHead
    case scaleAttention, scaleByInverseLayer
    /// A flag that chooses ``Family/BlockChoice``.
    case blockChoice
    /// Width inside the MLP as a multiple of the width.
    case hiddenRatio
    /// Width of the token embedding, where projections lead from it to the width and back.
    case embeddingWidth
    /// Factor of the scores instead of the family's.
    case attentionScale
    /// Largest exponent of ALiBi's slopes.
    case slopeMaximum
    /// For each layer "global" or "local": a list of texts, or of pairs `[texts, repetitions]`.
    case attentionKinds
    /// Keys that a local layer sees.
    case window
    /// Queries, keys and values are cut to ± this.
    case queryKeyValueLimit
    /// Whether queries and keys are normalised over all their heads.
    case queryKeyNorm
    /// Whether norms have weights.
    case normWeights
    /// Whether the last norm is left out.
    case omitsFinalNorm
    /// Factor of the logits: a number, or "inv_sqrt_d_model".
    case logitScale
}

public enum SettingValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case text(String)
    case list([SettingValue])
}

/// What a weight does. A role's bias, where a checkpoint has one, has the same name.
public enum WeightRole: String, Sendable, CaseIterable {
    case tokenEmbedding, positionEmbedding, embeddingNorm
    case embeddingProjection
    case attentionNorm, query, key, value, queryKeyValue, queryNorm, keyNorm, attentionOutput
    case mlpNorm, gate, up, down
    case finalNorm, outputProjection, head

    /// Whether each block has one.
    public var isPerLayer: Bool {
        switch self {
        case .tokenEmbedding, .positionEmbedding, .embeddingNorm, .embeddingProjection, .finalNorm,
            .outputProjection, .head:
            false
        default: true
        }
    }

    /// Names in GGUF files, for all families. Families with projections of the embedding have no GGUF form;
    /// theirs are names that no file has.
    public var ggufName: String {
        switch self {
        case .tokenEmbedding: "token_embd"
        case .positionEmbedding: "position_embd"
        case .embeddingNorm: "token_embd_norm"
        case .embeddingProjection: "token_embd_projection"
        case .attentionNorm: "blk.{layer}.attn_norm"
        case .query: "blk.{layer}.attn_q"
        case .key: "blk.{layer}.attn_k"
        case .value: "blk.{layer}.attn_v"
        case .queryKeyValue: "blk.{layer}.attn_qkv"
        case .queryNorm: "blk.{layer}.attn_q_norm"
        case .keyNorm: "blk.{layer}.attn_k_norm"
        case .attentionOutput: "blk.{layer}.attn_output"
        case .mlpNorm: "blk.{layer}.ffn_norm"
        case .gate: "blk.{layer}.ffn_gate"
        case .up: "blk.{layer}.ffn_up"
        case .down: "blk.{layer}.ffn_down"
        case .finalNorm: "output_norm"
        case .outputProjection: "output_projection"
        case .head: "output"
        }
    }
}
