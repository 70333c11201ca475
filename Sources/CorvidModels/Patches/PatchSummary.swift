import CorvidTensors

/// Norms of a model's weights (Frobenius).
public struct WeightNorms {
    private let base: BaseWeights

    public init(_ model: Model) { base = BaseWeights(model) }

    /// nil if the model has no such weight.
    func norm(of target: WeightTarget) throws -> Double? {
        try base.matrix(target).map { ($0.values.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot() }
    }
}

/// What a patch changes, for people.
public struct PatchSummary {
    public struct Row: Sendable {
        public let kind: Patch.Kind
        public let place: String
        /// Such as `rank 8 of [576, 576]`.
        public let size: String
        /// Frobenius norm of what is added, with its scale; of other kinds, of its numbers.
        public let norm: Double
        /// That of the weight that it is added to.
        public let weightNorm: Double?
        public let bytes: Int
    }

    public let rows: [Row]

    /// - Throws: `TensorError`, ``FormatError``.
    public init(_ patch: Patch, weights: WeightNorms? = nil) throws {
        rows = try patch.changes.map { change in
            let (size, norm, target) = try Self.describe(change)
            return Row(
                kind: change.kind, place: change.place, size: size, norm: norm,
                weightNorm: try target.flatMap { target in try weights?.norm(of: target) },
                bytes: change.tensors.reduce(0) { $0 + $1.tensor.bytes.count })
        }
    }

    private static func describe(_ change: Patch.Change) throws -> (String, Double, WeightTarget?) {
        func norm(_ tensor: Tensor, _ scale: Float = 1) throws -> Double {
            let squares = try tensor.floats().reduce(0.0) { $0 + Double($1) * Double($1) }
            return squares.squareRoot() * Double(abs(scale))
        }
        switch change {
        case .lowRank(let delta):
            return (
                "rank \(delta.rank) of \(delta.size.list)",
                try productNorm(delta.down, delta.up, delta.scale),
                delta.target
            )
        case .tableLowRank(let delta):
            return (
                "rank \(delta.down.rows) of [\(delta.down.columns), \(delta.up.rows)]",
                try productNorm(delta.down, delta.up, delta.scale), delta.target
            )
        case .dense(let delta):
            return ("\(delta.values.shape)", try norm(delta.values, delta.scale), delta.target)
        case .rows(let delta):
            return (
                "\(delta.indices.count) rows of \(delta.size.list)", try norm(delta.values, delta.scale),
                delta.target
            )
        case .columns(let delta):
            return (
                "\(delta.indices.count) columns of \(delta.size.list)", try norm(delta.values, delta.scale),
                delta.target
            )
        case .tableRows(let delta):
            return ("\(delta.indices.count) rows", try norm(delta.values, delta.scale), delta.target)
        case .bias(let delta): return ("\(delta.values.shape)", try norm(delta.values, delta.scale), nil)
        case .addition(let delta):
            return ("\(delta.values.shape) at \(delta.positions)", try norm(delta.values, delta.scale), nil)
        case .mask(let mask):
            let values = try mask.values.floats()
            let zeros = values.count { $0 == 0 }
            return (
                "\(zeros) of \(values.count) \(mask.isByHeads ? "heads" : "columns") off",
                try norm(mask.values), nil
            )
        case .operation(let operation):
            return ("\(operation.function.name) at \(operation.positions)", 0, nil)
        case .adapter(let adapter):
            return (
                "bottleneck \(adapter.down.rows), \(adapter.activation.rawValue)",
                try norm(adapter.up, adapter.scale), nil
            )
        case .prefix(let prefix):
            return ("\(prefix.keys.shape[1]) positions", try norm(prefix.values), nil)
        case .norm, .logitBias, .labelPrior:
            let tensors = change.tensors.filter { $0.tensor.isPatchType }
            let squares = try tensors.reduce(0.0) { total, part in
                let value = try norm(part.tensor)
                return total + value * value
            }
            return (tensors.first.map { "\($0.tensor.shape)" } ?? "", squares.squareRoot(), nil)
        }
    }

    /// ‖up · down‖ from the products of the factors with themselves: the trace of (upᵀ up)(down downᵀ).
    private static func productNorm(_ down: Tensor, _ up: Tensor, _ scale: Float) throws -> Double {
        let (a, b) = (try down.floats(), try up.floats())
        let (rank, inputs, outputs) = (down.rows, down.columns, up.rows)
        var trace = 0.0
        for i in 0..<rank {
            for j in 0...i {
                var (left, right) = (0.0, 0.0)
                for k in 0..<inputs { left += Double(a[i * inputs + k]) * Double(a[j * inputs + k]) }
                for k in 0..<outputs { right += Double(b[k * rank + i]) * Double(b[k * rank + j]) }
                trace += left * right * (i == j ? 1 : 2)
            }
        }
        return max(0, trace).squareRoot() * Double(abs(scale))
    }
}
