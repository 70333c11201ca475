import CorvidTensors

/// How one architecture differs from the others: a value without arithmetic. The runtime interprets it.
public struct Family: Sendable {
    /// How a block's two halves join the residual stream.
    public enum BlockShape: Sendable, Equatable {
        /// h += attention(norm(h)); h += mlp(norm(h))
        case sequential
        /// h += attention(norm(h)) + mlp(norm(h)), one norm for both
        case parallelSharedNorm
        /// h += attention(norm₁(h)) + mlp(norm₂(h))
        case parallel
    }

    /// How a token's place enters.
    public enum Positions: Sendable, Equatable {
        /// A table of vectors added to the embedding; row = position + offset.
        case learned(offset: Int)
        /// Queries and keys are rotated.
        case rotary(RotaryPairs)
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
    public let norm: Norm.Kind
    public let positions: Positions
    public let mlp: MLP
    public let attentionScale: AttentionScale
    /// The order inside the fused matrix, if the checkpoint has ``WeightRole/queryKeyValue``.
    public let fusedOrder: FusedOrder
    /// How Hugging Face checkpoints store matrices.
    public let orientation: Linear.Orientation
    /// Names in config.json; the first that is present wins.
    public let settings: [Setting: [String]]
    /// Values of settings that config.json may leave out.
    public let defaults: [Setting: SettingValue]
    /// Names in Hugging Face checkpoints, without `.weight` and `.bias`; `{layer}` is the block's number.
    public let weights: [WeightRole: String]
    /// Prefix which old checkpoints leave out.
    public let optionalPrefix: String
    /// Ends of names of tensors which hold no weights.
    public let ignored: [String]
    /// `general.architecture` in GGUF files, if the family has one.
    public let gguf: GGUFNaming?

    public init(
        name: String, architectures: [String], modelType: String, block: BlockShape, norm: Norm.Kind,
        positions: Positions, mlp: MLP, attentionScale: AttentionScale = .inverseSquareRoot,
        fusedOrder: FusedOrder = .thirds, orientation: Linear.Orientation = .rows,
        settings: [Setting: [String]], defaults: [Setting: SettingValue] = [:], weights: [WeightRole: String],
        optionalPrefix: String = "", ignored: [String] = [], gguf: GGUFNaming? = nil
    ) {
        self.name = name
        self.architectures = architectures
        self.modelType = modelType
        self.block = block
        self.norm = norm
        self.positions = positions
        self.mlp = mlp
        self.attentionScale = attentionScale
        self.fusedOrder = fusedOrder
        self.orientation = orientation
        self.settings = settings
        self.defaults = defaults
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
}

public enum SettingValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case text(String)
}

/// What a weight does. A role's bias, where a checkpoint has one, has the same name.
public enum WeightRole: String, Sendable, CaseIterable {
    case tokenEmbedding, positionEmbedding, embeddingNorm
    case attentionNorm, query, key, value, queryKeyValue, attentionOutput
    case mlpNorm, gate, up, down
    case finalNorm, head

    /// Whether each block has one.
    public var isPerLayer: Bool {
        switch self {
        case .tokenEmbedding, .positionEmbedding, .embeddingNorm, .finalNorm, .head: false
        default: true
        }
    }

    /// Names in GGUF files, for all families.
    public var ggufName: String {
        switch self {
        case .tokenEmbedding: "token_embd"
        case .positionEmbedding: "position_embd"
        case .embeddingNorm: "token_embd_norm"
        case .attentionNorm: "blk.{layer}.attn_norm"
        case .query: "blk.{layer}.attn_q"
        case .key: "blk.{layer}.attn_k"
        case .value: "blk.{layer}.attn_v"
        case .queryKeyValue: "blk.{layer}.attn_qkv"
        case .attentionOutput: "blk.{layer}.attn_output"
        case .mlpNorm: "blk.{layer}.ffn_norm"
        case .gate: "blk.{layer}.ffn_gate"
        case .up: "blk.{layer}.ffn_up"
        case .down: "blk.{layer}.ffn_down"
        case .finalNorm: "output_norm"
        case .head: "output"
        }
    }
}
