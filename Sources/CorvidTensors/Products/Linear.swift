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
    /// Rounding that the weights get before they are used; nil if they are used as stored.
    let rounding: DType?

    public var outputs: Int { orientation == .rows ? weight.rows : weight.columns }
    public var inputs: Int { orientation == .rows ? weight.columns : weight.rows }

    /// - Parameters:
    ///   - type: compute as if the weights had been converted to this type; nil for the weight's own.
    /// - Throws: ``LinearError`` when the weight is no matrix of weights, or cannot compute as `type`.
    public init(
        _ weight: Tensor, bias: Vector? = nil, orientation: Orientation = .rows, as type: DType? = nil
    ) throws {
        guard weight.shape.count == 2, weight.type.holdsWeights else {
            throw LinearError.notAMatrix(type: weight.type, shape: weight.shape)
        }
        guard orientation == .rows || !weight.type.isBlock else {
            throw LinearError.columnsInBlocks(type: weight.type)
        }
        let outputs = orientation == .rows ? weight.rows : weight.columns
        if let bias, bias.count != outputs { throw LinearError.bias(found: bias.count, expected: outputs) }
        self.weight = weight
        self.bias = bias
        self.orientation = orientation
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
            compute = .blocks
            rounding = nil
        }
    }

    /// Bytes of weights that one pass reads.
    public var byteCount: Int { weight.bytes.count }
}

/// A vector of f32 values, such as a bias or the weight of a norm.
public struct Vector: Sendable {
    public let count: Int
    private let matrix: Matrix

    public init(_ values: [Float]) throws {
        count = values.count
        matrix = try Matrix(values, rows: 1, columns: values.count)
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
                "\(from.rawValue) weights cannot compute as \(to.rawValue); use f32, bf16, f16 or no --dtype"
        }
    }
}
