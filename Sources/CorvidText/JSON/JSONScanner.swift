/// Reads JSON piece by piece, without building a tree: the caller asks for what it expects.
///
///     var scanner = JSONScanner(bytes)
///     try scanner.beginObject()
///     while let key = try scanner.nextKey() {
///         if key == "vocab_size" { size = try scanner.readInteger() } else { try scanner.skipValue() }
///     }
///     try scanner.finish()
///
/// It is a value: a copy taken before a large member can read that member again later. It is strict:
/// valid UTF-8, no trailing commas, no comments, paired surrogates, nothing after the value. Nesting is
/// bounded by the limits and costs no stack.
public struct JSONScanner: Sendable {
    /// The kind of the value that comes next.
    public enum Kind: Sendable, Equatable {
        case null, bool, number, string, array, object
    }

    private enum Frame: Sendable {
        case array(first: Bool)
        case object(first: Bool)
    }

    let bytes: [UInt8]
    /// How far the text has been read, in bytes.
    public internal(set) var offset = 0
    let limits: JSONLimits
    private var frames: [Frame] = []

    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) {
        self.bytes = bytes
        self.limits = limits
    }

    /// How many arrays and objects are open.
    public var depth: Int { frames.count }

    // MARK: Looking ahead

    /// The kind of the next value, which is not read.
    public mutating func peek() throws(JSONError) -> Kind {
        try checkSize()
        skipBlanks()
        guard offset < bytes.count else { throw error("the text ends where a value was expected") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case 0xEF where offset == 0:
            throw error("a byte order mark stands before the JSON; save the file as UTF-8 without it")
        default: throw error("\(describeByte()) where a value was expected")
        }
    }

    // MARK: Arrays and objects

    /// Enters an array; then `nextElement` says whether there is a value to read.
    public mutating func beginArray() throws(JSONError) {
        try expect(.array, "an array")
        try open(.array(first: true))
    }

    /// Whether the innermost array has another element; it is then to be read or skipped. At the end
    /// the array is left.
    public mutating func nextElement() throws(JSONError) -> Bool {
        guard case .array(let first) = frames.last else { throw error("no array is open here") }
        skipBlanks()
        if byte() == UInt8(ascii: "]") {
            close()
            return false
        }
        if !first { try passComma(before: "]") }
        frames[frames.count - 1] = .array(first: false)
        return true
    }

    /// Enters an object; then `nextKey` gives the keys.
    public mutating func beginObject() throws(JSONError) {
        try expect(.object, "an object")
        try open(.object(first: true))
    }

    /// The next key of the innermost object, whose value is then to be read or skipped; nil at the end,
    /// where the object is left.
    public mutating func nextKey() throws(JSONError) -> String? {
        guard try advanceToKey() else { return nil }
        let key = try readString()
        try passColon()
        return key
    }

    /// Like `nextKey()`, but appends the key's UTF-8 bytes to an array; false at the end.
    public mutating func nextKey(into key: inout [UInt8]) throws(JSONError) -> Bool {
        guard try advanceToKey() else { return false }
        try readString(into: &key)
        try passColon()
        return true
    }

    /// Refuses anything but blanks after the value that was read.
    public mutating func finish() throws(JSONError) {
        guard frames.isEmpty else { throw error("the value has not been read to its end") }
        skipBlanks()
        guard offset == bytes.count else { throw error("\(describeByte()) after the end of the value") }
    }

    // MARK: Plain values

    /// Reads `true` or `false`.
    public mutating func readBool() throws(JSONError) -> Bool {
        try expect(.bool, "a boolean")
        if byte() == UInt8(ascii: "t") {
            try pass("true")
            return true
        }
        try pass("false")
        return false
    }

    /// Reads `null`.
    public mutating func readNull() throws(JSONError) {
        try expect(.null, "null")
        try pass("null")
    }

    /// Reads a string.
    public mutating func readString() throws(JSONError) -> String {
        var text: [UInt8] = []
        try readString(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a string and appends its UTF-8 bytes to an array.
    public mutating func readString(into text: inout [UInt8]) throws(JSONError) {
        try expect(.string, "a string")
        try scanString(into: &text)
    }

    /// Reads a number that has no fraction and fits 64 bits.
    public mutating func readInteger() throws(JSONError) -> Int64 {
        let start = offset
        if case .integer(let value) = try readNumber() { return value }
        offset = start
        throw error("a number where an integer of 64 bits was expected")
    }

    /// Reads a number as a double, integers included.
    public mutating func readDouble() throws(JSONError) -> Double {
        switch try readNumber() {
        case .integer(let value): return Double(value)
        case .number(let value): return value
        default: throw error("a number was expected")
        }
    }

    /// Reads past the next value, whatever it is, checking it on the way.
    public mutating func skipValue() throws(JSONError) {
        var ignored: [UInt8] = []
        let outer = frames.count
        repeat {
            if frames.count > outer {
                ignored.removeAll(keepingCapacity: true)
                let more =
                    if case .object = frames.last { try nextKey(into: &ignored) } else { try nextElement() }
                if !more { continue }
            }
            switch try peek() {
            case .null: try readNull()
            case .bool: _ = try readBool()
            case .number: _ = try readNumber()
            case .string:
                ignored.removeAll(keepingCapacity: true)
                try readString(into: &ignored)
            case .array: try beginArray()
            case .object: try beginObject()
            }
        } while frames.count > outer
    }

    // MARK: Errors

    /// An error at the place reached, for a caller that finds the value itself wrong.
    public func error(_ message: String) -> JSONError {
        JSONError(message, at: offset, in: bytes)
    }

    /// The byte reached, in words.
    func describeByte() -> String {
        guard offset < bytes.count else { return "the text ends" }
        let byte = bytes[offset]
        if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
        return "byte 0x" + String(byte, radix: 16)
    }
}

// MARK: - Structure

extension JSONScanner {
    func byte() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private func checkSize() throws(JSONError) {
        guard bytes.count <= limits.bytes else {
            throw error("the text has \(bytes.count) bytes, more than the limit of \(limits.bytes)")
        }
    }

    mutating func expect(_ kind: Kind, _ name: String) throws(JSONError) {
        guard try peek() == kind else { throw error("\(describeByte()) where \(name) was expected") }
    }

    private mutating func open(_ frame: Frame) throws(JSONError) {
        guard frames.count < limits.depth else {
            throw error("nested deeper than the limit of \(limits.depth)")
        }
        frames.append(frame)
        offset += 1
    }

    private mutating func close() {
        frames.removeLast()
        offset += 1
    }

    private mutating func advanceToKey() throws(JSONError) -> Bool {
        guard case .object(let first) = frames.last else { throw error("no object is open here") }
        skipBlanks()
        if byte() == UInt8(ascii: "}") {
            close()
            return false
        }
        if !first { try passComma(before: "}") }
        frames[frames.count - 1] = .object(first: false)
        skipBlanks()
        guard byte() == UInt8(ascii: "\"") else { throw error("\(describeByte()) where a key was expected") }
        return true
    }

    private mutating func passComma(before end: Character) throws(JSONError) {
        guard byte() == UInt8(ascii: ",") else {
            throw error("\(describeByte()) where ',' or '\(end)' was expected")
        }
        offset += 1
        skipBlanks()
        if let next = byte(), next == end.asciiValue { throw error("'\(end)' right after ','") }
    }

    private mutating func passColon() throws(JSONError) {
        skipBlanks()
        guard byte() == UInt8(ascii: ":") else { throw error("\(describeByte()) where ':' was expected") }
        offset += 1
    }

    private mutating func pass(_ word: String) throws(JSONError) {
        let start = offset
        for expected in word.utf8 {
            guard byte() == expected else {
                offset = start
                throw error("\(describeByte()) where a value was expected; did you mean \(word)?")
            }
            offset += 1
        }
    }
}
