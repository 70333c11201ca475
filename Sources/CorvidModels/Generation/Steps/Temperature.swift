/// Divides logits by a temperature above 0: below 1 sharpens the distribution, above 1 flattens it.
public struct Temperature: LogitsStep {
    public let temperature: Float

    public init(_ temperature: Float) {
        self.temperature = temperature
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        // The greatest logit becomes 0, so that a very small temperature overflows to -infinity only.
        let greatest = candidates.greatest
        guard greatest > -.infinity else { return }
        let divisor = max(temperature, .leastNormalMagnitude)
        for entry in candidates.logits.indices {
            candidates.logits[entry] = (candidates.logits[entry] - greatest) / divisor
        }
    }
}
