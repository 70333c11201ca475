import CorvidKernels

/// Rows of activations on their way into products: each form that a weight type needs is made once.
public struct ProductInput {
    let matrix: Matrix
    private(set) var quantized: Quantized?
    private(set) var bf16: UnsafeMutablePointer<UInt16>?
    /// Keeps the memory of the forms alive.
    private var owners: [AlignedBuffer] = []

    struct Quantized: @unchecked Sendable {
        let values: UnsafeMutablePointer<Int8>
        let scales: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Int32>
    }

    /// Prepares `matrix` `[rows, inputs]` for all of `linears`; memory comes from `arena`.
    public init(_ matrix: Matrix, for linears: [Linear], workers: Workers, arena: Arena) throws {
        let rows = matrix.rows
        let inputs = matrix.columns
        let matrix = try Self.dense(matrix, arena)
        self.matrix = matrix
        let rowTasks = RowTasks(rows: rows, columns: inputs, threads: workers.threads)
        if linears.contains(where: { $0.compute == .blocks }) {
            let blocks = inputs / 32
            let form = Quantized(
                values: try reserve(rows * inputs, arena), scales: try reserve(rows * blocks, arena),
                sums: try reserve(rows * blocks, arena))
            workers.forEach(rowTasks.count) { task, _ in
                let range = rowTasks[task]
                let first = range.lowerBound
                ck_quantize_activations(
                    range.count, inputs, matrix.pointer(row: first), matrix.stride, form.values + first * inputs,
                    form.scales + first * blocks, form.sums + first * blocks)
            }
            quantized = form
        }
        if linears.contains(where: { $0.compute == .bf16 }), ck_has_bf16() != 0 {
            let form: UnsafeMutablePointer<UInt16> = try reserve(rows * inputs, arena)
            workers.forEach(rowTasks.count) { task, _ in
                for row in rowTasks[task] {
                    ck_f32_to_bf16(inputs, matrix.pointer(row: row), form + row * inputs)
                }
            }
            bf16 = form
        }
    }
}

extension ProductInput {
    private mutating func reserve<Element>(_ count: Int, _ arena: Arena) throws -> UnsafeMutablePointer<Element> {
        let (owner, base) = try arena.reserve(byteCount: count * MemoryLayout<Element>.stride)
        owners.append(owner)
        return base.bindMemory(to: Element.self, capacity: count)
    }

    /// `matrix`, or a copy of it without gaps between rows.
    private static func dense(_ matrix: Matrix, _ arena: Arena) throws -> Matrix {
        guard matrix.stride != matrix.columns, matrix.rows > 1 else { return matrix }
        let copy = try arena.matrix(rows: matrix.rows, columns: matrix.columns)
        for row in 0..<matrix.rows {
            copy.pointer(row: row).update(from: matrix.pointer(row: row), count: matrix.columns)
        }
        return copy
    }
}

/// Division of the rows of an operation into tasks: one task for a single row, else a few per thread.
struct RowTasks {
    let count: Int
    private let rows: Int
    private let rowsPerTask: Int

    init(rows: Int, columns: Int, threads: Int) {
        self.rows = rows
        // Below some ten thousand values a hand-over costs more than it saves.
        let worthwhile = max(1, rows * max(1, columns) / 16_384)
        let wanted = min(worthwhile, threads == 1 ? 1 : threads * 4)
        rowsPerTask = max(1, (rows + wanted - 1) / wanted)
        count = (rows + rowsPerTask - 1) / rowsPerTask
    }

    subscript(task: Int) -> Range<Int> { task * rowsPerTask..<min(rows, (task + 1) * rowsPerTask) }
}
