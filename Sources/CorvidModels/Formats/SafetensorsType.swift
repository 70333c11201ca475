import CorvidTensors

/// An element type as safetensors names it.
///
/// The table knows more types than Corvid computes with, so that offsets of all tensors can be checked.
/// Source: the `Dtype` enumeration of the safetensors library, version 0.8.
struct SafetensorsType: Sendable {
    let name: String
    let bits: Int
    /// nil if Corvid cannot compute with it.
    let type: DType?

    static let table: [String: SafetensorsType] = {
        let types: [(String, Int, DType?)] = [
            ("F64", 64, .f64), ("F32", 32, .f32), ("F16", 16, .f16), ("BF16", 16, .bf16),
            ("I64", 64, .i64), ("I32", 32, .i32), ("I16", 16, .i16), ("I8", 8, .i8), ("U8", 8, .u8),
            ("BOOL", 8, .bool),
            ("U16", 16, nil), ("U32", 32, nil), ("U64", 64, nil), ("C64", 64, nil),
            ("F8_E4M3", 8, nil), ("F8_E5M2", 8, nil), ("F8_E8M0", 8, nil),
            ("F8_E4M3FNUZ", 8, nil), ("F8_E5M2FNUZ", 8, nil),
            ("F6_E2M3", 6, nil), ("F6_E3M2", 6, nil), ("F4", 4, nil),
        ]
        return Dictionary(
            uniqueKeysWithValues: types.map { name, bits, type in
                (name, SafetensorsType(name: name, bits: bits, type: type))
            })
    }()

    /// The name in a file of one of our types; nil for block types, which safetensors does not have.
    static func name(of type: DType) -> String? {
        switch type {
        case .f64: "F64"
        case .f32: "F32"
        case .f16: "F16"
        case .bf16: "BF16"
        case .i64: "I64"
        case .i32: "I32"
        case .i16: "I16"
        case .i8: "I8"
        case .u8: "U8"
        case .bool: "BOOL"
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K: nil
        }
    }

    /// Bytes of an element of a type that has whole bytes.
    var byteSize: Int { bits / 8 }

    /// Bytes of a tensor of this shape; nil if the size overflows or does not end at a byte.
    func byteCount(shape: [Int]) -> Int? {
        guard let bits = CheckedArithmetic.product(of: shape + [bits]), bits % 8 == 0 else { return nil }
        return bits / 8
    }
}
