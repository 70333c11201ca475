/// Collects little-endian fields, and remembers where each of them stands.
public struct ByteWriter: Sendable {
    /// One integer that the format gives a meaning.
    public struct Field: Sendable {
        public let offset: Int
        public let width: Int
        public let meaning: String
    }

    public private(set) var bytes: [UInt8] = []
    public private(set) var fields: [Field] = []
    /// Extents of texts.
    public private(set) var texts: [Range<Int>] = []

    public init() {}

    public mutating func integer(_ value: some FixedWidthInteger, _ meaning: String) {
        let width = value.bitWidth / 8
        fields.append(Field(offset: bytes.count, width: width, meaning: meaning))
        for byte in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }

    /// A text after its length in 64 bits.
    public mutating func text(_ value: String, _ meaning: String) { text(Array(value.utf8), meaning) }

    /// The same for bytes that may not be UTF-8.
    public mutating func text(_ value: [UInt8], _ meaning: String) {
        integer(UInt64(value.count), "length of \(meaning)")
        texts.append(bytes.count..<bytes.count + value.count)
        bytes += value
    }

    public mutating func raw(_ value: [UInt8]) { bytes += value }

    public mutating func pad(to alignment: Int) {
        bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }
}
