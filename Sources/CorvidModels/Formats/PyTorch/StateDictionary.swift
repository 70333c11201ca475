/// Which tensors of a pickle are the weights, and what they are called.
struct StateDictionary {
    /// Keys under which training programs keep the weights beside other things.
    private static let wrappers = ["state_dict", "model"]

    private let heap: PickleHeap
    private let file: String
    /// Containers that were seen to hold no tensor.
    private var plain: Set<Int> = []

    /// Names and numbers of tensors: of a dict with tensors, or of the one under `state_dict` or `model`.
    ///
    /// What else stands beside them must hold no tensor, so that no weight is lost without a word.
    /// - Throws: ``FormatError``.
    static func tensors(of pickle: Pickle, file: String) throws -> [(name: String, tensor: Int)] {
        var reader = Self(heap: pickle.heap, file: file)
        return try reader.read(pickle.value)
    }

    private init(heap: PickleHeap, file: String) {
        self.heap = heap
        self.file = file
    }

    private mutating func read(_ value: PickleValue) throws -> [(name: String, tensor: Int)] {
        guard case .dictionary(let dictionary) = value else {
            throw FormatError.weights(file: file, key: nil, found: value.kind)
        }
        let pairs = heap.pairs(dictionary)
        guard !pairs.contains(where: { Self.isTensor($0.value) }) else {
            return try tensors(pairs, below: nil)
        }
        let wrapped = pairs.compactMap { key, value -> (name: String, pairs: [Pair])? in
            guard case .text(let name) = key, Self.wrappers.contains(name),
                case .dictionary(let inner) = value
            else { return nil }
            return (name, heap.pairs(inner))
        }
        guard let wrapper = wrapped.first else {
            throw FormatError.weights(file: file, key: nil, found: "a dict without tensors")
        }
        guard wrapped.count == 1 else {
            throw FormatError.weights(file: file, key: wrapped[1].name, found: "another dict of weights")
        }
        for (key, value) in pairs {
            if case .text(wrapper.name) = key { continue }
            try checkPlain(key, value, below: nil)
        }
        return try tensors(wrapper.pairs, below: wrapper.name)
    }

    private typealias Pair = (key: PickleValue, value: PickleValue)

    private mutating func tensors(
        _ pairs: [Pair], below wrapper: String?
    ) throws -> [(name: String, tensor: Int)] {
        var result: [(name: String, tensor: Int)] = []
        var seen: Set<String> = []
        for (key, value) in pairs {
            guard case .tensor(let tensor) = value else {
                try checkPlain(key, value, below: wrapper)
                continue
            }
            guard case .text(let name) = key else {
                throw FormatError.weights(file: file, key: wrapper, found: "a tensor under \(key.kind)")
            }
            guard seen.insert(name).inserted else {
                throw FormatError.duplicate(file: file, item: "tensor \(FormatError.shown(name))")
            }
            result.append((name, tensor))
        }
        guard !result.isEmpty else {
            throw FormatError.weights(file: file, key: wrapper, found: "a dict without tensors")
        }
        return result
    }

    /// Throws if a value beside the weights holds tensors: it may be weights too.
    private mutating func checkPlain(_ key: PickleValue, _ value: PickleValue, below wrapper: String?) throws
    {
        guard holdsTensor(value) else { return }
        let name = if case .text(let text) = key { text } else { key.kind }
        let path = wrapper.map { $0 + "." + name } ?? name
        throw FormatError.weights(file: file, key: path, found: "\(value.kind) with tensors")
    }

    private static func isTensor(_ value: PickleValue) -> Bool {
        if case .tensor = value { true } else { false }
    }

    /// Visits each container once, whatever cycles there are.
    private mutating func holdsTensor(_ value: PickleValue) -> Bool {
        var open = [value]
        while let next = open.popLast() {
            switch next {
            case .tensor, .storage: return true
            case .tuple(let index), .list(let index), .dictionary(let index):
                if plain.insert(index).inserted { open += heap.items(index) }
            default: break
            }
        }
        return false
    }
}
