/// Keeps the smallest set of most likely tokens whose probabilities sum to at least `mass`; of equally likely
/// tokens those with the lowest ids come first.
///
/// Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", eq. 2-3.
/// Cost: one exponential per candidate; only the tokens near the border are sorted.
public struct TopP: LogitsStep {
    /// p, a probability; at 0 only the most likely token is kept.
    public let mass: Double

    public init(_ mass: Double) {
        self.mass = mass
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        guard mass < 1, candidates.count > 1 else { return }
        let greatest = candidates.greatest
        guard greatest > -.infinity else { return }
        let weights = candidates.weights()

        // Candidates fall into bins by their distance from the greatest logit. Whole bins are taken while
        // they fit; the bin that crosses the border is the only one whose order matters.
        var bins = [Double](repeating: 0, count: Self.binCount)
        var total = 0.0
        for (entry, weight) in weights.enumerated() where weight > 0 {
            bins[Self.bin(candidates.logits[entry], below: greatest)] += weight
            total += weight
        }
        let target = mass * total
        var sum = 0.0
        var border = 0
        while border < Self.binCount - 1, sum + bins[border] < target {
            sum += bins[border]
            border += 1
        }

        var kept: [Int] = []
        var undecided: [LogitRank] = []
        for (entry, weight) in weights.enumerated() where weight > 0 {
            let bin = Self.bin(candidates.logits[entry], below: greatest)
            if bin < border {
                kept.append(entry)
            } else if bin == border {
                undecided.append(LogitRank(of: candidates.logits[entry], entry: entry))
            }
        }
        undecided.sort(by: >)
        for rank in undecided {
            kept.append(rank.entry)
            sum += weights[rank.entry]
            if sum >= target { break }
        }
        candidates.keep(kept.sorted())
    }

    private static let binCount = 1_024

    /// 32 bins per unit of the logit, the last one for all that is further away.
    private static func bin(_ logit: Float, below greatest: Float) -> Int {
        let distance = (greatest - logit) * 32
        return distance < Float(binCount - 1) ? Int(distance) : binCount - 1
    }
}
