import CorvidTensors

/// A checkpoint as `torch.save` writes it (pytorch_model.bin), mapped.
///
/// Such a file is a pickle, a program that could call anything; Corvid runs none of it. A small machine of
/// its own makes plain values by the instructions and names that saved weights need (<doc:FormatLimits>), and
/// refuses all others by name. Reads ZIP archives, and the stream of pickles that PyTorch wrote before
/// version 1.6.
///
/// Opening checks that every storage has its bytes in the file and every tensor its numbers in its storage,
/// and reads no tensor. A tensor whose numbers lie in order shares the mapping, others (a transposed one) are
/// copied when they are asked for. Types are listed under the names that safetensors has for them.
///
/// Source: `torch/serialization.py` of PyTorch 2.9.
public struct PyTorchFile: TensorSource {
    /// What is read at most.
    public enum Limits {
        public static let entries = 100_000
        public static let entryNameBytes = 1_024
        public static let pickleBytes = 64 << 20
        public static let values = 4_000_000
        public static let stack = 1_000_000
        public static let memo = 1_000_000
        public static let depth = 100
        public static let textBytes = 1 << 20
        public static let nameBytes = 255
        public static let axes = 64
    }

    public let path: String
    /// In the order of the state dict.
    public let names: [String]
    private let bytes: Bytes
    private let items: [String: PyTorchTensor]
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
        let container = try PyTorchContainer(bytes, file: path)
        let heap = container.pickle.heap
        let weights = try StateDictionary.tensors(of: container.pickle, file: path)
        let tensors = try weights.map { name, tensor in
            let view = heap.tensors[tensor]
            return try PyTorchTensor(name: name, view, in: container.storages[view.storage], file: path)
        }
        try PyTorchTensor.checkCopies(tensors, fileBytes: bytes.count, file: path)
        self.path = path
        self.bytes = bytes
        self.mapping = mapping
        names = tensors.map(\.name)
        items = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
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
        guard let data = bytes.slice(offset: item.offset, count: item.extent) else {
            throw FormatError.range(
                file: path, tensor: name, offset: UInt64(item.offset), count: UInt64(item.extent),
                bound: bytes.count)
        }
        guard !item.isContiguous else { return try Tensor(type: type, shape: item.shape, bytes: data) }
        return try Tensor(type: type, shape: item.shape, copying: data, strides: item.strides)
    }

    public func checkSize() throws { try mapping?.checkSize() }
}
