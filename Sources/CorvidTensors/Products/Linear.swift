import CorvidKernels

/// How the numbers of a product are held while it is computed.
public enum ComputeType: Sendable, Equatable {
    /// Quantised weights against activations rounded to int8 per block of 32, exact integer dots.
    case blocks
    /// f32 weights and activations.
    case f32
    /// bf16 weights and activations, f32 sums; where the processor has no bf16 products, bf16 weights and f32
    /// activations.
    case bf16
    /// int8 weights with a scale for each row against activations rounded to int8 by row, exact integer dots.
    case int8
}

/// A matrix that multiplies rows of activations: y = x Wᵀ + b. Immutable; a class, since a pass hands it on
/// some hundred times and copies of its parts would cost more than the bookkeeping of one reference.
public final class Linear: Sendable {
    /// Which axis of the stored matrix runs along the outputs.
    public enum Orientation: Sendable, Hashable {
        /// `[outputs, inputs]`, as PyTorch's Linear and GGUF.
        case rows
        /// `[inputs, outputs]`, as GPT-2's Conv1D.
        case columns
    }

    public let weight: Tensor
    public let orientation: Orientation
    /// `[outputs]`, or nil.
    public let bias: Vector?
    public let compute: ComputeType
    /// The part of a pass to which its time belongs.
    public let part: PassPart
    /// What is added to its outputs, in this order.
    public let deltas: [WeightDelta]
    /// Rounding that the weights get before they are used; nil if they are used as stored.
    let rounding: DType?

    public var outputs: Int { orientation == .rows ? weight.rows : weight.columns }
    public var inputs: Int { orientation == .rows ? weight.columns : weight.rows }

    /// - Parameters:
    ///   - type: compute as if the weights had been converted to this type; nil for the weight's own.
    ///   - part: what it does in a pass, for profiles.
    /// - Throws: ``LinearError`` when the weight is no matrix of weights, or cannot compute as `type`.
    public init(
        _ weight: Tensor, bias: Vector? = nil, orientation: Orientation = .rows, as type: DType? = nil,
        part: PassPart = .product
    ) throws {
        guard weight.shape.count == 2, weight.holdsWeights else {
            throw LinearError.notAMatrix(type: weight.type, shape: weight.shape)
        }
        guard orientation == .rows || !(weight.type.isBlock || weight.type == .i8) else {
            throw LinearError.columnsInBlocks(type: weight.type)
        }
        let outputs = orientation == .rows ? weight.rows : weight.columns
        if let bias, bias.count != outputs { throw LinearError.bias(found: bias.count, expected: outputs) }
        self.weight = weight
        self.bias = bias
        self.orientation = orientation
        if weight.type == .i8, let type, type != .i8 {
            throw LinearError.conversion(from: weight.type, to: type)
        }
        self.part = part
        deltas = []
        switch type ?? weight.type {
        case .f32:
            compute = .f32
            rounding = nil
        case .f16:
            // f16 files compute in f32: the CPU has no f16 products worth having.
            compute = .f32
            rounding = weight.type == .f16 ? nil : .f16
        case .bf16:
            compute = .bf16
            rounding = weight.type == .bf16 ? nil : .bf16
        case let other:
            guard other == weight.type else { throw LinearError.conversion(from: weight.type, to: other) }
            compute = other == .i8 ? .int8 : .blocks
            rounding = nil
        }
    }

    private init(_ base: Linear, deltas: [WeightDelta]) {
        weight = base.weight
        orientation = base.orientation
        bias = base.bias
        compute = base.compute
        part = base.part
        rounding = base.rounding
        self.deltas = deltas
    }

    /// The same matrix, sharing memory, to whose outputs `more` is added after what is added already.
    /// - Throws: ``LinearError/delta(found:expected:)`` or ``LinearError/bias(found:expected:)`` for what does
    ///   not fit.
    public func adding(_ more: [WeightDelta]) throws -> Linear {
        for delta in more {
            if let misfit = delta.misfit(inputs: inputs, outputs: outputs) { throw misfit }
        }
        return Linear(self, deltas: deltas + more)
    }

    /// Bytes of weights that one pass reads.
    public var byteCount: Int { weight.bytes.count + 4 * (weight.rowScales?.count ?? 0) }
}

/// A vector of f32 values, such as a bias or the weight of a norm.
public struct Vector: Sendable {
    public let count: Int
    private let matrix: Matrix

    public init(_ values: [Float]) throws {
        count = values.count
        matrix = try Matrix(values, rows: 1, columns: values.count)
    }

    /// The values of a matrix of one row.
    init(_ row: Matrix) {
        count = row.columns
        matrix = row
    }

    /// The values of a tensor of any weight type.
    public init(_ tensor: Tensor) throws { try self.init(try tensor.floats()) }

    public var values: [Float] { matrix.row(0) }
    var pointer: UnsafePointer<Float> { UnsafePointer(matrix.base) }
}

public enum LinearError: Error, Equatable, CustomStringConvertible {
    case notAMatrix(type: DType, shape: [Int])
    case columnsInBlocks(type: DType)
    case bias(found: Int, expected: Int)
    case conversion(from: DType, to: DType)
    /// A change of a matrix that has another shape, `[outputs, inputs]`.
    case delta(found: [Int], expected: [Int])

    public var description: String {
        switch self {
        case .notAMatrix(let type, let shape):
            return "a matrix of weights was expected, found shape \(shape) of \(type.rawValue)"
        case .columnsInBlocks(let type):
            return "a \(type.rawValue) matrix must be stored with outputs as rows"
        case .bias(let found, let expected):
            return "the bias has \(found) values, its matrix has \(expected) outputs"
        case .conversion(let from, let to):
            return
                "\(from.weightName) weights must be converted before they compute as \(to.weightName)"
        case .delta(let found, let expected):
            return "a change of shape \(found) does not fit a matrix of \(expected)"
        }
    }
}
