/// How often each word of a text occurs, in the order in which they came first.
struct WordCounts {
    private(set) var bytes: [UInt8] = []
    private var starts: [Int] = [0]
    private(set) var counts: [Int] = []
    private var slots: [UInt64]  // tag << 32 | index, or `empty`
    private let seed = UInt64.random(in: .min ... .max)
    private static let empty = UInt64.max

    init() { slots = [UInt64](repeating: Self.empty, count: 1 << 16) }

    /// How many different words there are.
    var count: Int { counts.count }

    /// Where in `bytes` a word lies.
    func range(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

    /// Counts the word `text[part]`.
    mutating func add(_ text: [UInt8], _ part: Range<Int>) {
        let hash = Hashing.hash(text, part, seed: seed) & 0x7FFF_FFFF_FFFF_FFFF
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == hash >> 32 {
                let index = Int(slots[slot] & 0xFFFF_FFFF)
                if isWord(index, text, part) {
                    counts[index] += 1
                    return
                }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = (hash >> 32) << 32 | UInt64(counts.count)
        bytes.append(contentsOf: text[part])
        starts.append(bytes.count)
        counts.append(1)
        if 2 * counts.count > slots.count { grow() }
    }

    private func isWord(_ index: Int, _ text: [UInt8], _ part: Range<Int>) -> Bool {
        let range = range(index)
        guard range.count == part.count else { return false }
        var place = range.lowerBound
        for offset in part {
            if bytes[place] != text[offset] { return false }
            place += 1
        }
        return true
    }

    private mutating func grow() {
        slots = [UInt64](repeating: Self.empty, count: 2 * slots.count)
        let mask = slots.count - 1
        for index in 0..<counts.count {
            let hash = Hashing.hash(bytes, range(index), seed: seed) & 0x7FFF_FFFF_FFFF_FFFF
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != Self.empty { slot = (slot + 1) & mask }
            slots[slot] = (hash >> 32) << 32 | UInt64(index)
        }
    }
}
