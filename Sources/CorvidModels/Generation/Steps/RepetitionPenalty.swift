/// Makes tokens less likely that stand in the prompt or the answer already.
///
/// A positive logit is divided by the penalty, a negative one multiplied with it, once per token however
/// often it occurs. Source: Keskar et al. 2019, "CTRL", section 4.1; the treatment of negative logits is that
/// of Hugging Face's `RepetitionPenaltyLogitsProcessor`.
public struct RepetitionPenalty: LogitsStep {
    /// Above 1 discourages, below 1 encourages.
    public let penalty: Float

    public init(_ penalty: Float) {
        self.penalty = penalty
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        for id in history.seen {
            guard let entry = candidates.entry(of: id) else { continue }
            let logit = candidates.logits[entry]
            let changed = logit < 0 ? logit * penalty : logit / penalty
            // A penalty below 1 may overflow: such a token is then simply the greatest there can be.
            candidates.logits[entry] = min(changed, .greatestFiniteMagnitude)
        }
    }
}
