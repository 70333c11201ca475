/// Encodes the parts of one text, remembering those it has seen: most words of a text come again.
struct PartEncoder {
    private let model: SubwordModel
    private let vocabulary: Vocabulary
    private let byteIDs: [Int32]
    private var scratch = SubwordModel.Scratch()
    private var ids: [Int32] = []

    // The parts seen, in one array, their ids in another, and a flat hash table over both.
    private struct Entry {
        var key: Range<Int>
        var ids: Range<Int>
    }
    private var keys: [UInt8] = []
    private var values: [Int32] = []
    private var entries: [Entry] = []
    private var slots: [UInt64]  // tag << 32 | index of the entry, or `empty`
    private let seed = UInt64.random(in: .min ... .max)

    private static let empty = UInt64.max
    private static let longestKey = 64  // bytes; longer parts rarely come again
    private static let mostEntries = 1 << 15

    /// - Parameter count: length of the text in bytes; short ones get a small memory.
    init(_ model: SubwordModel, _ vocabulary: Vocabulary, expecting count: Int) {
        self.model = model
        self.vocabulary = vocabulary
        byteIDs = model.byteIDs
        let entries = min(Self.mostEntries, max(16, count / 8))
        slots = [UInt64](repeating: Self.empty, count: Hashing.capacity(for: entries))
    }

    /// Appends the ids of `bytes[part]`.
    mutating func encode(_ bytes: [UInt8], _ part: Range<Int>, into output: inout [Int32]) {
        if part.count == 1, !byteIDs.isEmpty, byteIDs[Int(bytes[part.lowerBound])] >= 0 {
            output.append(byteIDs[Int(bytes[part.lowerBound])])
            return
        }
        guard part.count <= Self.longestKey else {
            encodeAnew(bytes, part)
            output.append(contentsOf: ids)
            return
        }
        let hash = Hashing.hash(bytes, part, seed: seed) & 0x7FFF_FFFF_FFFF_FFFF
        let tag = hash >> 32
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == tag {
                let entry = entries[Int(slots[slot] & 0xFFFF_FFFF)]
                if isEqual(entry.key, bytes, part) {
                    for index in entry.ids { output.append(values[index]) }
                    return
                }
            }
            slot = (slot + 1) & mask
        }
        encodeAnew(bytes, part)
        output.append(contentsOf: ids)
        if 2 * (entries.count + 1) <= slots.count {
            slots[slot] = tag << 32 | UInt64(entries.count)
            entries.append(
                Entry(
                    key: keys.count..<(keys.count + part.count),
                    ids: values.count..<(values.count + ids.count)))
            keys.append(contentsOf: bytes[part])
            values.append(contentsOf: ids)
        }
    }

    private func isEqual(_ key: Range<Int>, _ bytes: [UInt8], _ part: Range<Int>) -> Bool {
        guard key.count == part.count else { return false }
        var place = key.lowerBound
        for offset in part {
            if keys[place] != bytes[offset] { return false }
            place += 1
        }
        return true
    }

    /// Leaves the ids of `bytes[part]` in `ids`.
    private mutating func encodeAnew(_ bytes: [UInt8], _ part: Range<Int>) {
        ids.removeAll(keepingCapacity: true)
        model.encode(bytes, part, vocabulary, &scratch, into: &ids)
    }
}
