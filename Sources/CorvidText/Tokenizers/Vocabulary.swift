/// The pieces of a tokenizer: one array of bytes and one flat hash table over it.
///
/// Most pieces spell bytes in the byte-level alphabet and are kept as those bytes. Others (added
/// tokens, pieces with characters outside the alphabet) are verbatim: kept as they are written.
struct Vocabulary: Sendable {
    /// How a piece was written.
    enum Form: UInt8, Sendable { case bytes, verbatim, absent }

    /// Where a piece lies in `bytes`; its facts stand together, since they are read together.
    private struct Entry: Sendable {
        var start = 0
        var length: Int32 = 0
        var form = Form.absent
    }

    private(set) var bytes: [UInt8] = []
    private var entries: [Entry] = []
    private(set) var count = 0  // pieces that are there

    private var slots: [UInt64] = []  // tag << 32 | id, or `empty`
    private var mask = 0
    private let seed = UInt64.random(in: .min ... .max)
    private static let empty = UInt64.max

    init(capacity: Int) {
        slots = [UInt64](repeating: Self.empty, count: Hashing.capacity(for: capacity))
        mask = slots.count - 1
        entries.reserveCapacity(capacity)
        bytes.reserveCapacity(8 * capacity)
    }

    /// One more than the highest id.
    var idBound: Int { entries.count }

    func form(of id: Int) -> Form { entries.indices.contains(id) ? entries[id].form : .absent }

    /// Where in `bytes` a piece lies; empty for an id that is not there.
    func range(of id: Int) -> Range<Int> {
        guard entries.indices.contains(id) else { return 0..<0 }
        let entry = entries[id]
        return entry.start..<(entry.start + Int(entry.length))
    }

    /// The piece as the vocabulary spells it; empty for an id that is not there.
    func spelling(of id: Int) -> String {
        switch form(of: id) {
        case .bytes: ByteLevelAlphabet.spell(bytes[range(of: id)])
        case .verbatim: String(decoding: bytes[range(of: id)], as: UTF8.self)
        case .absent: ""
        }
    }

    // MARK: Looking up

    /// The id of the piece `text[range]` in one of the two forms, or nil.
    func id(of text: [UInt8], _ range: Range<Int>, _ form: Form) -> Int32? {
        let hash = hash(text, range, form)
        var slot = Int(truncatingIfNeeded: hash) & mask
        let tag = hash >> 32
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == tag {
                let id = Int(slots[slot] & 0xFFFF_FFFF)
                if matches(id, text, range, form) { return Int32(id) }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The id of a piece by its spelling.
    func id(ofSpelling spelling: [UInt8], _ range: Range<Int>) -> Int32? {
        var decoded: [UInt8] = []
        if ByteLevelAlphabet.decode(spelling, range, into: &decoded),
            let id = id(of: decoded, 0..<decoded.count, .bytes)
        {
            return id
        }
        return id(of: spelling, range, .verbatim)
    }

    /// Whether the piece with this id is `text[range]` in this form.
    @inline(__always)
    func matches(_ id: Int, _ text: [UInt8], _ range: Range<Int>, _ form: Form) -> Bool {
        guard entries.indices.contains(id) else { return false }
        let entry = entries[id]
        guard Int(entry.length) == range.count, entry.form == form else { return false }
        var place = entry.start
        for offset in range {
            if bytes[place] != text[offset] { return false }
            place += 1
        }
        return true
    }

    private func hash(_ text: [UInt8], _ range: Range<Int>, _ form: Form) -> UInt64 {
        // The upper half becomes a tag below 2^31, so that no entry equals `empty`.
        Hashing.hash(text, range, seed: seed ^ UInt64(form.rawValue)) & 0x7FFF_FFFF_FFFF_FFFF
    }

    // MARK: Filling

    /// What became of a piece that was to be added.
    enum Insertion { case added, idTaken, duplicate(of: Int32) }

    /// Adds the piece `text[range]`, spelled or verbatim, under an id whose bound the caller has checked.
    mutating func insert(_ text: [UInt8], _ range: Range<Int>, id: Int, verbatim: Bool = false) -> Insertion {
        let start = bytes.count
        var form = Form.bytes
        if verbatim || !ByteLevelAlphabet.decode(text, range, into: &bytes) {
            bytes.append(contentsOf: text[range])
            form = .verbatim
        }
        while entries.count <= id { entries.append(Entry()) }
        guard entries[id].form == .absent else {
            bytes.removeLast(bytes.count - start)
            return .idTaken
        }
        entries[id] = Entry(
            start: start, length: Int32(truncatingIfNeeded: bytes.count - start), form: form)
        if 2 * (count + 1) > slots.count { grow() }
        if let other = place(id) {
            entries[id] = Entry()
            bytes.removeLast(bytes.count - start)
            return .duplicate(of: other)
        }
        count += 1
        return .added
    }

    /// Enters an id into the table; answers the id of an equal piece that is there already.
    private mutating func place(_ id: Int) -> Int32? {
        let range = range(of: id)
        let form = entries[id].form
        let hash = hash(bytes, range, form)
        let tag = hash >> 32
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == tag {
                let other = Int(slots[slot] & 0xFFFF_FFFF)
                if matches(other, bytes, range, form) { return Int32(other) }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = tag << 32 | UInt64(id)
        return nil
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: Self.empty, count: 2 * old.count)
        mask = slots.count - 1
        for entry in old where entry != Self.empty { _ = place(Int(entry & 0xFFFF_FFFF)) }
    }
}
