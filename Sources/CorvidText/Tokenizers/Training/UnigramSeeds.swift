/// The strings that are frequent within words: the pieces from which Unigram training starts.
struct UnigramSeeds {
    struct Seed {
        var range: Range<Int>  // where it lies in the words' bytes
        var count: Int
        var characters: Int
    }

    private var entries: [Seed] = []
    private var slots: [UInt64]  // tag << 32 | index, or `empty`
    private static let empty = UInt64.max
    private static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// More are never kept at once: the rarest are forgotten then.
    private static let mostEntries = 1 << 22
    private static let longest = 16  // code points

    private init() { slots = [UInt64](repeating: Self.empty, count: 1 << 16) }

    /// The `limit` seeds of two code points and more whose number times length is greatest, those first.
    static func find(in words: WordCounts, limit: Int) -> [Seed] {
        var seeds = UnigramSeeds()
        for index in 0..<words.count {
            seeds.add(words.bytes, words.range(index), count: words.counts[index])
            if seeds.entries.count > mostEntries { seeds.forgetRare(words.bytes) }
        }
        let bytes = words.bytes
        func weight(_ seed: Seed) -> Int { seed.count * seed.characters }
        return Array(
            seeds.entries.lazy.filter { $0.count > 1 }.sorted { left, right in
                weight(left) != weight(right)
                    ? weight(left) > weight(right)
                    : bytes[left.range].lexicographicallyPrecedes(bytes[right.range])
            }.prefix(limit))
    }

    private mutating func add(_ bytes: [UInt8], _ word: Range<Int>, count: Int) {
        var start = word.lowerBound
        while start < word.upperBound {
            var hash = Self.seed
            var (end, characters) = (start, 0)
            while end < word.upperBound, characters < Self.longest {
                let length = UTF8Sequence.decode(bytes, at: end, end: word.upperBound).length
                for place in end..<(end + length) { hash = Hashing.mix(hash ^ UInt64(bytes[place])) }
                end += length
                characters += 1
                if characters > 1 {
                    add(bytes, start..<end, hash & 0x7FFF_FFFF_FFFF_FFFF, characters, count)
                }
            }
            start += UTF8Sequence.decode(bytes, at: start, end: word.upperBound).length
        }
    }

    private mutating func add(
        _ bytes: [UInt8], _ range: Range<Int>, _ hash: UInt64, _ characters: Int, _ count: Int
    ) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == hash >> 32 {
                let index = Int(slots[slot] & 0xFFFF_FFFF)
                let known = entries[index].range
                if known.count == range.count, bytes[known].elementsEqual(bytes[range]) {
                    entries[index].count += count
                    return
                }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = (hash >> 32) << 32 | UInt64(entries.count)
        entries.append(Seed(range: range, count: count, characters: characters))
        if 2 * entries.count > slots.count { rebuild(bytes, size: 2 * slots.count) }
    }

    private mutating func rebuild(_ bytes: [UInt8], size: Int) {
        slots = [UInt64](repeating: Self.empty, count: size)
        let mask = size - 1
        for (index, entry) in entries.enumerated() {
            var hash = Self.seed
            for place in entry.range { hash = Hashing.mix(hash ^ UInt64(bytes[place])) }
            hash &= 0x7FFF_FFFF_FFFF_FFFF
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != Self.empty { slot = (slot + 1) & mask }
            slots[slot] = (hash >> 32) << 32 | UInt64(index)
        }
    }

    /// Leaves at most half of the entries.
    private mutating func forgetRare(_ bytes: [UInt8]) {
        var least = 2
        while true {
            entries.removeAll { $0.count < least }
            if entries.count <= Self.mostEntries / 2 { break }
            least *= 2
        }
        rebuild(bytes, size: slots.count)
    }
}
