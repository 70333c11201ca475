/// A mutable f32 matrix `[rows, columns]`, a view into a buffer that it keeps alive.
///
/// Copies of the value share the numbers. Operations write into matrices; two threads never write the same
/// element at one time, since every operation divides its rows or columns among the workers.
public struct Matrix: @unchecked Sendable {
    private let owner: AnyObject
    let base: UnsafeMutablePointer<Float>
    public let rows: Int
    public let columns: Int
    /// Floats from one row to the next.
    public let stride: Int

    init(owner: AnyObject, base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
        self.owner = owner
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// A matrix of zeros in memory of its own.
    public init(rows: Int, columns: Int) throws {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, count < Int.max / 8 else { throw MemoryError.exhausted(bytes: Int.max) }
        let buffer = try AlignedBuffer(byteCount: count * MemoryLayout<Float>.stride)
        let base = buffer.base.bindMemory(to: Float.self, capacity: count)
        self.init(owner: buffer, base: base, rows: rows, columns: columns, stride: columns)
    }

    /// A matrix of the given values, row after row.
    public init(_ values: [Float], rows: Int, columns: Int) throws {
        precondition(values.count == rows * columns, "values must fill the matrix")
        try self.init(rows: rows, columns: columns)
        for (index, value) in values.enumerated() { base[index] = value }
    }

    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(
                row >= 0 && row < rows && column >= 0 && column < columns, "element outside the matrix")
            return base[row * stride + column]
        }
        nonmutating set {
            precondition(
                row >= 0 && row < rows && column >= 0 && column < columns, "element outside the matrix")
            base[row * stride + column] = newValue
        }
    }

    /// The rows `range`, sharing memory.
    public func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
        return Matrix(
            owner: owner, base: base + range.lowerBound * stride, rows: range.count, columns: columns,
            stride: stride)
    }

    /// The columns `range`, sharing memory.
    public func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns outside the matrix")
        return Matrix(
            owner: owner, base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// A copy of one row.
    public func row(_ index: Int) -> [Float] {
        precondition(index >= 0 && index < rows, "row outside the matrix")
        return [Float](UnsafeBufferPointer(start: base + index * stride, count: columns))
    }

    /// A copy of some columns of one row, in the order of `columns`.
    public func row(_ index: Int, columns list: [Int]) -> [Float] {
        precondition(index >= 0 && index < rows, "row outside the matrix")
        let start = base + index * stride
        return list.map { column in
            precondition(column >= 0 && column < columns, "column outside the matrix")
            return start[column]
        }
    }

    /// Writes one row.
    public func setRow(_ index: Int, to values: ArraySlice<Float>) {
        precondition(index >= 0 && index < rows && values.count == columns, "a row keeps its length")
        values.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { (base + index * stride).update(from: start, count: columns) }
        }
    }

    /// Writes some columns of one row, in the order of `columns`.
    public func setRow(_ index: Int, columns list: [Int], to values: ArraySlice<Float>) {
        precondition(index >= 0 && index < rows && values.count == list.count, "a row keeps its length")
        let start = base + index * stride
        for (column, value) in zip(list, values) {
            precondition(column >= 0 && column < columns, "column outside the matrix")
            start[column] = value
        }
    }

    /// A copy in memory of the arena.
    public func copy(in arena: Arena) throws -> Matrix {
        let copy = try arena.matrix(rows: rows, columns: columns)
        for row in 0..<rows { copy.pointer(row: row).update(from: pointer(row: row), count: columns) }
        return copy
    }

    /// A copy of all values, row after row.
    public var values: [Float] {
        [Float](unsafeUninitializedCapacity: rows * columns) { buffer, initialized in
            if let out = buffer.baseAddress {
                for row in 0..<rows {
                    (out + row * columns).update(from: base + row * stride, count: columns)
                }
            }
            initialized = rows * columns
        }
    }

    @inline(__always) func pointer(row: Int) -> UnsafeMutablePointer<Float> { base + row * stride }
}
