import CorvidKernels

/// A matrix of weights on its way into another type: read row by row, dequantised exactly where it was
/// quantised, and rounded once.
///
/// A row's result depends on the row alone, so any range may be asked for: whole matrices to run with, pieces
/// to be written one after another.
public struct WeightConversion: Sendable {
    /// The type that the rows get.
    public let type: DType
    /// Rows of the result.
    public let rows: Int
    /// Columns of the result.
    public let columns: Int
    private let weight: Tensor
    private let isTransposed: Bool
    private let order: [Int?]?
    private let places: [Int?]?

    /// - Parameters:
    ///   - weight: a matrix `[rows, columns]`, or `[columns, rows]` if it is to be transposed.
    ///   - type: a type of weights, or `i8` for int8 with a scale for each row.
    ///   - transposed: rows of the result are columns of `weight`.
    ///   - order: which row stands at each place of the result, of those there would be without it; a place
    ///     without a row holds zeros. nil keeps all in their order.
    ///   - places: the same for columns.
    /// - Throws: ``TensorError`` if the matrix holds no weights, or blocks do not divide its rows.
    public init(
        _ weight: Tensor, to type: DType, transposed: Bool = false, order: [Int?]? = nil,
        places: [Int?]? = nil
    ) throws {
        guard weight.shape.count == 2, weight.holdsWeights else {
            throw TensorError.notWeights(type: weight.type)
        }
        let allRows = transposed ? weight.columns : weight.rows
        let allColumns = transposed ? weight.rows : weight.columns
        rows = order?.count ?? allRows
        columns = places?.count ?? allColumns
        guard type.holdsWeights || type == .i8 else { throw TensorError.notWeights(type: type) }
        guard type.rowBytes(columns: columns) != nil else {
            throw TensorError.blocks(type: type, shape: [rows, columns])
        }
        precondition(
            (order ?? []).allSatisfy { $0.map { $0 >= 0 && $0 < allRows } ?? true }
                && (places ?? []).allSatisfy { $0.map { $0 >= 0 && $0 < allColumns } ?? true },
            "an order names what is there")
        self.weight = weight
        self.type = type
        isTransposed = transposed
        self.order = order
        self.places = places
    }

    /// All rows.
    public func callAsFunction(workers: Workers) throws -> Tensor { try rows(0..<rows, workers: workers) }

    /// The rows `range` of the result, in memory of their own.
    /// - Throws: ``WeightConversionError`` for weights that the type cannot hold, ``MemoryError``.
    public func rows(_ range: Range<Int>, workers: Workers) throws -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
        guard let rowBytes = type.rowBytes(columns: columns) else {
            throw TensorError.blocks(type: type, shape: [rows, columns])
        }
        let byteCount = try Tensor.byteCount(type: type, shape: [range.count, columns])
        let buffer = try AlignedBuffer(byteCount: byteCount)
        let scales = try Matrix(rows: 1, columns: type == .i8 ? range.count : 0)
        let target = Target(base: buffer.base, rowBytes: rowBytes, scales: scales)
        // A transposed piece begins and ends with blocks of the stored rows.
        let step = isTransposed ? max(64, weight.type.blockSize) : rowsPerTask
        let first = isTransposed ? range.lowerBound / step * step : range.lowerBound
        let tasks = (range.upperBound - first + step - 1) / step
        let panelRows = isTransposed ? step : 1
        let scratch = try workers.scratch(
            byteCount: (panelRows * columns + max(step, weight.columns)) * 4)
        let failure = Failure()
        workers.forEach(max(0, tasks)) { task, worker in
            let start = first + task * step
            let part = max(start, range.lowerBound)..<min(start + step, range.upperBound)
            let memory = scratch.pointer(worker: worker).assumingMemoryBound(to: Float.self)
            failure.catching {
                if isTransposed { gather(from: start, step: step, into: memory) }
                for row in part {
                    let values = isTransposed ? memory + (row - start) * columns : memory
                    if !isTransposed { select(row: order.map { $0[row] } ?? row, into: values) }
                    try store(values, row: row, at: row - range.lowerBound, target)
                }
            }
        }
        try failure.check()
        let bytes = Bytes(owner: buffer, base: UnsafeRawPointer(buffer.base), count: byteCount)
        let result = try Tensor(type: type, shape: [range.count, columns], bytes: bytes)
        return type == .i8 ? try result.scaled(byRows: Vector(scales)) : result
    }

    /// Where a piece of the result lies.
    private struct Target: @unchecked Sendable {
        // Sound: workers write disjoint rows.
        let base: UnsafeMutableRawPointer
        let rowBytes: Int
        let scales: Matrix
    }

    /// Some 16,384 weights are worth a hand-over.
    private var rowsPerTask: Int { max(1, 16_384 / max(1, columns)) }

    /// The chosen columns of a stored row; `memory` has room for the whole row behind them.
    private func select(row: Int?, into memory: UnsafeMutablePointer<Float>) {
        guard let row else { return memory.update(repeating: 0, count: columns) }
        guard let places else { return weight.dequantize(row: row, into: memory) }
        let whole = memory + columns
        weight.dequantize(row: row, into: whole)
        for (column, place) in places.enumerated() { memory[column] = place.map { whole[$0] } ?? 0 }
    }

    /// Stored columns `start ..< start + step` of those that are chosen, as rows of `memory` `[step, columns]`.
    private func gather(from start: Int, step: Int, into memory: UnsafeMutablePointer<Float>) {
        let row = memory + step * columns
        let count = min(step, rows - start)
        for column in 0..<columns {
            guard let stored = places.map({ $0[column] }) ?? column else {
                for slot in 0..<count { memory[slot * columns + column] = 0 }
                continue
            }
            if let order {
                weight.dequantize(row: stored, into: row)
                for slot in 0..<count {
                    memory[slot * columns + column] = order[start + slot].map { row[$0] } ?? 0
                }
            } else {
                weight.dequantize(row: stored, columns: start..<start + count, into: row)
                for slot in 0..<count { memory[slot * columns + column] = row[slot] }
            }
        }
    }

    private func store(_ values: UnsafePointer<Float>, row: Int, at place: Int, _ target: Target) throws {
        let out = target.base + place * target.rowBytes
        let result: ck_quantize_result
        if type == .i8 {
            result = ck_quantize_row_int8(
                columns, values, out.assumingMemoryBound(to: Int8.self), target.scales.base + place)
        } else if let kernelType = type.kernelType {
            result = ck_quantize_weights(kernelType, columns, values, out)
        } else {
            throw TensorError.notWeights(type: type)
        }
        if result == CK_NOT_FINITE { throw WeightConversionError.notFinite(row: row) }
        if result == CK_TOO_LARGE { throw WeightConversionError.tooLarge(row: row, type: type) }
    }
}

/// Weights that a type cannot hold.
public enum WeightConversionError: Error, Equatable, CustomStringConvertible {
    case notFinite(row: Int)
    case tooLarge(row: Int, type: DType)

    public var description: String {
        switch self {
        case .notFinite(let row):
            return "row \(row) holds NaN or infinite values"
        case .tooLarge(let row, let type):
            return "row \(row) holds values too large for \(type.weightName); use f32 or bf16"
        }
    }
}
