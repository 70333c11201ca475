/// The hash of the flat tables here: a full product folded to its half, after wyhash (Wang Yi).
///
/// Each table has a random seed, so that nobody can write a vocabulary that collides on purpose; no
/// result depends on it.
enum Hashing {
    private static let multiplier: UInt64 = 0xA076_1D64_78BD_642F

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: multiplier)
        return high ^ low
    }

    /// The hash of `bytes[range]`.
    @inline(__always)
    static func hash(_ bytes: [UInt8], _ range: Range<Int>, seed: UInt64) -> UInt64 {
        var hash = mix(seed ^ UInt64(truncatingIfNeeded: range.count))
        var word: UInt64 = 0
        var filled: UInt64 = 0
        for offset in range {
            word = word << 8 | UInt64(bytes[offset])
            filled += 1
            if filled == 8 {
                hash = mix(hash ^ word)
                word = 0
                filled = 0
            }
        }
        return mix(mix(hash ^ word) ^ seed)
    }

    /// The smallest power of two that leaves a table of `count` entries at most half full.
    static func capacity(for count: Int) -> Int {
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        return capacity
    }
}
