import TestSupport

/// The index of all formats that are read damaged.
enum MutantFormats {
    static let all: [MutantFormat] = checkpoints
}
