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

    /// All of `other`, its fields and texts with it.
    public mutating func append(_ other: ByteWriter) {
        let start = bytes.count
        fields += other.fields.map { Field(offset: start + $0.offset, width: $0.width, meaning: $0.meaning) }
        texts += other.texts.map { start + $0.lowerBound..<start + $0.upperBound }
        bytes += other.bytes
    }

    public mutating func raw(_ value: [UInt8]) { bytes += value }

    public mutating func pad(to alignment: Int) {
        bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }
}
