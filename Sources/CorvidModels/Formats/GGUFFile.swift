import CorvidTensors

/// A GGUF checkpoint (versions 2 and 3, little-endian): one mapped file, or all parts of a split one.
///
/// Opening checks every count, name, type, shape and extent, and reads no tensor. Metadata values are decoded
/// when asked for. Tensors of types that Corvid cannot compute with are listed; asking for one throws.
///
/// Source: the GGUF specification of the ggml project.
public struct GGUFFile: TensorSource {
    /// What is read at most.
    public enum Limits {
        public static let tensors = 100_000
        public static let keys = 100_000
        public static let keyBytes = 65_535
        public static let tensorNameBytes = 64
        public static let axes = 4
        public static let parts = 10_000
    }

    /// The file that was asked for.
    public let path: String
    public let names: [String]
    private let parts: [GGUFPart]
    private let index: [String: Location]
    private let mappings: [MappedFile]

    private struct Location: Sendable {
        let part: Int
        let tensor: Int
    }

    /// Opens `path`, and the other parts beside it if it is one of `NAME-00001-of-0000N.gguf`.
    /// - Throws: ``FormatError``, `MemoryError`.
    public init(path: String) throws {
        let mapping = try MappedFile(path: path)
        let first = try GGUFPart(bytes: mapping.bytes, path: path)
        guard let split = try GGUFSplit(first) else {
            try self.init(path: path, parts: [first], mappings: [mapping])
            return
        }
        var parts: [GGUFPart] = []
        var mappings: [MappedFile] = []
        for (number, partPath) in split.paths.enumerated() {
            let partMapping = number == split.number ? mapping : try MappedFile(path: partPath)
            let part = number == split.number ? first : try GGUFPart(bytes: partMapping.bytes, path: partPath)
            try split.check(part, number: number)
            parts.append(part)
            mappings.append(partMapping)
        }
        try split.check(tensorCount: parts.reduce(0) { $0 + $1.tensors.count })
        try self.init(path: path, parts: parts, mappings: mappings)
    }

    /// A whole checkpoint in memory. `path` is for messages only.
    /// - Throws: ``FormatError``.
    public init(bytes: Bytes, path: String) throws {
        try self.init(path: path, parts: [GGUFPart(bytes: bytes, path: path)], mappings: [])
    }

    private init(path: String, parts: [GGUFPart], mappings: [MappedFile]) throws {
        var names: [String] = []
        var index: [String: Location] = [:]
        for (partNumber, part) in parts.enumerated() {
            for (tensorNumber, tensor) in part.tensors.enumerated() {
                let location = Location(part: partNumber, tensor: tensorNumber)
                guard index.updateValue(location, forKey: tensor.name) == nil else {
                    throw FormatError.duplicate(
                        file: part.path, item: "tensor \(FormatError.shown(tensor.name))")
                }
                names.append(tensor.name)
            }
        }
        self.path = path
        self.parts = parts
        self.names = names
        self.index = index
        self.mappings = mappings
    }

    /// The format version.
    public var version: Int { metadataPart?.version ?? 0 }
    /// Bytes to a multiple of which tensors are aligned.
    public var alignment: Int { metadataPart?.alignment ?? 0 }
    /// Paths of all parts, in order.
    public var files: [String] { parts.map(\.path) }
    /// The keys of the metadata, in file order.
    public var keys: [String] { metadataPart?.keys ?? [] }
    /// The first part, which holds the metadata of a split checkpoint.
    var metadataPart: GGUFPart? { parts.first }

    public var entries: [TensorEntry] {
        parts.flatMap { part in part.tensors.map { Self.entry($0, in: part) } }
    }

    public func entry(named name: String) -> TensorEntry? {
        guard let found = location(of: name) else { return nil }
        return Self.entry(found.tensor, in: found.part)
    }

    public func tensor(named name: String) throws -> Tensor? {
        guard let (part, tensor) = location(of: name) else { return nil }
        guard let type = tensor.type.type else {
            throw FormatError.elementType(file: part.path, tensor: name, found: tensor.type.name)
        }
        guard let bytes = part.bytes.slice(offset: tensor.offset, count: tensor.byteCount) else {
            throw FormatError.range(
                file: part.path, tensor: name, offset: tensor.storedOffset, count: UInt64(tensor.byteCount),
                bound: part.bytes.count)
        }
        return try Tensor(type: type, shape: tensor.shape, bytes: bytes)
    }

    public func checkSize() throws {
        for mapping in mappings { try mapping.checkSize() }
    }

    /// Asks the system to read all parts soon.
    public func prefetch() {
        for mapping in mappings { mapping.prefetch() }
    }

    private func location(of name: String) -> (part: GGUFPart, tensor: GGUFTensor)? {
        guard let location = index[name], parts.indices.contains(location.part) else { return nil }
        let part = parts[location.part]
        guard part.tensors.indices.contains(location.tensor) else { return nil }
        return (part, part.tensors[location.tensor])
    }

    private static func entry(_ tensor: GGUFTensor, in part: GGUFPart) -> TensorEntry {
        TensorEntry(
            name: tensor.name, typeName: tensor.type.name, type: tensor.type.type, shape: tensor.shape,
            byteCount: tensor.byteCount, file: part.path)
    }
}
