import CorvidKernels

/// A norm over the values of each row.
public struct Norm: Sendable {
    public enum Kind: Sendable, Equatable {
        /// (x - mean) / sqrt(var + eps) * weight + bias
        case layer
        /// x / sqrt(mean(x²) + eps) * weight
        case rms
    }

    public let kind: Kind
    /// `[width]`
    public let weight: Vector?
    public let bias: Vector?
    public let epsilon: Float

    public init(_ kind: Kind, weight: Vector?, bias: Vector?, epsilon: Float) {
        self.kind = kind
        self.weight = weight
        self.bias = bias
        self.epsilon = epsilon
    }

    /// out = norm(x), row by row, `[rows, width]`; `out` may be `x`.
    public func callAsFunction(_ x: Matrix, into out: Matrix, workers: Workers) {
        precondition(x.rows == out.rows && x.columns == out.columns, "a norm keeps the shape")
        precondition(weight.map { $0.count == x.columns } ?? true, "the norm's weight must fit the rows")
        precondition(bias.map { $0.count == x.columns } ?? true, "the norm's bias must fit the rows")
        let outer = workers.begin(.norms)
        defer { workers.end(outer) }
        let tasks = RowTasks(rows: x.rows, columns: x.columns, threads: workers.threads)
        workers.forEach(tasks.count) { task, _ in
            for row in tasks[task] {
                switch kind {
                case .layer:
                    ck_layer_norm(
                        x.columns, x.pointer(row: row), weight?.pointer, bias?.pointer, epsilon,
                        out.pointer(row: row))
                case .rms:
                    ck_rms_norm(
                        x.columns, x.pointer(row: row), weight?.pointer, epsilon, out.pointer(row: row))
                }
            }
        }
    }
}
