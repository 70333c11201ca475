import CorvidModels

/// What is known of each head of a model: what happens without it, and how large its weights are.
public struct HeadScores: Sendable, Equatable {
    /// One head's numbers; nil for what was not measured.
    public struct Entry: Sendable, Equatable {
        /// Perplexity without the head; infinite where the model then gives no number.
        public var perplexity: Double?
        /// For each axis the bias without the head.
        public var bias: [String: Double] = [:]
        /// |dL/dm| of the head's mask, by finite differences (``HeadPerplexity/sensitivity(step:progress:)``).
        public var sensitivity: Double?
        /// L2 norm of its weights, relative to the largest.
        public var magnitude: Double?

        public init() {}
    }

    /// Perplexity of the whole model.
    public var perplexity: Double?
    /// For each axis the bias of the whole model.
    public var bias: [String: Double] = [:]
    public private(set) var heads: [HeadIndex]
    private var entries: [HeadIndex: Entry] = [:]

    public init(heads: [HeadIndex]) {
        self.heads = heads
        for head in heads { entries[head] = Entry() }
    }

    public init(_ configuration: ModelConfiguration) { self.init(heads: configuration.headIndices) }

    public subscript(head: HeadIndex) -> Entry {
        get { entries[head] ?? Entry() }
        set {
            if entries[head] == nil { heads.append(head) }
            entries[head] = newValue
        }
    }

    /// Heads without which the model gives no finite perplexity: they always stay.
    public var critical: [HeadIndex] {
        heads.filter { self[$0].perplexity.map { !$0.isFinite } ?? false }
    }

    /// One number of all heads.
    /// - Throws: ``PruningError/noScores(what:how:)`` if a head lacks it.
    func values(_ what: String, how: String, _ read: (Entry) -> Double?) throws -> [Double] {
        try heads.map { head in
            guard let value = read(self[head]) else { throw PruningError.noScores(what: what, how: how) }
            return value
        }
    }

    /// Perplexity without each head.
    public func perplexities() throws -> [Double] {
        try values("perplexities", how: "measure them with a text (--text)") { $0.perplexity }
    }

    /// Bias without each head, on one axis.
    public func biases(_ axis: String) throws -> [Double] {
        try values("biases on the axis '\(axis)'", how: "measure them with prompts and a scorer") {
            $0.bias[axis]
        }
    }

    /// One number of each head for several axes, which are made comparable by the bias of the whole model.
    /// - Throws: ``PruningError/noScores(what:how:)``.
    public func biases(_ combination: AxisCombination) throws -> [Double] {
        let axes = combination.axes
        guard axes.count != 1 else { return try biases(axes[0]) }
        let relative = try axes.map { axis -> [Double] in
            guard let whole = bias[axis], whole > 0 else {
                throw PruningError.noScores(
                    what: "biases on the axis '\(axis)'", how: "the whole model shows none there")
            }
            return try biases(axis).map { $0 / whole }
        }
        return heads.indices.map { head in
            let values = relative.map { $0[head] }
            switch combination {
            case .axis: return values.first ?? 0
            case .sum(let weights): return zip(weights, values).reduce(0) { $0 + $1.0.weight * $1.1 }
            case .maximum: return values.max() ?? 0
            }
        }
    }
}

/// How the biases of several axes become one number that is to be small.
public enum AxisCombination: Sendable, Equatable {
    case axis(String)
    /// Σ weight · bias / bias of the whole model.
    case sum([(axis: String, weight: Double)])
    /// The largest bias / bias of the whole model.
    case maximum([String])

    public var axes: [String] {
        switch self {
        case .axis(let axis): [axis]
        case .sum(let weights): weights.map(\.axis)
        case .maximum(let axes): axes
        }
    }

    public static func == (left: AxisCombination, right: AxisCombination) -> Bool {
        switch (left, right) {
        case (.axis(let a), .axis(let b)): a == b
        case (.sum(let a), .sum(let b)): a.map(\.axis) == b.map(\.axis) && a.map(\.weight) == b.map(\.weight)
        case (.maximum(let a), .maximum(let b)): a == b
        default: false
        }
    }
}
