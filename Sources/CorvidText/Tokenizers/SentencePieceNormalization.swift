/// SentencePiece's text handling (Kudo and Richardson 2018): replacements by a compiled map, blanks as marks.
struct SentencePieceNormalization: Sendable {
    var map: CharacterMap?
    /// Strings that stay as they are.
    var kept = ByteTrie(capacity: 0)
    /// Whether a mark goes before a text, or with `marksFollow` after it.
    var addsMark = true
    /// Whether of several blanks one is left, and none at the ends.
    var removesExtraBlanks = true
    /// Whether blanks become marks.
    var escapesBlanks = true
    var marksFollow = false

    func apply(_ bytes: [UInt8], _ range: Range<Int>, addsMark: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(range.count + range.count / 2)
        let blank = escapesBlanks ? Metaspace.mark : [UInt8(ascii: " ")]
        var scratch: [UInt8] = []
        var place = range.lowerBound
        if removesExtraBlanks {
            while place < range.upperBound {
                scratch.removeAll(keepingCapacity: true)
                let next = normalize(bytes, place, range.upperBound, into: &scratch)
                if scratch != [UInt8(ascii: " ")] { break }
                place = next
            }
        }
        if place == range.upperBound { return [] }
        if addsMark && !marksFollow { output.append(contentsOf: blank) }
        var afterBlank = removesExtraBlanks
        while place < range.upperBound {
            scratch.removeAll(keepingCapacity: true)
            place = normalize(bytes, place, range.upperBound, into: &scratch)
            var skipsBlanks = afterBlank
            for byte in scratch {
                if byte == UInt8(ascii: " ") {
                    if skipsBlanks { continue }
                    for byte in blank { output.append(byte) }
                } else {
                    output.append(byte)
                    skipsBlanks = false
                }
            }
            // What was wholly left out changes nothing.
            let isLeftOut = afterBlank && scratch.allSatisfy { $0 == UInt8(ascii: " ") }
            if !isLeftOut { afterBlank = removesExtraBlanks && scratch.last == UInt8(ascii: " ") }
        }
        if removesExtraBlanks {
            while output.count >= blank.count, output.suffix(blank.count).elementsEqual(blank) {
                output.removeLast(blank.count)
            }
        }
        if addsMark && marksFollow { output.append(contentsOf: blank) }
        return output
    }

    /// Appends what the longest rule makes of the text at a place; answers where it goes on.
    private func normalize(_ bytes: [UInt8], _ start: Int, _ end: Int, into output: inout [UInt8]) -> Int {
        if !kept.isEmpty, let stop = longestKept(bytes, start, end) {
            output.append(contentsOf: bytes[start..<stop])
            return stop
        }
        if let map, let match = map.match(bytes, start, end, longest: true) {
            output.append(contentsOf: map[match.replacement])
            return start + match.length
        }
        let (point, length) = UTF8Sequence.decode(bytes, at: start, end: end)
        if point == nil, map != nil {  // each byte that is no UTF-8 for itself
            output.append(contentsOf: [0xEF, 0xBF, 0xBD])
            return start + 1
        }
        for place in start..<(start + length) { output.append(bytes[place]) }
        return start + length
    }

    private func longestKept(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int? {
        var (node, place) = (ByteTrie.root, start)
        var stop: Int?
        while place < end {
            node = kept.child(node, bytes[place])
            if node == ByteTrie.none { break }
            place += 1
            if kept.value(node) >= 0 { stop = place }
        }
        return stop
    }
}
