import CorvidTensors

/// A named tensor of a PyTorch checkpoint, its place checked.
struct PyTorchTensor: Sendable {
    let name: String
    let type: SafetensorsType
    let shape: [Int]
    /// In elements.
    let strides: [Int]
    /// Of the first element, from the start of the file.
    let offset: Int
    /// Bytes of the tensor.
    let byteCount: Int
    /// Bytes from the first element to the end of the last, which differ from ``byteCount`` unless
    /// ``isContiguous``.
    let extent: Int
    /// Whether the numbers lie in the order of the shape, without gaps.
    let isContiguous: Bool

    /// - Throws: ``FormatError`` unless the view lies in its storage.
    init(
        name: String, _ view: PickleHeap.Tensor, in storage: PyTorchContainer.Extent, file: String
    ) throws {
        guard let byteCount = view.type.byteCount(shape: view.shape) else {
            throw FormatError.shape(
                file: file, tensor: name, found: "\(view.shape)", expected: "a size of less than 2^63 bits")
        }
        let size = view.type.byteSize
        guard let extent = Self.elements(view).flatMap({ CheckedArithmetic.product($0, size) }),
            let start = CheckedArithmetic.product(view.offset, size),
            CheckedArithmetic.end(offset: start, count: extent, within: storage.byteCount) != nil,
            let offset = CheckedArithmetic.sum(storage.offset, start)
        else {
            throw FormatError.view(
                file: file, tensor: name, offset: view.offset, shape: view.shape, strides: view.strides,
                bound: storage.byteCount / max(1, size))
        }
        self.name = name
        type = view.type
        shape = view.shape
        strides = view.strides
        self.offset = offset
        self.byteCount = byteCount
        self.extent = extent
        isContiguous = Self.isContiguous(view)
    }

    /// Elements of the storage from the first to the last that the view reaches; nil if that does not fit.
    private static func elements(_ view: PickleHeap.Tensor) -> Int? {
        guard !view.shape.contains(0) else { return 0 }
        var last = 0
        for (size, stride) in zip(view.shape, view.strides) {
            guard let reach = CheckedArithmetic.product(size - 1, stride),
                let sum = CheckedArithmetic.sum(last, reach)
            else { return nil }
            last = sum
        }
        return CheckedArithmetic.sum(last, 1)
    }

    private static func isContiguous(_ view: PickleHeap.Tensor) -> Bool {
        guard !view.shape.contains(0) else { return true }
        var expected = 1
        // The product of the shape fits, as its bytes do. The stride of an axis of size 1 does not matter.
        for (size, stride) in zip(view.shape, view.strides).reversed() where size != 1 {
            guard stride == expected, let next = CheckedArithmetic.product(expected, size) else {
                return false
            }
            expected = next
        }
        return true
    }

    /// Throws if tensors that must be copied have more bytes together than the file: a few numbers that a
    /// view repeats could fill any memory. Several names of one view count once.
    static func checkCopies(_ tensors: [PyTorchTensor], fileBytes: Int, file: String) throws {
        struct View: Hashable {
            let offset: Int
            let type: String
            let shape: [Int]
            let strides: [Int]
        }
        var seen: Set<View> = []
        var total = 0
        for tensor in tensors where !tensor.isContiguous {
            let view = View(
                offset: tensor.offset, type: tensor.type.name, shape: tensor.shape, strides: tensor.strides)
            guard seen.insert(view).inserted else { continue }
            total = CheckedArithmetic.sum(total, tensor.byteCount) ?? Int.max
            guard total <= fileBytes else {
                throw FormatError.limit(
                    file: file,
                    item: "the size of views that must be copied, with tensor "
                        + FormatError.shown(tensor.name),
                    found: UInt64(total), limit: fileBytes)
            }
        }
    }
}
