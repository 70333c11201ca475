/// A value that a pickle makes. Containers are numbers of places in a ``PickleHeap``, so that no nesting or
/// cycle of a file can become one of objects.
enum PickleValue: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float
    /// An integer of more than 64 bits, as hexadecimal digits from the lowest byte on.
    case longInteger(String)
    case text(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case name(PickleName)
    case storage(Int)
    case tensor(Int)

    /// For messages.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a bool"
        case .integer, .longInteger: "an integer"
        case .float: "a float"
        case .text: "a text"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dict"
        case .name(let name): name.kind
        case .storage: "a storage"
        case .tensor: "a tensor"
        }
    }

    /// Whether it may be a key of a dict.
    var isKey: Bool {
        switch self {
        case .none, .bool, .integer, .float, .longInteger, .text, .tuple: true
        default: false
        }
    }
}

/// The names that a pickle of weights may import. None of them runs code of the file.
enum PickleName: Sendable {
    /// `collections.OrderedDict`.
    case orderedDictionary
    /// `torch._utils._rebuild_tensor_v2`: a view of a storage with a type.
    case tensor
    /// `torch._utils._rebuild_tensor_v3`: a view of bytes, which brings its type.
    case typedTensor
    /// `torch._utils._rebuild_parameter`: a tensor that was trained.
    case parameter
    /// `torch.Size`.
    case size
    /// `torch.FloatStorage` and the like.
    case storage(SafetensorsType)
    /// `torch.storage.UntypedStorage`.
    case bytes
    /// `torch.float32` and the like.
    case type(SafetensorsType)

    var kind: String {
        switch self {
        case .orderedDictionary: "OrderedDict"
        case .tensor: "_rebuild_tensor_v2"
        case .typedTensor: "_rebuild_tensor_v3"
        case .parameter: "_rebuild_parameter"
        case .size: "torch.Size"
        case .storage, .bytes: "a storage type"
        case .type: "a dtype"
        }
    }

    /// nil if nothing of that name belongs to weights.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .tensor
        case ("torch._utils", "_rebuild_tensor_v3"): self = .typedTensor
        case ("torch._utils", "_rebuild_parameter"): self = .parameter
        case ("torch", "Size"): self = .size
        case ("torch.storage", "UntypedStorage"): self = .bytes
        case ("torch", _):
            if let type = Self.storages[name].flatMap({ SafetensorsType.table[$0] }) {
                self = .storage(type)
            } else if let type = Self.types[name].flatMap({ SafetensorsType.table[$0] }) {
                self = .type(type)
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// PyTorch's storage types under the names that safetensors has for their elements.
    private static let storages = [
        "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
        "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8",
        "ByteStorage": "U8", "BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
    ]

    private static let types = [
        "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
        "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16",
        "uint32": "U32", "uint64": "U64", "complex64": "C64", "float8_e4m3fn": "F8_E4M3",
        "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0", "float8_e4m3fnuz": "F8_E4M3FNUZ",
        "float8_e5m2fnuz": "F8_E5M2FNUZ",
    ]
}

/// What the containers, storages and tensors of a pickle hold.
struct PickleHeap: Sendable {
    struct Container: Sendable {
        /// Of a dict key, value, key, value, ...
        var items: [PickleValue]
        /// 1 for a container without containers.
        var depth: Int
        /// Whether it is an OrderedDict, which may carry attributes.
        var isOrdered = false
    }

    /// A row of numbers or of bytes that tensors are views of.
    struct Storage: Sendable {
        let key: String
        /// nil for bytes.
        let type: SafetensorsType?
        /// Elements, or bytes if there is no type.
        let count: Int

        /// nil if the size does not fit.
        var byteCount: Int? { CheckedArithmetic.product(count, type.map(\.byteSize) ?? 1) }
    }

    /// A view of a storage as a pickle describes it. Sizes, strides and offset are in elements, none of them
    /// is negative, and there are as many strides as sizes; nothing else is checked.
    struct Tensor: Sendable {
        let storage: Int
        let type: SafetensorsType
        let offset: Int
        let shape: [Int]
        let strides: [Int]
    }

    /// The first is the empty tuple.
    var containers = [Container(items: [], depth: 1)]
    var storages: [Storage] = []
    var tensors: [Tensor] = []
    var storageOfKey: [String: Int] = [:]

    static let emptyTuple = PickleValue.tuple(0)

    func items(_ container: Int) -> [PickleValue] {
        containers.indices.contains(container) ? containers[container].items : []
    }

    /// Levels of containers in `value`.
    func depth(of value: PickleValue) -> Int {
        switch value {
        case .tuple(let index), .list(let index), .dictionary(let index):
            containers.indices.contains(index) ? containers[index].depth : 0
        default: 0
        }
    }

    /// Keys and values of a dict.
    func pairs(_ dictionary: Int) -> [(key: PickleValue, value: PickleValue)] {
        let items = items(dictionary)
        return stride(from: 0, to: items.count - 1, by: 2).map { (items[$0], items[$0 + 1]) }
    }
}
