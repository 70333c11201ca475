/// The calls that make storages and tensors: what Python's functions of these names make, as plain values.
///
/// Source: `torch/_utils.py` and `torch/serialization.py` of PyTorch 2.9.
extension PickleMachine {
    /// A storage by its description: ('storage', type, key, device, elements), and None in old files.
    mutating func storage(_ operands: [PickleValue]) throws -> PickleValue {
        let expected = "('storage', type, key, device, number of elements)"
        guard case .tuple(let index) = operands[0] else {
            throw refuse(operands[0].kind, expected: expected)
        }
        var items = heap.items(index)
        if items.count == 6, case .none = items[5] { items.removeLast() }
        guard items.count == 5, case .text("storage") = items[0], case .name(let name) = items[1],
            case .text(let key) = items[2], case .text = items[3], case .integer(let count) = items[4],
            count >= 0
        else {
            let found = items.prefix(8).map(\.kind).joined(separator: ", ")
            throw refuse("(\(found)\(items.count > 8 ? ", ..." : ""))", expected: expected)
        }
        let storage: PickleHeap.Storage
        switch name {
        case .storage(let type): storage = PickleHeap.Storage(key: key, type: type, count: count)
        case .bytes: storage = PickleHeap.Storage(key: key, type: nil, count: count)
        default: throw refuse(name.kind, expected: "a storage type")
        }
        if let index = heap.storageOfKey[key] {
            let first = heap.storages[index]
            guard first.count == count, first.type?.name == storage.type?.name else {
                throw refuse(
                    "\(count) elements of \(storage.typeName) in storage '\(FormatError.shown(key))'",
                    expected: "\(first.count) of \(first.typeName) as before")
            }
            return .storage(index)
        }
        heap.storageOfKey[key] = heap.storages.count
        heap.storages.append(storage)
        return .storage(heap.storages.count - 1)
    }

    mutating func call(_ operands: [PickleValue]) throws -> PickleValue {
        guard case .name(let function) = operands[0], case .tuple(let index) = operands[1] else {
            throw refuse(
                "\(operands[0].kind) called with \(operands[1].kind)", expected: "a function and a tuple")
        }
        let arguments = heap.items(index)
        switch function {
        case .orderedDictionary:
            guard arguments.isEmpty else { throw wrong(arguments, "OrderedDict()") }
            return try orderedDictionary()
        case .tensor: return try tensor(arguments)
        case .typedTensor: return try typedTensor(arguments)
        case .parameter:
            let expected = "_rebuild_parameter(tensor, a bool, no hooks)"
            guard arguments.count == 3, case .tensor = arguments[0], case .bool = arguments[1],
                isEmpty(arguments[2])
            else { throw wrong(arguments, expected) }
            return arguments[0]
        case .size:
            guard arguments.count == 1, case .tuple = arguments[0] else {
                throw wrong(arguments, "torch.Size(tuple)")
            }
            return arguments[0]
        case .storage, .bytes, .type:
            throw refuse("\(function.kind) called", expected: "a function")
        }
    }

    private func wrong(_ arguments: [PickleValue], _ expected: String) -> FormatError {
        let kinds = arguments.prefix(8).map(\.kind).joined(separator: ", ")
        return refuse(
            "(\(kinds)\(arguments.count > 8 ? ", ..." : "")) as arguments", expected: expected)
    }

    private mutating func tensor(_ arguments: [PickleValue]) throws -> PickleValue {
        let expected =
            "_rebuild_tensor_v2(typed storage, offset, shape, as many strides, a bool, no hooks)"
        guard arguments.count == 6 || arguments.count == 7 && isEmpty(arguments[6]),
            case .storage(let storage) = arguments[0], let type = heap.storages[storage].type,
            let view = view(arguments, type: type)
        else { throw wrong(arguments, expected) }
        return add(view)
    }

    private mutating func typedTensor(_ arguments: [PickleValue]) throws -> PickleValue {
        let expected =
            "_rebuild_tensor_v3(storage of bytes, offset, shape, as many strides, a bool, no hooks, dtype)"
        guard arguments.count == 7 || arguments.count == 8 && isEmpty(arguments[7]),
            case .storage(let storage) = arguments[0], heap.storages[storage].type == nil,
            case .name(.type(let type)) = arguments[6], let view = view(arguments, type: type)
        else { throw wrong(arguments, expected) }
        return add(view)
    }

    private mutating func add(_ view: PickleHeap.Tensor) -> PickleValue {
        heap.tensors.append(view)
        return .tensor(heap.tensors.count - 1)
    }

    /// The first six arguments, which all ways to make a tensor share.
    private func view(_ arguments: [PickleValue], type: SafetensorsType) -> PickleHeap.Tensor? {
        guard arguments.count >= 6, case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], offset >= 0, let shape = sizes(arguments[2]),
            let strides = sizes(arguments[3]), shape.count == strides.count, case .bool = arguments[4],
            isEmpty(arguments[5])
        else { return nil }
        return PickleHeap.Tensor(
            storage: storage, type: type, offset: offset, shape: shape, strides: strides)
    }

    /// A tuple of a few integers that are not negative.
    private func sizes(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let index) = value else { return nil }
        let items = heap.items(index)
        guard items.count <= PyTorchFile.Limits.axes else { return nil }
        var sizes: [Int] = []
        for item in items {
            guard case .integer(let size) = item, size >= 0 else { return nil }
            sizes.append(size)
        }
        return sizes
    }

    /// No hooks, no attributes: None or an empty dict. Others would change the tensor.
    private func isEmpty(_ value: PickleValue) -> Bool {
        switch value {
        case .none: true
        case .dictionary(let index): heap.items(index).isEmpty
        default: false
        }
    }
}

extension PickleHeap.Storage {
    /// For messages.
    var typeName: String { type?.name ?? "bytes" }
}
