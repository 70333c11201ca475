import CorvidKernels
import Synchronization

/// The instruction sets of this machine. The level in use is global to the kernels, so whatever depends on it
/// runs in one of these, one at a time; the best level is restored afterwards.
enum InstructionSets {
    static let available: [ck_isa_level] =
        [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512].filter { $0.rawValue <= ck_isa_detect().rawValue }

    private static let exclusive = Mutex<Void>(())

    /// Calls `body` once for each available level while it is in use.
    static func each(_ body: (ck_isa_level) throws -> Void) rethrows {
        try exclusive.withLock { _ in
            defer { _ = ck_isa_set(ck_isa_detect()) }
            for level in available {
                _ = ck_isa_set(level)
                try body(level)
            }
        }
    }

    /// The results of `body` on each available level, the portable one first.
    static func results<Result>(_ body: () throws -> Result) rethrows -> [Result] {
        var all: [Result] = []
        try each { _ in all.append(try body()) }
        return all
    }
}

/// Bit patterns, with every NaN as one pattern: which NaN comes out of an operation is not defined.
func bits(_ values: some Sequence<Float>) -> [UInt32] {
    values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
}
