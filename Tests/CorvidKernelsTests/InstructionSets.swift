import CorvidKernels
import Synchronization

/// The instruction sets of this machine. The level is switched for the calling thread alone: other tests compute
/// meanwhile. One at a time, since the choice of AVX-VNNI is global.
enum InstructionSets {
    static let available: [ck_isa_level] =
        [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512].filter { $0.rawValue <= ck_isa_detect().rawValue }

    private static let exclusive = Mutex<Void>(())

    /// Calls `body` once for each available level while it is in use.
    static func each(_ body: (ck_isa_level) throws -> Void) rethrows {
        try exclusive.withLock { _ in
            defer { ck_isa_unset_for_thread() }
            for level in available {
                _ = ck_isa_set_for_thread(level)
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
