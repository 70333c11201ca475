import Foundation

/// Keeps the tokens that are at least `ratio` times as likely as the most likely one.
///
/// Source: Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling", section 3.
public struct MinP: LogitsStep {
    /// In [0, 1]; at 1 only the most likely tokens are kept.
    public let ratio: Double

    public init(_ ratio: Double) {
        self.ratio = ratio
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        guard ratio > 0 else { return }
        let greatest = candidates.greatest
        guard greatest > -.infinity else { return }
        // p / p_max >= ratio  is  logit - greatest >= log(ratio): no exponentials needed.
        let bar = Double(greatest) + log(min(ratio, 1))
        candidates.keep(candidates.logits.indices.filter { Double(candidates.logits[$0]) >= bar })
    }
}
