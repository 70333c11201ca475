/// Many byte strings in one array, as a tokenizer's pieces or merges lie in a file.
public struct ByteStrings: Sendable {
    /// All strings, one after the other.
    public private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    public init() {}

    /// Makes room at once, so that filling does not move what is there.
    public init(capacity count: Int, bytes: Int) {
        self.ends.reserveCapacity(count)
        self.bytes.reserveCapacity(bytes)
    }

    /// The UTF-8 bytes of some texts.
    public init(_ texts: [String]) {
        self.init(capacity: texts.count, bytes: texts.reduce(0) { $0 + $1.utf8.count })
        for text in texts { append(text.utf8) }
    }

    /// How many strings there are.
    public var count: Int { ends.count }

    /// Adds one string at the end.
    public mutating func append(_ string: some Sequence<UInt8>) {
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
    }

    /// Where in `bytes` the string with this index lies; empty for an index that is not there.
    public func range(_ index: Int) -> Range<Int> {
        guard ends.indices.contains(index) else { return 0..<0 }
        return (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    /// The string with this index; empty for an index that is not there.
    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }
}
