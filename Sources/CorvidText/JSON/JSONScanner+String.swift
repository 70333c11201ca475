extension JSONScanner {
    /// Reads the string that begins at the quotation mark reached, and appends its bytes.
    mutating func scanString(into text: inout [UInt8]) throws(JSONError) {
        let start = offset
        offset += 1
        var plainStart = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                text.append(contentsOf: bytes[plainStart..<offset])
                offset += 1
                return
            }
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: bytes[plainStart..<offset])
                try scanEscape(into: &text)
                plainStart = offset
            } else if byte < 0x20 {
                throw error("the control character \(describeByte()) in a string; write it as an escape")
            } else if byte < 0x80 {
                offset += 1
            } else {
                guard let length = UTF8Sequence.length(in: bytes, at: offset) else {
                    throw error("\(describeByte()) in a string is not valid UTF-8")
                }
                offset += length
            }
        }
        offset = start
        throw error("the text ends inside the string that begins here")
    }

    private mutating func scanEscape(into text: inout [UInt8]) throws(JSONError) {
        let start = offset
        offset += 1
        switch byte() {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            try scanUnicodeEscape(into: &text, from: start)
            return
        default:
            offset = start
            throw error("an escape that JSON does not have")
        }
        offset += 1
    }

    /// `\uXXXX`, or two of them that form a surrogate pair.
    private mutating func scanUnicodeEscape(into text: inout [UInt8], from start: Int) throws(JSONError) {
        offset += 1
        var value = try scanHexadecimal(from: start)
        if (0xD800..<0xDC00).contains(value) {
            guard byte() == UInt8(ascii: "\\"), offset + 1 < bytes.count,
                bytes[offset + 1] == UInt8(ascii: "u")
            else { throw unpaired(start) }
            offset += 2
            let low = try scanHexadecimal(from: start)
            guard (0xDC00..<0xE000).contains(low) else { throw unpaired(start) }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw unpaired(start) }
        if value < 0x80 {
            text.append(UInt8(value))
        } else {
            text.append(contentsOf: UTF8Sequence.bytes(of: scalar))
        }
    }

    private mutating func scanHexadecimal(from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte() {
            case let byte? where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte? where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte? where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default:
                offset = start
                throw error("\\u is not followed by four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    private mutating func unpaired(_ start: Int) -> JSONError {
        offset = start
        return error("half of a surrogate pair")
    }
}

/// Single UTF-8 sequences in an array of bytes (Unicode Standard, table 3-7).
enum UTF8Sequence {
    /// The length of the valid sequence that begins at `offset`, or nil when none does.
    static func length(in bytes: [UInt8], at offset: Int) -> Int? {
        let (length, isComplete) = prefix(in: bytes[offset...])
        return isComplete ? length : nil
    }

    /// How many bytes at the start belong to one sequence, and whether they are the whole of it. A
    /// sequence that goes wrong yields its longest part that could have begun a valid one, at least 1.
    static func prefix(in bytes: ArraySlice<UInt8>) -> (length: Int, isComplete: Bool) {
        let start = bytes.startIndex
        guard start < bytes.endIndex else { return (0, false) }
        let needed: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[start] {
        case 0x00...0x7F: return (1, true)
        case 0xC2...0xDF: needed = 2
        case 0xE0: (needed, second) = (3, 0xA0...0xBF)
        case 0xED: (needed, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: needed = 3
        case 0xF0: (needed, second) = (4, 0x90...0xBF)
        case 0xF4: (needed, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: needed = 4
        default: return (1, false)
        }
        var length = 1
        while length < needed, start + length < bytes.endIndex {
            let allowed = length == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[start + length]) else { return (length, false) }
            length += 1
        }
        return (length, length == needed)
    }

    /// The UTF-8 bytes of one code point.
    static func bytes(of scalar: Unicode.Scalar) -> [UInt8] {
        Array(String(Character(scalar)).utf8)
    }
}
