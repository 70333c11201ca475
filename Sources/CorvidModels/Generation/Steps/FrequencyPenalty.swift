/// Subtracts `penalty` x (how often the token occurs in the answer), as OpenAI's `frequency_penalty`.
public struct FrequencyPenalty: LogitsStep {
    public let penalty: Float

    public init(_ penalty: Float) {
        self.penalty = penalty
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        for (id, count) in history.generated {
            if let entry = candidates.entry(of: id) { candidates.logits[entry] -= penalty * Float(count) }
        }
    }
}
