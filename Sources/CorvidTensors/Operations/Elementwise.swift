import CorvidKernels

/// Activation functions of an MLP.
public enum Activation: String, Sendable, CaseIterable {
    case identity, relu
    /// 0.5 x (1 + erf(x / √2)); Hugging Face's "gelu".
    case geluErf
    /// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))); "gelu_new", "gelu_pytorch_tanh".
    case geluTanh
    /// x sigmoid(1.702 x)
    case quickGELU
    /// x sigmoid(x)
    case silu
    case tanh

    var kernel: ck_activation {
        switch self {
        case .identity: CK_IDENTITY
        case .relu: CK_RELU
        case .geluErf: CK_GELU_ERF
        case .geluTanh: CK_GELU_TANH
        case .quickGELU: CK_QUICK_GELU
        case .silu: CK_SILU
        case .tanh: CK_TANH
        }
    }
}

/// Element-wise operations on the columns `range` of all rows. They start no tasks: products call them as
/// epilogues on the worker which made the columns, other callers give each worker a range.
public enum Elementwise {
    /// x = f(x)
    public static func activate(_ f: Activation, _ x: Matrix, columns range: Range<Int>) {
        for row in 0..<x.rows {
            let values = x.pointer(row: row) + range.lowerBound
            ck_activate(f.kernel, range.count, values, values)
        }
    }

    /// gate = f(gate) * up
    public static func activateGated(_ f: Activation, gate: Matrix, up: Matrix, columns range: Range<Int>) {
        for row in 0..<gate.rows {
            let values = gate.pointer(row: row) + range.lowerBound
            ck_activate_gated(f.kernel, range.count, values, up.pointer(row: row) + range.lowerBound, values)
        }
    }

    /// x = x + y
    public static func add(_ y: Matrix, to x: Matrix, columns range: Range<Int>) {
        for row in 0..<x.rows {
            let values = x.pointer(row: row) + range.lowerBound
            ck_add(range.count, values, y.pointer(row: row) + range.lowerBound, values)
        }
    }

    /// out = the sum of `parts` neighbouring parts of each row of x, in their order.
    public static func sum(parts: Int, of x: Matrix, into out: Matrix, workers: Workers) {
        let width = out.columns
        precondition(x.rows == out.rows && x.columns == parts * width, "the parts must fill the rows")
        let tasks = RowTasks(rows: x.rows, columns: x.columns, threads: workers.threads)
        workers.forEach(tasks.count) { task, _ in
            for row in tasks[task] {
                let (values, sums) = (x.pointer(row: row), out.pointer(row: row))
                sums.update(from: values, count: width)
                for part in 1..<max(1, parts) { ck_add(width, sums, values + part * width, sums) }
            }
        }
    }

    /// x = x * factor
    public static func scale(_ x: Matrix, by factor: Float, columns range: Range<Int>) {
        for row in 0..<x.rows {
            let values = x.pointer(row: row) + range.lowerBound
            ck_scale(range.count, values, factor, values)
        }
    }

    /// x = min(max(x, -limit), limit); NaN stays.
    public static func clamp(_ x: Matrix, to limit: Float, columns range: Range<Int>) {
        for row in 0..<x.rows {
            let values = x.pointer(row: row)
            for column in range {
                let value = values[column]
                if value > limit { values[column] = limit } else if value < -limit { values[column] = -limit }
            }
        }
    }

    /// out[row] = x[rows[row]]
    public static func gather(_ x: Matrix, rows: [Int], into out: Matrix) {
        for (row, source) in rows.enumerated() {
            precondition(source >= 0 && source < x.rows, "row outside the matrix")
            out.pointer(row: row).update(from: x.pointer(row: source), count: x.columns)
        }
    }

    /// log Σ exp(x) of one row, in double.
    public static func logSumExp(_ values: ArraySlice<Float>) -> Double {
        values.withUnsafeBufferPointer { ck_log_sum_exp($0.count, $0.baseAddress) }
    }
}

/// A table of vectors, one per token or position.
public struct Embedding: Sendable {
    public let table: Tensor
    /// Rounding that the vectors get when they are looked up; nil if they are used as stored.
    private let rounding: DType?
    /// What is added to its vectors, in this order.
    public private(set) var deltas: [TableDelta] = []

    /// - Parameter type: look up as if the table had been converted to this type; nil for the table's own.
    /// - Throws: ``LinearError`` when the table is no matrix of weights, or cannot be converted to `type`.
    public init(_ table: Tensor, as type: DType? = nil) throws {
        guard table.shape.count == 2, table.holdsWeights else {
            throw LinearError.notAMatrix(type: table.type, shape: table.shape)
        }
        switch type ?? table.type {
        case table.type: rounding = nil
        case _ where table.type == .i8:
            throw LinearError.conversion(from: table.type, to: type ?? table.type)
        case .f32: rounding = nil
        case .f16: rounding = .f16
        case .bf16: rounding = .bf16
        case let other: throw LinearError.conversion(from: table.type, to: other)
        }
        self.table = table
    }

    public var count: Int { table.rows }
    public var width: Int { table.columns }

    /// The same table, sharing memory, to whose vectors `more` is added.
    /// - Throws: ``LinearError/delta(found:expected:)`` for what does not fit.
    public func adding(_ more: [TableDelta]) throws -> Embedding {
        guard more.allSatisfy({ $0.fits(rows: count, width: width) }) else {
            throw LinearError.delta(found: [], expected: [count, width])
        }
        var copy = self
        copy.deltas += more
        return copy
    }

    /// out[row] = table[indices[row]], or is added to what `out` holds. Indices were checked by the caller.
    public func look(up indices: [Int], into out: Matrix, adding: Bool = false) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { vector in
            guard let vector = vector.baseAddress else { return }
            for (row, index) in indices.enumerated() {
                precondition(index >= 0 && index < count, "index outside the embedding")
                let target = out.pointer(row: row)
                let values = adding ? vector : target
                table.dequantize(row: index, into: values)
                if let rounding { round(values, to: rounding) }
                for delta in deltas { delta.add(row: index, of: count, to: values, width: width) }
                if adding { ck_add(width, target, vector, target) }
            }
        }
    }

    private func round(_ values: UnsafeMutablePointer<Float>, to type: DType) {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: width) { bits in
            guard let bits = bits.baseAddress else { return }
            if type == .bf16 {
                ck_f32_to_bf16(width, values, bits)
                ck_bf16_to_f32(width, bits, values)
            } else {
                ck_f32_to_f16(width, values, bits)
                ck_f16_to_f32(width, bits, values)
            }
        }
    }
}
