/// Replacements of short strings, as SentencePiece compiles them: a double array (Yata, darts-clone) that
/// leads to places in a list of strings which zeros end.
///
/// Bad data cannot lead anywhere: every step is checked.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let strings: [UInt8]

    /// - Parameter blob: the length of the array in bytes, four bytes in little-endian order, the array, the
    ///   strings.
    /// - Returns: nil when the lengths do not fit.
    init?(_ blob: some RandomAccessCollection<UInt8>) {
        let bytes = Array(blob)
        guard bytes.count >= 4 else { return nil }
        func word(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        }
        let size = Int(word(0))
        guard size % 4 == 0, size > 0, size <= bytes.count - 4 else { return nil }
        units = (0..<(size / 4)).map { word(4 + 4 * $0) }
        strings = Array(bytes[(4 + size)...])
    }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }

    /// The place of the string for what begins at `start`, and how many bytes that is: the longest, or the
    /// shortest. Nil when nothing matches.
    func match(
        _ bytes: [UInt8], _ start: Int, _ end: Int, longest: Bool
    ) -> (length: Int, replacement: Range<Int>)? {
        var found: (length: Int, place: Int)?
        var node = Self.offset(units[0])
        var place = start
        while place < end {
            node ^= Int(bytes[place])
            guard node < units.count else { break }
            let unit = units[node]
            guard unit & (1 << 31 | 0xFF) == UInt32(bytes[place]) else { break }
            place += 1
            node ^= Self.offset(unit)
            if unit & 1 << 8 != 0, node < units.count {
                found = (place - start, Int(units[node] & 0x7FFF_FFFF))
                if !longest { break }
            }
        }
        guard let found, found.place < strings.count else { return nil }
        var stop = found.place
        while stop < strings.count, strings[stop] != 0 { stop += 1 }
        return (found.length, found.place..<stop)
    }

    /// The string at a place that `match` answered.
    subscript(range: Range<Int>) -> ArraySlice<UInt8> { strings[range] }

    /// `bytes[range]` as the `Precompiled` normaliser of Hugging Face `tokenizers` reads it, or nil when it is
    /// unchanged: a user-perceived character of fewer than six bytes is replaced as a whole by the shortest
    /// rule that it begins with, else each of its code points is.
    func applyByCharacters(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(range.count + range.count / 8)
        var changed = false
        var place = range.lowerBound
        while place < range.upperBound {
            let run = Self.run(bytes, place, range.upperBound)
            if run.count == 1 {
                replace(bytes, run, &output, &changed)
            } else {
                let text = String(decoding: bytes[run], as: UTF8.self)
                if text.utf8.count != run.count { changed = true }  // bytes that are no UTF-8
                for character in text {
                    let spelled = Array(character.utf8)
                    if spelled.count < 6, let match = match(spelled, 0, spelled.count, longest: false) {
                        output.append(contentsOf: self[match.replacement])
                        changed = true
                        continue
                    }
                    var start = 0
                    while start < spelled.count {
                        let (_, length) = UTF8Sequence.decode(spelled, at: start, end: spelled.count)
                        replace(spelled, start..<(start + length), &output, &changed)
                        start += length
                    }
                }
            }
            place = run.upperBound
        }
        return changed ? output : nil
    }

    private func replace(
        _ bytes: [UInt8], _ range: Range<Int>, _ output: inout [UInt8], _ changed: inout Bool
    ) {
        if let match = match(bytes, range.lowerBound, range.upperBound, longest: false) {
            output.append(contentsOf: self[match.replacement])
            changed = true
        } else {
            for place in range { output.append(bytes[place]) }
        }
    }

    /// One ASCII character that no other can join, or all up to the next such.
    private static func run(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Range<Int> {
        var place = start
        while place < end {
            let isAlone =
                bytes[place] < 0x80 && (place + 1 == end || bytes[place + 1] < 0x80)
                && !(bytes[place] == 0x0D && place + 1 < end && bytes[place + 1] == 0x0A)
                && !(bytes[place] == 0x0A && place > start && bytes[place - 1] == 0x0D)
            if isAlone { return place == start ? start..<(start + 1) : start..<place }
            place += 1
        }
        return start..<end
    }
}
