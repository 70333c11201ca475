/// Byte-pair encoding over code points, as Hugging Face `tokenizers` has it: merges in the order in which
/// they were learned; a code point that is no piece falls apart into bytes or is unknown.
struct CharacterPairs: Sendable {
    var merges: Merges
    /// A part that is a piece as a whole is taken as it is.
    var ignoresMerges = false
    var unknown: Int32?
    var fusesUnknown = false
    /// The ids of `<0x00>` to `<0xFF>`, which stand for code points that are no piece.
    var byteIDs: [Int32]?
    /// What pieces within a part begin with, and what those at its end end with.
    var continuingPrefix: [UInt8] = []
    var endSuffix: [UInt8] = []

    func encode(
        _ bytes: [UInt8], _ part: Range<Int>, _ vocabulary: Vocabulary, _ scratch: inout Merges.Scratch,
        into ids: inout [Int32]
    ) {
        if ignoresMerges, let whole = vocabulary.id(of: bytes, part, .verbatim) {
            ids.append(whole)
            return
        }
        var afterUnknown = false
        var start = part.lowerBound
        while start < part.upperBound {
            let end = start + UTF8Sequence.decode(bytes, at: start, end: part.upperBound).length
            if let id = id(bytes, start..<end, in: part, vocabulary) {
                ids.append(id)
                afterUnknown = false
            } else if let byteIDs {
                for place in start..<end { ids.append(byteIDs[Int(bytes[place])]) }
            } else if let unknown {
                if !(afterUnknown && fusesUnknown) { ids.append(unknown) }
                afterUnknown = true
            }
            start = end
        }
        merges.apply(to: &ids, &scratch)
    }

    /// The piece of one code point.
    private func id(
        _ bytes: [UInt8], _ range: Range<Int>, in part: Range<Int>, _ vocabulary: Vocabulary
    ) -> Int32? {
        let prefix = range.lowerBound > part.lowerBound ? continuingPrefix : []
        let suffix = range.upperBound == part.upperBound ? endSuffix : []
        if prefix.isEmpty && suffix.isEmpty { return vocabulary.id(of: bytes, range, .verbatim) }
        let piece = prefix + bytes[range] + suffix
        return vocabulary.id(of: piece, 0..<piece.count, .verbatim)
    }
}
