/// Blanks as visible marks (Kudo and Richardson 2018): a mark begins a word.
enum Metaspace {
    /// U+2581, the mark of SentencePiece.
    static let mark: [UInt8] = [0xE2, 0x96, 0x81]

    /// `bytes[range]` with each U+0020 replaced, and with a mark before it when `prefixing` and none is there.
    static func mark(
        _ bytes: [UInt8], _ range: Range<Int>, with mark: [UInt8], prefixing: Bool
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(range.count + range.count / 2 + mark.count)
        let begins =
            bytes[range.lowerBound] == UInt8(ascii: " ")
            || isMark(bytes, range.lowerBound, range.upperBound, mark)
        if prefixing && !begins { output.append(contentsOf: mark) }
        for place in range {
            if bytes[place] == UInt8(ascii: " ") {
                for byte in mark { output.append(byte) }
            } else {
                output.append(bytes[place])
            }
        }
        return output
    }

    /// Where the part that begins at `start` ends: before the next mark.
    @inline(__always)
    static func partEnd(_ bytes: [UInt8], _ start: Int, _ end: Int, _ mark: [UInt8]) -> Int {
        var place = start + (isMark(bytes, start, end, mark) ? mark.count : 1)
        while place < end, !isMark(bytes, place, end, mark) { place += 1 }
        return place
    }

    /// Where the word that begins at `start` ends: before the next mark that follows something else.
    @inline(__always)
    static func wordEnd(_ bytes: [UInt8], _ start: Int, _ end: Int, _ mark: [UInt8]) -> Int {
        var place = start
        while isMark(bytes, place, end, mark) { place += mark.count }
        while place < end, !isMark(bytes, place, end, mark) { place += 1 }
        return place
    }

    @inline(__always)
    private static func isMark(_ bytes: [UInt8], _ place: Int, _ end: Int, _ mark: [UInt8]) -> Bool {
        guard place + mark.count <= end, bytes[place] == mark[0] else { return false }
        for offset in 1..<mark.count where bytes[place + offset] != mark[offset] { return false }
        return true
    }
}
