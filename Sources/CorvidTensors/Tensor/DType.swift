import CorvidKernels

/// The number type of a tensor's elements. Block types hold 32 or 256 weights with shared scales.
public enum DType: String, Sendable, CaseIterable, Codable {
    case f64, f32, f16, bf16
    case i64, i32, i16, i8, u8, bool
    case q4_0, q4_1, q5_0, q5_1, q8_0
    case q4_K, q5_K, q6_K

    /// Elements in one block; 1 for plain types.
    public var blockSize: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
        case .q4_K, .q5_K, .q6_K: 256
        default: 1
        }
    }

    /// Bytes of one block (of one element for plain types).
    public var blockBytes: Int {
        switch self {
        case .f64, .i64: 8
        case .f32, .i32: 4
        case .f16, .bf16, .i16: 2
        case .i8, .u8, .bool: 1
        case .q4_0: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .q4_K: 144
        case .q5_K: 176
        case .q6_K: 210
        }
    }

    /// Whether weights come in quantised blocks.
    public var isBlock: Bool { blockSize > 1 }

    /// Bytes of a row of `columns` elements; nil if blocks do not divide it or the size overflows.
    public func rowBytes(columns: Int) -> Int? {
        guard columns >= 0, columns % blockSize == 0 else { return nil }
        let (bytes, overflow) = (columns / blockSize).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }

    /// The kernels' name of this type; nil for types that hold no weights.
    var kernelType: ck_type? {
        switch self {
        case .f32: CK_F32
        case .f16: CK_F16
        case .bf16: CK_BF16
        case .q4_0: CK_Q4_0
        case .q4_1: CK_Q4_1
        case .q5_0: CK_Q5_0
        case .q5_1: CK_Q5_1
        case .q8_0: CK_Q8_0
        case .q4_K: CK_Q4_K
        case .q5_K: CK_Q5_K
        case .q6_K: CK_Q6_K
        default: nil
        }
    }

    /// Whether a weight may have this type. `i8` needs a scale for each row beside it:
    /// ``Tensor/scaled(byRows:)``.
    public var holdsWeights: Bool { kernelType != nil }

    /// The type as a choice for weights: `int8` for `i8`, whose rows get scales, and lower case for all.
    public var weightName: String { self == .i8 ? "int8" : rawValue.lowercased() }

    /// The type that weights get which are to be converted to this one, in rows of `columns`.
    ///
    /// Blocks must divide a row. Where those of 256 do not, llama.cpp's choices of 32 stand in: Q5_0 for Q4_K,
    /// Q5_1 for Q5_K, Q8_0 for Q6_K; where 32 does not either, f16.
    public func weightType(columns: Int) -> DType {
        if columns % blockSize == 0 { return self }
        let smaller: DType
        switch self {
        case .q4_K: smaller = .q5_0
        case .q5_K: smaller = .q5_1
        case .q6_K: smaller = .q8_0
        default: return .f16
        }
        return columns % smaller.blockSize == 0 ? smaller : .f16
    }
}
