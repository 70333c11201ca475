import CorvidKernels

/// The instruction sets that the kernels have forms for.
public enum InstructionSet: String, Sendable, CaseIterable {
    case portable, avx2, avx512

    /// The best that this processor runs.
    public static var detected: InstructionSet { InstructionSet(ck_isa_detect()) }
    /// The one in use.
    public static var current: InstructionSet { InstructionSet(ck_isa()) }

    /// Uses this set, or the best available one if that is lower. Call before anything computes.
    /// - Returns: the set in use from now on.
    @discardableResult
    public func use() -> InstructionSet {
        let level =
            switch self {
            case .portable: CK_ISA_PORTABLE
            case .avx2: CK_ISA_AVX2
            case .avx512: CK_ISA_AVX512
            }
        return InstructionSet(ck_isa_set(level))
    }

    private init(_ level: ck_isa_level) {
        self =
            switch level {
            case CK_ISA_AVX512: .avx512
            case CK_ISA_AVX2: .avx2
            default: .portable
            }
    }
}
