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
        // Keys gather until there are twice as many as wanted, then the lower half goes; what is not above
        // the lowest kept key need not be looked at again.
        let room = wanted > 64 ? 2 * wanted : wanted + 64
        var keys: [UInt64] = []
        keys.reserveCapacity(room)
        var bar = -Float.infinity
        for (entry, logit) in candidates.logits.enumerated() {
            // Entries come in ascending order, so one that equals the lowest kept logit loses to it.
            if keys.count >= wanted, logit <= bar { continue }
            keys.append(rank(of: logit, entry: entry))
            if keys.count == room {
                keys.sort(by: >)
                keys.removeLast(room - wanted)
                bar = candidates.logits[self.entry(of: keys[wanted - 1])]
            }
        }
        keys.sort(by: >)
        candidates.keep(keys.prefix(wanted).map(entry(of:)).sorted())
    }

    private func entry(of rank: UInt64) -> Int {
        Int(UInt32.max - UInt32(truncatingIfNeeded: rank))
    }
}

/// A number that orders entries by logit and, where logits are equal, puts the earlier entry above.
func rank(of logit: Float, entry: Int) -> UInt64 {
    // Adding 0 makes -0 equal to 0, as comparison has it; then flipped bit patterns sort like the numbers.
    let bits = (logit + 0).bitPattern
    let ordered = bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
    return UInt64(ordered) << 32 | UInt64(UInt32.max - UInt32(truncatingIfNeeded: entry))
}
