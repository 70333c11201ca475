import CorvidTensors

/// A tensor that is going to be written: all that the head of a file says about it.
public struct TensorPlan: Sendable, Equatable {
    public let name: String
    public let type: DType
    /// Sizes, the innermost last.
    public let shape: [Int]
    public let byteCount: Int

    /// - Throws: `TensorError` if blocks do not divide the rows or the size does not fit.
    public init(name: String, type: DType, shape: [Int]) throws {
        self.name = name
        self.type = type
        self.shape = shape
        byteCount = try Tensor.byteCount(type: type, shape: shape)
    }

    /// The plans with the place of each, from the start of the data.
    static func placed(
        _ plans: [TensorPlan], alignment: Int, file: String
    ) throws -> [(plan: TensorPlan, offset: Int)] {
        var end = 0
        return try plans.map { plan in
            guard let offset = CheckedArithmetic.alignedUp(end, to: alignment),
                let next = CheckedArithmetic.sum(offset, plan.byteCount)
            else {
                throw WriteError.failed(file: file, step: "adding up sizes", reason: "more than 2^63 bytes")
            }
            end = next
            return (plan, offset)
        }
    }
}

/// Counts the bytes that are written for one tensor, which must be as many as its plan says.
struct TensorOutput {
    let file: AtomicFile
    let plan: TensorPlan
    private(set) var written = 0

    init(_ file: AtomicFile, _ plan: TensorPlan) {
        self.file = file
        self.plan = plan
    }

    mutating func write(_ bytes: Bytes) throws {
        try file.write(bytes)
        written += bytes.count
    }

    func finish(_ path: String) throws {
        guard written == plan.byteCount else {
            throw WriteError.failed(
                file: path, step: "tensor \(plan.name)",
                reason: "\(written) bytes came, \(plan.byteCount) were announced")
        }
    }
}
