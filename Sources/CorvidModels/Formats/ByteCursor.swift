import CorvidTensors

/// Reads little-endian fields one after another. A read past the end throws and names the field.
struct ByteCursor {
    let bytes: Bytes
    let file: String
    private(set) var offset = 0

    init(_ bytes: Bytes, file: String, offset: Int = 0) {
        self.bytes = bytes
        self.file = file
        self.offset = offset
    }

    /// Bytes after the cursor.
    var remaining: Int { bytes.count - offset }

    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ item: @autoclosure () -> String, as type: T.Type = T.self
    ) throws -> T {
        guard let value = bytes.integer(at: offset, as: T.self) else {
            throw truncated(item(), needed: UInt64(MemoryLayout<T>.size))
        }
        try advance(by: MemoryLayout<T>.size, item())
        return value
    }

    /// Moves on by `count` bytes, which must exist.
    mutating func advance(by count: Int, _ item: @autoclosure () -> String) throws {
        guard let end = CheckedArithmetic.end(offset: offset, count: count, within: bytes.count) else {
            throw truncated(item(), needed: UInt64(max(count, 0)))
        }
        offset = end
    }

    /// The extent of a text that follows its length in 64 bits, without reading the text.
    mutating func textExtent(_ item: @autoclosure () -> String) throws -> (offset: Int, count: Int) {
        let length = try integer("the length of \(item())", as: UInt64.self)
        guard let count = CheckedArithmetic.size(length), count <= remaining else {
            throw truncated(item(), needed: length)
        }
        let start = offset
        try advance(by: count, item())
        return (start, count)
    }

    /// A text of at most `limit` bytes after its length in 64 bits.
    mutating func text(_ item: @autoclosure () -> String, limit: Int) throws -> String {
        guard let length = bytes.integer(at: offset, as: UInt64.self) else {
            throw truncated("the length of \(item())", needed: 8)
        }
        guard length <= UInt64(limit) else {
            throw FormatError.limit(file: file, item: "the length of \(item())", found: length, limit: limit)
        }
        let extent = try textExtent(item())
        guard let text = bytes.string(offset: extent.offset, count: extent.count) else {
            throw FormatError.text(file: file, item: item(), offset: extent.offset)
        }
        return text
    }

    func truncated(_ item: String, needed: UInt64) -> FormatError {
        .truncated(file: file, item: item, offset: offset, needed: needed, available: remaining)
    }
}
