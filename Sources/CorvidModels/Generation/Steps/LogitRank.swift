/// A number that orders entries of ``Candidates`` by logit and, where logits are equal, puts the earlier
/// entry above.
struct LogitRank: Comparable, Sendable {
    private let value: UInt64

    init(of logit: Float, entry: Int) {
        // Adding 0 makes -0 equal to 0, as comparison has it; then flipped bit patterns sort like numbers.
        let bits = (logit + 0).bitPattern
        let ordered = bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
        value = UInt64(ordered) << 32 | UInt64(UInt32.max - UInt32(truncatingIfNeeded: entry))
    }

    var entry: Int { Int(UInt32.max - UInt32(truncatingIfNeeded: value)) }

    static func < (left: LogitRank, right: LogitRank) -> Bool { left.value < right.value }
}
