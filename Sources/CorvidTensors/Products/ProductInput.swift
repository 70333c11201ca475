import CorvidKernels

/// Rows of activations on their way into products: each form that a weight type needs is made once.
public struct ProductInput {
    let matrix: Matrix
    /// Where changes of matrices find memory for their steps.
    let arena: Arena
    /// int8 with a scale for each block of 32.
    private(set) var quantized: Quantized?
    /// int8 with a scale for each row.
    private(set) var quantizedRows: Quantized?
    /// f32, arranged for the float products.
    private(set) var floats: UnsafeMutablePointer<Float>?
    /// bf16 in pairs, arranged.
    private(set) var pairs: UnsafeMutablePointer<Float>?
    /// Keep the memory of the forms alive.
    private var owners: [AlignedBuffer] = []

    struct Quantized: @unchecked Sendable {
        let values: UnsafeMutablePointer<Int8>
        let scales: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Int32>
    }

    /// Prepares `matrix` `[rows, inputs]` for all of `linears`; memory comes from `arena`.
    public init(_ matrix: Matrix, for linears: [Linear], workers: Workers, arena: Arena) throws {
        let outer = workers.begin(.rounding)
        defer { workers.end(outer) }
        let rows = matrix.rows
        let inputs = matrix.columns
        self.matrix = matrix
        self.arena = arena
        let rowTasks = RowTasks(rows: rows, columns: inputs, threads: workers.threads)
        if linears.contains(where: { $0.compute == .blocks }) {
            let blocks = inputs / 32
            // int8 values first, then scales, then sums; rows of 32 keep the latter two aligned.
            let (owner, base) = try arena.reserve(byteCount: rows * (inputs + 8 * blocks))
            owners.append(owner)
            let form = Quantized(
                values: base.bindMemory(to: Int8.self, capacity: rows * inputs),
                scales: (base + rows * inputs).bindMemory(to: Float.self, capacity: rows * blocks),
                sums: (base + rows * (inputs + 4 * blocks)).bindMemory(
                    to: Int32.self, capacity: rows * blocks))
            workers.forEach(rowTasks.count) { task, _ in
                let range = rowTasks[task]
                let first = range.lowerBound
                ck_quantize_activations(
                    range.count, inputs, matrix.pointer(row: first), matrix.stride,
                    form.values + first * inputs,
                    form.scales + first * blocks, form.sums + first * blocks)
            }
            quantized = form
        }
        if linears.contains(where: { $0.compute == .int8 }) {
            let padded = (rows * inputs + 3) / 4 * 4
            let (owner, base) = try arena.reserve(byteCount: padded + 8 * rows)
            owners.append(owner)
            let form = Quantized(
                values: base.bindMemory(to: Int8.self, capacity: rows * inputs),
                scales: (base + padded).bindMemory(to: Float.self, capacity: rows),
                sums: (base + padded + 4 * rows).bindMemory(to: Int32.self, capacity: rows))
            workers.forEach(rowTasks.count) { task, _ in
                let range = rowTasks[task]
                let first = range.lowerBound
                ck_quantize_rows(
                    range.count, inputs, matrix.pointer(row: first), matrix.stride,
                    form.values + first * inputs, form.scales + first, form.sums + first)
            }
            quantizedRows = form
        }
        if linears.contains(where: { $0.compute == .bf16 }), Self.multipliesBF16 {
            pairs = try arranged(asBF16: true, tasks: rowTasks, workers, arena)
        }
        if linears.contains(where: { $0.compute == .f32 || $0.compute == .bf16 && !Self.multipliesBF16 }) {
            floats = try arranged(asBF16: false, tasks: rowTasks, workers, arena)
        }
    }

    /// Whether bf16 products are made of bf16 numbers. Asked once, since a change while products run would change
    /// their bits.
    private static let multipliesBF16 = ck_has_bf16() != 0

    private mutating func arranged(
        asBF16: Bool, tasks: RowTasks, _ workers: Workers, _ arena: Arena
    ) throws -> UnsafeMutablePointer<Float> {
        let matrix = matrix
        let count = ck_arranged_floats(asBF16 ? 1 : 0, matrix.rows, matrix.columns)
        let (owner, base) = try arena.reserve(byteCount: count * 4)
        owners.append(owner)
        let form = base.bindMemory(to: Float.self, capacity: count)
        workers.forEach(tasks.count) { task, _ in
            let range = tasks[task]
            ck_arrange_rows(
                asBF16 ? 1 : 0, range.count, matrix.columns, matrix.pointer(row: range.lowerBound),
                matrix.stride, range.lowerBound, matrix.rows, form)
        }
        return form
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
