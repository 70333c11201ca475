extension Tensor {
    /// The elements of a view, copied into memory of their own in the order of `shape`.
    /// - Parameters:
    ///   - bytes: begin with the view's first element.
    ///   - strides: from one element to the next along each axis, in elements, at least 0.
    /// - Throws: ``TensorError`` if the view leaves `bytes` or the type comes in blocks, ``MemoryError``.
    public init(type: DType, shape: [Int], copying bytes: Bytes, strides: [Int]) throws {
        let byteCount = try Self.byteCount(type: type, shape: shape)
        let size = type.blockBytes
        guard !type.isBlock, strides.count == shape.count,
            Self.reach(shape: shape, strides: strides, elements: bytes.count / size)
        else {
            throw TensorError.view(type: type, shape: shape, strides: strides, bytes: bytes.count)
        }
        let buffer = try AlignedBuffer(byteCount: byteCount)
        if byteCount > 0 {
            switch size {
            case 1: Self.copy(as: UInt8.self, bytes, shape, strides, to: buffer)
            case 2: Self.copy(as: UInt16.self, bytes, shape, strides, to: buffer)
            case 4: Self.copy(as: UInt32.self, bytes, shape, strides, to: buffer)
            default: Self.copy(as: UInt64.self, bytes, shape, strides, to: buffer)
            }
        }
        try self.init(
            type: type, shape: shape,
            bytes: Bytes(owner: buffer, base: UnsafeRawPointer(buffer.base), count: byteCount))
    }

    /// Whether the last element of a view is one of the first `elements`.
    private static func reach(shape: [Int], strides: [Int], elements: Int) -> Bool {
        if shape.contains(0) { return true }
        var last = 0
        for (size, stride) in zip(shape, strides) {
            let (steps, isTooFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflow) = last.addingReportingOverflow(steps)
            guard stride >= 0, !isTooFar, !overflow else { return false }
            last = sum
        }
        return last < elements
    }

    /// Sound because `reach` has shown that every element lies in `bytes`, and `buffer` has room for as many as
    /// `shape` has.
    private static func copy<Element: FixedWidthInteger & BitwiseCopyable>(
        as type: Element.Type, _ bytes: Bytes, _ shape: [Int], _ strides: [Int], to buffer: AlignedBuffer
    ) {
        let size = MemoryLayout<Element>.size
        let columns = shape.last ?? 1
        let step = (strides.last ?? 1) * size
        let rows = shape.dropLast().reduce(1, *)
        var index = [Int](repeating: 0, count: max(0, shape.count - 1))
        var source = bytes.base
        var target = buffer.base
        for _ in 0..<rows {
            for column in 0..<columns {
                target.storeBytes(of: source.loadUnaligned(fromByteOffset: column * step, as: type), as: type)
                target += size
            }
            // The next row: one step along the innermost outer axis that has not come to its end.
            for axis in index.indices.reversed() {
                index[axis] += 1
                source += strides[axis] * size
                if index[axis] < shape[axis] { break }
                source -= strides[axis] * size * shape[axis]
                index[axis] = 0
            }
        }
    }
}
