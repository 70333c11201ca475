/// Bounds within which JSON from outside is read; beyond them reading ends with a `JSONError`.
public struct JSONLimits: Sendable, Equatable {
    /// Greatest nesting of arrays and objects, at most `greatestDepth`.
    public var depth: Int
    /// Greatest number of values in a tree, so that memory stays in proportion.
    public var values: Int
    /// Greatest length of the text in bytes.
    public var bytes: Int

    /// No reader nests deeper than this, whatever it is asked for: trees are freed by recursion.
    public static let greatestDepth = 512

    public init(depth: Int = 64, values: Int = 4_000_000, bytes: Int = 1 << 30) {
        self.depth = Swift.min(depth, Self.greatestDepth)
        self.values = values
        self.bytes = bytes
    }
}

/// What to do with a key that occurs twice in one object.
public enum JSONDuplicateKeys: Sendable, Equatable {
    /// Reading ends with an error.
    case refuse
    /// The last value counts, at the place of the first.
    case keepLast
}

/// Why a text is not acceptable JSON, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was found and what was expected.
    public let message: String
    /// Where, in bytes from the start.
    public let offset: Int
    /// Where, as a line counted from 1.
    public let line: Int
    /// Where in the line, in bytes counted from 1.
    public let column: Int

    public init(message: String, offset: Int, line: Int, column: Int) {
        self.message = message
        self.offset = offset
        self.line = line
        self.column = column
    }

    init(_ message: String, at offset: Int, in bytes: [UInt8]) {
        let before = bytes.prefix(offset)
        let newline = UInt8(ascii: "\n")
        let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        self.init(
            message: message, offset: offset,
            line: before.count(where: { $0 == newline }) + 1, column: offset - lineStart + 1)
    }

    public var description: String { "line \(line), column \(column): \(message)" }
}
