import CorvidKernels

/// The forms of the products with int8 activations: those of the instruction sets, and of AVX2 also the one
/// without AVX-VNNI where this processor has it.
enum ProductForms {
    /// Calls `body` once for each form while it is in use, with its name.
    static func each(_ body: (String) throws -> Void) rethrows {
        try InstructionSets.each { level in
            try body("level \(level.rawValue)")
            guard ck_has_avx_vnni() == 1 else { return }
            defer { _ = ck_use_avx_vnni(1) }
            _ = ck_use_avx_vnni(0)
            try body("level \(level.rawValue) without AVX-VNNI")
        }
    }
}
