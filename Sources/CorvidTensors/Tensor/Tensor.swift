import CorvidKernels

/// An immutable array of numbers, row-major, in a mapped file or in memory.
public struct Tensor: Sendable {
    public let type: DType
    /// Sizes from the outermost to the innermost (contiguous) axis.
    public let shape: [Int]
    public let bytes: Bytes
    /// For weights of type `i8` the factor of each row, `[rows]`.
    public private(set) var rowScales: Vector?

    /// - Throws: ``TensorError`` if blocks do not divide the innermost axis, or the bytes do not fit the shape.
    public init(type: DType, shape: [Int], bytes: Bytes) throws {
        let expected = try Self.byteCount(type: type, shape: shape)
        guard expected == bytes.count else {
            throw TensorError.size(type: type, shape: shape, expected: expected, found: bytes.count)
        }
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// A tensor of f32 values in memory of its own.
    public init(_ values: [Float], shape: [Int]) throws {
        let buffer = try AlignedBuffer(byteCount: values.count * 4)
        values.withUnsafeBytes { source in
            if let start = source.baseAddress { buffer.base.copyMemory(from: start, byteCount: source.count) }
        }
        let bytes = Bytes(owner: buffer, base: UnsafeRawPointer(buffer.base), count: values.count * 4)
        try self.init(type: .f32, shape: shape, bytes: bytes)
    }

    /// The matrix with int8 rows whose values are scale · integer, rounded once.
    /// - Parameter scales: finite factors, one for each row.
    /// - Throws: ``TensorError`` if this is no int8 matrix of so many rows.
    public func scaled(byRows scales: Vector) throws -> Tensor {
        guard type == .i8, shape.count == 2, rows == scales.count else {
            throw TensorError.scales(type: type, shape: shape, found: scales.count)
        }
        var copy = self
        copy.rowScales = scales
        return copy
    }

    /// Whether the numbers can be weights: `i8` only with scales.
    public var holdsWeights: Bool { type.holdsWeights || rowScales != nil }

    /// Bytes that a tensor of this type and shape has, checked for overflow.
    public static func byteCount(type: DType, shape: [Int]) throws -> Int {
        let columns = shape.last ?? 1
        guard shape.allSatisfy({ $0 >= 0 }), let rowBytes = type.rowBytes(columns: columns) else {
            throw TensorError.blocks(type: type, shape: shape)
        }
        // Sizes of 0 must not hide an overflow of the others: elements are counted with at least 1 each.
        var bytes = rowBytes
        var elements = max(1, columns)
        for size in shape.dropLast() {
            let (byteProduct, byteOverflow) = bytes.multipliedReportingOverflow(by: size)
            let (product, overflow) = elements.multipliedReportingOverflow(by: max(1, size))
            guard !byteOverflow, !overflow else { throw TensorError.blocks(type: type, shape: shape) }
            bytes = byteProduct
            elements = product
        }
        return bytes
    }

    /// Number of elements. Cannot overflow: `init` refuses such shapes.
    public var count: Int { shape.reduce(1, *) }
    /// Product of all axes but the last.
    public var rows: Int { shape.dropLast().reduce(1, *) }
    /// Size of the innermost axis.
    public var columns: Int { shape.last ?? 1 }

    /// The values as f32, exactly dequantised; for small tensors.
    /// - Throws: ``TensorError/notWeights(type:)`` for integer types.
    public func floats() throws -> [Float] {
        if type == .f64 {
            return (0..<count).map { index in
                Float(Double(bitPattern: bytes.integer(at: index * 8, as: UInt64.self) ?? 0))
            }
        }
        if rowScales != nil {
            return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                if let out = buffer.baseAddress {
                    for row in 0..<rows { dequantize(row: row, into: out + row * columns) }
                }
                initialized = count
            }
        }
        guard let kernelType = type.kernelType else { throw TensorError.notWeights(type: type) }
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let out = buffer.baseAddress { ck_dequantize(kernelType, count, bytes.base, out) }
            initialized = count
        }
    }

    /// The rows `range` of a matrix `[rows, columns]`, sharing memory.
    public func rows(_ range: Range<Int>) throws -> Tensor {
        guard range.lowerBound >= 0, range.upperBound <= rows, let rowBytes = type.rowBytes(columns: columns),
            let part = bytes.slice(offset: range.lowerBound * rowBytes, count: range.count * rowBytes)
        else {
            throw TensorError.blocks(type: type, shape: shape)
        }
        let result = try Tensor(type: type, shape: [range.count, columns], bytes: part)
        guard let rowScales else { return result }
        return try result.scaled(byRows: Vector(Array(rowScales.values[range])))
    }

    /// Lets the system take back the memory of a mapped file's pages that hold this tensor. They are read again
    /// when they are used.
    public func releasePages() { bytes.releasePages() }

    /// Writes the values of one row, or of `part` of its columns, which begins and ends with blocks.
    func dequantize(row: Int, columns part: Range<Int>? = nil, into out: UnsafeMutablePointer<Float>) {
        let part = part ?? 0..<columns
        guard let rowBytes = type.rowBytes(columns: columns) else { return }
        let start = bytes.base + row * rowBytes + part.lowerBound / type.blockSize * type.blockBytes
        if let rowScales {
            ck_dequantize_row_int8(
                part.count, start.assumingMemoryBound(to: Int8.self), rowScales.pointer[row], out)
        } else if let kernelType = type.kernelType {
            ck_dequantize(kernelType, part.count, start, out)
        }
    }
}

/// A tensor whose parts do not fit together.
public enum TensorError: Error, Equatable, CustomStringConvertible {
    case blocks(type: DType, shape: [Int])
    case size(type: DType, shape: [Int], expected: Int, found: Int)
    case notWeights(type: DType)
    case scales(type: DType, shape: [Int], found: Int)
    /// A view that leaves the bytes it is a view of.
    case view(type: DType, shape: [Int], strides: [Int], bytes: Int)

    public var description: String {
        switch self {
        case .blocks(let type, let shape):
            return
                "shape \(shape) cannot be stored as \(type.rawValue): the innermost size must be a multiple of "
                + "\(type.blockSize) and the whole must fit in memory"
        case .size(let type, let shape, let expected, let found):
            return "shape \(shape) of \(type.rawValue) needs \(expected) bytes, found \(found)"
        case .notWeights(let type):
            return "type \(type.rawValue) holds no weights; expected f32, f16, bf16 or a quantised type"
        case .scales(let type, let shape, let found):
            return
                "\(found) scales do not fit shape \(shape) of \(type.rawValue); expected one for each row of i8"
        case .view(let type, let shape, let strides, let bytes):
            return
                "a view of shape \(shape) of \(type.rawValue) with strides \(strides) does not lie in its "
                + "\(bytes) bytes"
        }
    }
}
