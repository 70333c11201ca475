import CorvidTensors

/// A weight of a model by what it does: `5.down`, `tokenEmbedding`.
///
/// Where the output matrix is the token embedding, `tokenEmbedding` is its use at the beginning and `head` its
/// use at the end: a change of one leaves the other as it is.
public struct WeightTarget: Hashable, Sendable, CustomStringConvertible {
    public let role: WeightRole
    /// The block, from 0; nil outside the blocks.
    public let layer: Int?

    public init(_ role: WeightRole, layer: Int? = nil) {
        self.role = role
        self.layer = layer
    }

    /// Reads what ``description`` writes; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let role = parts.last.flatMap({ WeightRole(rawValue: String($0)) }) else { return nil }
        if parts.count == 1, !role.isPerLayer {
            self.init(role)
        } else if parts.count == 2, role.isPerLayer, let layer = Int(parts[0]), layer >= 0 {
            self.init(role, layer: layer)
        } else {
            return nil
        }
    }

    public var description: String { (layer.map { "\($0)." } ?? "") + role.rawValue }
}

/// Everything that is laid over a model's weights, in the order in which it is summed and applied.
///
/// The model's own weights are not touched: a model without the overlay has its old bits.
public struct ModelOverlay: Sendable {
    /// What is added to products with a matrix; `head` among them.
    public var weights: [WeightTarget: [WeightDelta]] = [:]
    /// What is added to the vectors that a table gives, such as `tokenEmbedding`.
    public var tables: [WeightTarget: [TableDelta]] = [:]
    /// What is added to the weight and to the bias of a norm, `[width]`.
    public var norms: [WeightTarget: [NormDelta]] = [:]
    /// Changes of every pass, which come before those of its own plan.
    public var changes: [SiteChange] = []
    /// Keys and values before each sequence.
    public var prefix: KeyValuePrefix?
    /// The patches that it is made of, in the order in which they were given.
    public var patches: [PatchBase.Requirement] = []

    public init() {}

    public var isEmpty: Bool {
        weights.isEmpty && tables.isEmpty && norms.isEmpty && changes.isEmpty && prefix == nil
    }
}

/// What is added to a norm.
public struct NormDelta: Sendable {
    public var weight: [Float]?
    public var bias: [Float]?
    public var scale: Float

    public init(weight: [Float]? = nil, bias: [Float]? = nil, scale: Float = 1) {
        self.weight = weight
        self.bias = bias
        self.scale = scale
    }
}

/// Keys and values that stand before the first token of each sequence (Li and Liang, 2021).
public struct KeyValuePrefix: Sendable, Equatable {
    /// Positions before the first token.
    public let positions: Int
    /// For each layer `[positions, keyValueHeads * headWidth]`; keys as they are after rotation.
    public let keys: [[Float]]
    public let values: [[Float]]

    public init(positions: Int, keys: [[Float]], values: [[Float]]) {
        self.positions = positions
        self.keys = keys
        self.values = values
    }
}
