/// The classes of code points that pre-tokenisers and normalisers speak of: `\p{L}`, `\p{N}`, `\s`, `\p{P}`,
/// and what BERT's text handling and the removal of accents go by.
struct ScalarClass: OptionSet, Sendable {
    let rawValue: UInt8
    static let letter = ScalarClass(rawValue: 1)
    static let number = ScalarClass(rawValue: 2)
    static let whitespace = ScalarClass(rawValue: 4)
    static let punctuation = ScalarClass(rawValue: 8)
    /// `\p{P}` and all ASCII characters that are no letter, digit, blank or control character.
    static let separator = ScalarClass(rawValue: 16)
    /// What BERT takes for accents: nonspacing marks.
    static let accent = ScalarClass(rawValue: 32)
    /// What BERT removes from any text: control characters, U+FFFD.
    static let unclean = ScalarClass(rawValue: 64)
    /// `\p{M}`.
    static let mark = ScalarClass(rawValue: 128)

    /// Whether `[^\s\p{L}\p{N}]` matches.
    @inline(__always) var isOther: Bool { rawValue & 7 == 0 }
    @inline(__always) var isLetter: Bool { rawValue & 1 != 0 }
    @inline(__always) var isNumber: Bool { rawValue & 2 != 0 }
    @inline(__always) var isWhitespace: Bool { rawValue & 4 != 0 }
    @inline(__always) var isPunctuation: Bool { rawValue & 8 != 0 }
    @inline(__always) var isSeparator: Bool { rawValue & 16 != 0 }
}

/// Looks up the class of the code point at a place in UTF-8 text.
///
/// A part that is no valid UTF-8 has no class and so counts as U+FFFD does, which stands for it in
/// text that was made valid.
struct ScalarClasses: Sendable {
    private let table: [UInt8]

    /// The one table, a byte for each code point up to the last that has a class.
    static let shared = ScalarClasses()

    private init() {
        let ranges = ScalarClassData.ranges
        var table: [UInt8] = []
        for index in stride(from: 0, to: ranges.count, by: 3) {
            let first = Int(ranges[index])
            let end = first + Int(ranges[index + 1])
            if end > table.count { table.append(contentsOf: repeatElement(0, count: end - table.count)) }
            for point in first..<end { table[point] |= UInt8(ranges[index + 2]) }
        }
        self.table = table
    }

    /// The class of one code point.
    @inline(__always)
    subscript(point: UInt32) -> ScalarClass {
        let index = Int(point)
        return ScalarClass(rawValue: index < table.count ? table[index] : 0)
    }

    /// The class and the length in bytes of what stands at `offset`, which lies before `end`.
    @inline(__always)
    func at(_ offset: Int, _ bytes: [UInt8], _ end: Int) -> (class: ScalarClass, length: Int) {
        let first = bytes[offset]
        if first < 0x80 { return (ScalarClass(rawValue: table[Int(first)]), 1) }
        return beyondASCII(offset, bytes, end)
    }

    private func beyondASCII(_ offset: Int, _ bytes: [UInt8], _ end: Int) -> (class: ScalarClass, length: Int)
    {
        let (point, length) = UTF8Sequence.decode(bytes, at: offset, end: end)
        guard let point else { return ([], length) }
        return (self[point], length)
    }
}

extension UTF8Sequence {
    /// The code point at `offset`, nil when the bytes are not valid, and how many bytes belong to it.
    static func decode(_ bytes: [UInt8], at offset: Int, end: Int) -> (point: UInt32?, length: Int) {
        let first = bytes[offset]
        if first < 0x80 { return (UInt32(first), 1) }
        if first >= 0xC2, first < 0xE0, offset + 1 < end, bytes[offset + 1] & 0xC0 == 0x80 {
            return (UInt32(first & 0x1F) << 6 | UInt32(bytes[offset + 1] & 0x3F), 2)
        }
        let (length, isComplete) = prefix(in: bytes[offset..<end])
        guard isComplete else { return (nil, length) }
        var point = UInt32(first) & (length == 3 ? 0x0F : 0x07)
        for index in 1..<length { point = point << 6 | UInt32(bytes[offset + index] & 0x3F) }
        return (point, length)
    }

    /// Appends the UTF-8 bytes of a code point; nothing for a number that is none.
    @inline(__always)
    static func append(_ point: UInt32, to output: inout [UInt8]) {
        switch point {
        case 0..<0x80: output.append(UInt8(point))
        case 0x80..<0x800:
            output.append(UInt8(0xC0 | point >> 6))
            output.append(UInt8(0x80 | point & 0x3F))
        case 0x800..<0xD800, 0xE000..<0x10000:
            output.append(UInt8(0xE0 | point >> 12))
            output.append(UInt8(0x80 | point >> 6 & 0x3F))
            output.append(UInt8(0x80 | point & 0x3F))
        case 0x10000..<0x110000:
            output.append(UInt8(0xF0 | point >> 18))
            output.append(UInt8(0x80 | point >> 12 & 0x3F))
            output.append(UInt8(0x80 | point >> 6 & 0x3F))
            output.append(UInt8(0x80 | point & 0x3F))
        default: break
        }
    }
}
