import TestSupport

/// The index of all formats that are read damaged.
enum MutantFormats {
    static let all: [MutantFormat] = checkpoints + models + texts + [patch, trap]

    /// Traps on every seed that 64 divides: shows that the harness finds traps.
    private static let trap = MutantFormat(
        name: "trap", inputs: [[1]],
        mutant: { seed in seed % 64 == 0 ? [0] : [1] },
        read: { bytes in precondition(bytes.first != 0, "the trap that the test looks for") })
}
