/// Keeps the `count` most likely tokens; of equally likely ones those with the lowest ids.
///
/// Source: Fan et al. 2018, "Hierarchical Neural Story Generation", section 5.1.
/// Cost: one pass over the candidates and some sorting of short lists, no sort of the vocabulary.
public struct TopK: LogitsStep {
    /// At least 1.
    public let count: Int

    public init(_ count: Int) {
        self.count = count
    }

    public func apply(to candidates: inout Candidates, history: TokenHistory) {
        let wanted = max(count, 1)
        guard candidates.count > wanted else { return }
        // Ranks gather until there are twice as many as wanted, then the lower half goes; what is not above
        // the lowest kept one need not be looked at again.
        let room = wanted > 64 ? 2 * wanted : wanted + 64
        var ranks: [LogitRank] = []
        ranks.reserveCapacity(room)
        var bar = -Float.infinity
        for (entry, logit) in candidates.logits.enumerated() {
            // Entries come in ascending order, so one that equals the lowest kept logit loses to it.
            if ranks.count >= wanted, logit <= bar { continue }
            ranks.append(LogitRank(of: logit, entry: entry))
            if ranks.count == room {
                ranks.sort(by: >)
                ranks.removeLast(room - wanted)
                bar = candidates.logits[ranks[wanted - 1].entry]
            }
        }
        ranks.sort(by: >)
        candidates.keep(ranks.prefix(wanted).map(\.entry).sorted())
    }
}
