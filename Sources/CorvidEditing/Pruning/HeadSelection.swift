import CorvidTensors

/// Which heads are to go.
///
/// FASP protects the heads whose removal raises the perplexity most, and removes of the others those without which
/// the bias is smallest. Source: Zayed et al. 2023 (AAAI 2024), section 4, and the code published with it.
public enum PruningMethod: String, Sendable, CaseIterable {
    /// The least bias among heads that are not protected.
    case fasp
    /// The least bias, nothing protected.
    case bias
    /// The least perplexity.
    case perplexity
    /// The smallest weights.
    case magnitude
    /// The mask to which the loss answers least, by finite differences: a stand-in for the gradient of the mask.
    case sensitivity
    /// Any, all with the same probability.
    case random
}

/// Heads that were chosen, and how.
public struct HeadSelection: Sendable, Equatable {
    /// Ascending.
    public let heads: [HeadIndex]
    /// Heads that could not be chosen, ascending.
    public let protected: [HeadIndex]
    public let method: PruningMethod
    public let ratio: Double
    public let protection: Double

    /// - Parameters:
    ///   - scores: of all heads.
    ///   - ratio: the share α of all heads that is to go, 0...1.
    ///   - protection: the share γ of all heads that stays for their perplexity, 0...1; only
    ///     ``PruningMethod/fasp`` asks for it.
    ///   - combination: the axis, or several.
    ///   - seed: of ``PruningMethod/random``.
    /// - Throws: ``PruningError``. Heads with the same score as the last that is chosen are chosen, too.
    public init(
        _ scores: HeadScores, method: PruningMethod, ratio: Double, protection: Double = 0,
        combination: AxisCombination? = nil, seed: UInt64 = 0
    ) throws {
        guard (0...1).contains(ratio) else { throw PruningError.ratio(name: "ratio", found: ratio) }
        guard (0...1).contains(protection) else {
            throw PruningError.ratio(name: "protect", found: protection)
        }
        let count = scores.heads.count
        let pruned = Int(Double(count) * ratio)
        let critical = Set(scores.critical)
        var isFree = scores.heads.map { !critical.contains($0) }
        var values: [Double] = []
        func biases() throws -> [Double] {
            guard let combination, !combination.axes.isEmpty else {
                throw PruningError.noScores(what: "biases", how: "name an axis")
            }
            return try scores.biases(combination)
        }
        switch method {
        case .fasp:
            values = try biases()
            let keep = Int(Double(count) * protection)
            if keep > 0 {
                let perplexities = try scores.perplexities()
                let free = count - keep
                let limit = free > 0 ? perplexities.sorted()[free - 1] : -Double.infinity
                for index in isFree.indices where perplexities[index] > limit { isFree[index] = false }
            }
        case .bias: values = try biases()
        case .perplexity: values = try scores.perplexities()
        case .magnitude:
            values = try scores.values("sizes of the weights", how: "read them from the model") {
                $0.magnitude
            }
        case .sensitivity:
            values = try scores.values("sensitivities", how: "measure them with a text (--text)") {
                $0.sensitivity
            }
        case .random:
            let random = CounterRandom(seed: seed)
            values = (0..<count).map { random.uniform(step: UInt64($0)) }
        }
        let free = isFree.count { $0 }
        guard pruned <= free else {
            throw PruningError.tooMany(pruned: pruned, free: free, heads: count)
        }
        var chosen: [HeadIndex] = []
        if pruned > 0 {
            let candidates = isFree.indices.filter { isFree[$0] }
            let limit = candidates.map { values[$0] }.sorted()[pruned - 1]
            chosen = candidates.filter { values[$0] <= limit }.map { scores.heads[$0] }.sorted()
        }
        heads = chosen
        protected = zip(scores.heads, isFree).filter { !$1 }.map(\.0).sorted()
        self.method = method
        self.ratio = ratio
        self.protection = protection
    }
}
