import CorvidKernels

/// Rows of activations on their way into products: each form that a weight type needs is made once.
public struct ProductInput {
    let matrix: Matrix
    private(set) var quantized: Quantized?
    private(set) var bf16: UnsafeMutablePointer<UInt16>?

    struct Quantized: @unchecked Sendable {
        let values: UnsafeMutablePointer<Int8>
        let scales: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Int32>
    }

    /// Prepares `matrix` `[rows, inputs]` for all of `linears`; memory comes from `arena`.
    public init(_ matrix: Matrix, for linears: [Linear], workers: Workers, arena: Arena) throws {
        self.matrix = matrix
        let rows = matrix.rows
        let inputs = matrix.columns
        let rowTasks = RowTasks(rows: rows, columns: inputs, threads: workers.threads)
        if linears.contains(where: { $0.compute == .blocks }) {
            let blocks = inputs / 32
            let form = Quantized(
                values: try arena.reserve(byteCount: rows * inputs).base.assumingMemoryBound(to: Int8.self),
                scales: try arena.reserve(byteCount: rows * blocks * 4).base.assumingMemoryBound(to: Float.self),
                sums: try arena.reserve(byteCount: rows * blocks * 4).base.assumingMemoryBound(to: Int32.self))
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
            let form = try arena.reserve(byteCount: rows * inputs * 2).base.assumingMemoryBound(to: UInt16.self)
            workers.forEach(rowTasks.count) { task, _ in
                for row in rowTasks[task] {
                    ck_f32_to_bf16(inputs, matrix.pointer(row: row), form + row * inputs)
                }
            }
            bf16 = form
        }
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
