import CorvidTensors

/// Converts weights while a model is loaded, on the threads that will run it.
struct WeightConverter {
    let pool: WorkerPool
    let progress: ConversionProgress

    /// `weight` as products in `type` want it held: compact types are made, and int8 becomes what it is to be
    /// computed in; everything else is converted panel by panel while it is multiplied. A matrix that has the
    /// type already stays in its file.
    /// - Returns: the matrix, outputs along its rows if it was made anew.
    func convert(
        _ weight: Tensor, to type: DType, orientation: Linear.Orientation
    ) throws -> (weight: Tensor, isNew: Bool) {
        defer { progress.advance() }
        guard type.isCompact || weight.type == .i8 else { return (weight, false) }
        let inputs = orientation == .rows ? weight.columns : weight.rows
        let target = type.weightType(columns: inputs)
        if weight.type == target, orientation == .rows { return (weight, false) }
        let conversion = try WeightConversion(weight, to: target, transposed: orientation == .columns)
        let result = try pool.runBlocking { workers in try conversion(workers: workers) }
        weight.releasePages()
        return (result, true)
    }
}

/// How many of a model's tensors have been looked at while it is loaded.
final class ConversionProgress {
    private let total: Int
    private var done = 0
    private let report: (_ done: Int, _ total: Int) -> Void

    init(total: Int, report: @escaping (_ done: Int, _ total: Int) -> Void) {
        self.total = total
        self.report = report
    }

    func advance() {
        done += 1
        report(min(done, total), total)
    }
}

extension DType {
    /// Whether weights are made in this type when a model is loaded, rather than while they are multiplied.
    public var isCompact: Bool { isBlock || self == .i8 }
}
