import CorvidTensors

/// A safetensors checkpoint of one file, mapped.
///
/// Opening checks the whole header (JSON without repeated keys; every tensor's bytes are as many as its shape
/// and type need; all together cover the data without hole or overlap) and reads no tensor. Tensors of types
/// that Corvid cannot compute with are listed; asking for one throws.
///
/// Source: the format description of the safetensors library. Stricter than version 0.8 of the library in
/// three things: the header begins with `{` at once, no key occurs twice, and zero sizes do not excuse an
/// overflow of the others.
public struct SafetensorsFile: TensorSource {
    /// What is read at most.
    public enum Limits {
        public static let headerBytes = 100_000_000
        public static let axes = 64
    }

    public let path: String
    /// The texts under `__metadata__`.
    public let metadata: [String: String]
    /// In the order of their data.
    public let names: [String]
    private let bytes: Bytes
    private let items: [String: SafetensorsHeader.Item]
    private let mapping: MappedFile?

    /// Maps the file at `path`.
    /// - Throws: ``FormatError``, `MemoryError`.
    public init(path: String) throws {
        let mapping = try MappedFile(path: path)
        try self.init(bytes: mapping.bytes, path: path, mapping: mapping)
    }

    /// A whole file in memory. `path` is for messages only.
    /// - Throws: ``FormatError``.
    public init(bytes: Bytes, path: String) throws {
        try self.init(bytes: bytes, path: path, mapping: nil)
    }

    private init(bytes: Bytes, path: String, mapping: MappedFile?) throws {
        let header = try SafetensorsHeader(bytes: bytes, path: path)
        self.path = path
        self.bytes = bytes
        self.mapping = mapping
        metadata = header.metadata
        names = header.items.map(\.name)
        items = Dictionary(header.items.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public var entries: [TensorEntry] { names.compactMap(entry) }

    public func entry(named name: String) -> TensorEntry? {
        guard let item = items[name] else { return nil }
        return TensorEntry(
            name: name, typeName: item.type.name, type: item.type.type, shape: item.shape,
            byteCount: item.byteCount, file: path)
    }

    public func tensor(named name: String) throws -> Tensor? {
        guard let item = items[name] else { return nil }
        guard let type = item.type.type else {
            throw FormatError.elementType(file: path, tensor: name, found: item.type.name)
        }
        guard let data = bytes.slice(offset: item.offset, count: item.byteCount) else {
            throw FormatError.range(
                file: path, tensor: name, offset: UInt64(item.offset), count: UInt64(item.byteCount),
                bound: bytes.count)
        }
        return try Tensor(type: type, shape: item.shape, bytes: data)
    }

    public func checkSize() throws { try mapping?.checkSize() }
}
