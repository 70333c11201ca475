import CorvidTensors

/// A tensor type as ggml numbers it: its name, its block layout, and our type if we compute with it.
///
/// The table knows more types than Corvid computes with, so that `inspect` can list any file and offsets of
/// all tensors can be checked. Sizes: ggml's `type_traits` (the `gguf` package's `GGML_QUANT_SIZES`).
struct GGMLType: Sendable {
    let name: String
    /// Elements per block.
    let blockSize: Int
    /// Bytes per block.
    let blockBytes: Int
    /// nil if Corvid cannot compute with it.
    let type: DType?

    private init(_ name: String, _ blockSize: Int, _ blockBytes: Int, _ type: DType? = nil) {
        self.name = name
        self.blockSize = blockSize
        self.blockBytes = blockBytes
        self.type = type
    }

    /// By ggml's number. Numbers that ggml gave up (4, 5, 31-33, 36-38) are not in the table.
    static let table: [UInt32: GGMLType] = [
        0: GGMLType("F32", 1, 4, .f32),
        1: GGMLType("F16", 1, 2, .f16),
        2: GGMLType("Q4_0", 32, 18, .q4_0),
        3: GGMLType("Q4_1", 32, 20, .q4_1),
        6: GGMLType("Q5_0", 32, 22, .q5_0),
        7: GGMLType("Q5_1", 32, 24, .q5_1),
        8: GGMLType("Q8_0", 32, 34, .q8_0),
        9: GGMLType("Q8_1", 32, 40),
        10: GGMLType("Q2_K", 256, 84),
        11: GGMLType("Q3_K", 256, 110),
        12: GGMLType("Q4_K", 256, 144, .q4_K),
        13: GGMLType("Q5_K", 256, 176, .q5_K),
        14: GGMLType("Q6_K", 256, 210, .q6_K),
        15: GGMLType("Q8_K", 256, 292),
        16: GGMLType("IQ2_XXS", 256, 66),
        17: GGMLType("IQ2_XS", 256, 74),
        18: GGMLType("IQ3_XXS", 256, 98),
        19: GGMLType("IQ1_S", 256, 50),
        20: GGMLType("IQ4_NL", 32, 18),
        21: GGMLType("IQ3_S", 256, 110),
        22: GGMLType("IQ2_S", 256, 82),
        23: GGMLType("IQ4_XS", 256, 136),
        24: GGMLType("I8", 1, 1, .i8),
        25: GGMLType("I16", 1, 2, .i16),
        26: GGMLType("I32", 1, 4, .i32),
        27: GGMLType("I64", 1, 8, .i64),
        28: GGMLType("F64", 1, 8, .f64),
        29: GGMLType("IQ1_M", 256, 56),
        30: GGMLType("BF16", 1, 2, .bf16),
        34: GGMLType("TQ1_0", 256, 54),
        35: GGMLType("TQ2_0", 256, 66),
        39: GGMLType("MXFP4", 32, 17),
        40: GGMLType("NVFP4", 64, 36),
        41: GGMLType("Q1_0", 128, 18),
    ]
}
