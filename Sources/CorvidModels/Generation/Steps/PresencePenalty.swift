/// Subtracts `penalty` once from each token that occurs in the answer, as OpenAI's `presence_penalty`.
public struct PresencePenalty: LogitsStep {
    public let penalty: Float

    public init(_ penalty: Float) {
        self.penalty = penalty
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        for id in history.generated.keys {
            if let entry = candidates.entry(of: id) { candidates.logits[entry] -= penalty }
        }
    }
}
