/// What pruning would cost and bring for a ratio and a protection, estimated from scores of single heads.
public struct ParetoPoint: Sendable, Equatable {
    public let ratio: Double
    public let protection: Double
    public let heads: Int
    /// Bias of the whole model plus what each head alone changes; never below 0.
    public let bias: Double
    /// Perplexity of the whole model times what each head alone multiplies it by.
    public let perplexity: Double
    /// Whether no other point is better in one of the two and as good in the other.
    public internal(set) var isOnFront: Bool
}

extension HeadScores {
    /// FASP's selections for all pairs of ratio and protection, without running the model: heads are taken to act
    /// one by one, so the numbers show where to look and are to be measured then.
    /// - Throws: ``PruningError/noScores(what:how:)``. Pairs that leave too few heads are left out.
    public func paretoPoints(
        ratios: [Double], protections: [Double], combination: AxisCombination
    ) throws -> [ParetoPoint] {
        let values = try biases(combination)
        let perplexities = try perplexities()
        guard let whole = perplexity, whole.isFinite, whole > 0 else {
            throw PruningError.noScores(what: "perplexities", how: "measure them with a text (--text)")
        }
        let wholeBias: Double
        if combination.axes.count == 1 {
            wholeBias = bias[combination.axes[0]] ?? 0
        } else if case .sum(let weights) = combination {
            wholeBias = weights.reduce(0) { $0 + $1.weight }
        } else {
            wholeBias = 1
        }
        let place = Dictionary(zip(heads, heads.indices)) { first, _ in first }
        var points: [ParetoPoint] = []
        for ratio in ratios {
            for protection in protections {
                let selection: HeadSelection
                do {
                    selection = try HeadSelection(
                        self, method: .fasp, ratio: ratio, protection: protection, combination: combination)
                } catch PruningError.tooMany {
                    continue
                }
                let chosen = selection.heads.compactMap { place[$0] }
                let change = chosen.reduce(0) { $0 + values[$1] - wholeBias }
                let factor = chosen.reduce(1) { $0 * perplexities[$1] / whole }
                points.append(
                    ParetoPoint(
                        ratio: ratio, protection: protection, heads: chosen.count,
                        bias: max(0, wholeBias + change), perplexity: whole * factor, isOnFront: false))
            }
        }
        for index in points.indices {
            let own = points[index]
            points[index].isOnFront = !points.contains { other in
                other.bias <= own.bias && other.perplexity <= own.perplexity
                    && (other.bias < own.bias || other.perplexity < own.perplexity)
            }
        }
        return points
    }
}
