extension Text {
    /// Byte offset of the first occurrence of `needle` at or after `start`; linear in both lengths, so that
    /// no text makes a search slow (Knuth, Morris and Pratt 1977).
    func firstOffset(of needle: Text, from start: Int = 0) -> Int? {
        let pattern = needle.bytes
        guard !pattern.isEmpty else { return start <= bytes.count ? start : nil }
        guard start >= 0, bytes.count - start >= pattern.count else { return nil }
        let borders = Self.borders(of: pattern)
        var matched = 0
        for index in start..<bytes.count {
            while matched > 0 && pattern[matched] != bytes[index] {
                matched = borders[matched - 1]
            }
            if pattern[matched] == bytes[index] { matched += 1 }
            if matched == pattern.count { return index - matched + 1 }
        }
        return nil
    }

    /// Byte offsets of all occurrences which do not overlap, from the left, at most `limit` of them.
    func offsets(of needle: Text, limit: Int = .max) -> [Int] {
        let pattern = needle.bytes
        guard !pattern.isEmpty, limit > 0 else { return [] }
        let borders = Self.borders(of: pattern)
        var found: [Int] = []
        var matched = 0
        for index in bytes.indices {
            while matched > 0 && pattern[matched] != bytes[index] {
                matched = borders[matched - 1]
            }
            if pattern[matched] == bytes[index] { matched += 1 }
            if matched == pattern.count {
                found.append(index - matched + 1)
                if found.count == limit { break }
                matched = 0
            }
        }
        return found
    }

    /// As `offsets`, from the right.
    func offsetsFromEnd(of needle: Text, limit: Int = .max) -> [Int] {
        let mirrored = Text(bytes: bytes.reversed()).offsets(
            of: Text(bytes: needle.bytes.reversed()), limit: limit)
        return mirrored.reversed().map { bytes.count - $0 - needle.bytes.count }
    }

    func hasPrefix(_ prefix: Text) -> Bool { bytes.starts(with: prefix.bytes) }

    func hasSuffix(_ suffix: Text) -> Bool {
        bytes.count >= suffix.bytes.count && bytes.suffix(suffix.bytes.count).elementsEqual(suffix.bytes)
    }

    /// The bytes in `range`, which must lie on code point boundaries.
    func bytes(in range: Range<Int>) -> Text {
        Text(bytes: Array(bytes[range.clamped(to: 0..<bytes.count)]))
    }

    /// Number of code points before a byte offset.
    func position(ofByte offset: Int) -> Int {
        var count = 0
        for byte in bytes.prefix(offset) where byte & 0xC0 != 0x80 {
            count += 1
        }
        return count
    }

    private static func borders(of pattern: [UInt8]) -> [Int] {
        var borders = [Int](repeating: 0, count: pattern.count)
        var length = 0
        var index = 1
        while index < pattern.count {
            if pattern[index] == pattern[length] {
                length += 1
                borders[index] = length
                index += 1
            } else if length > 0 {
                length = borders[length - 1]
            } else {
                index += 1
            }
        }
        return borders
    }
}
