import Foundation

extension Patch {
    /// Opens whatever changes a model: a patch, or what another program wrote, read as a patch for a model of this
    /// configuration.
    /// - Throws: ``PatchFileError``, ``FormatError``, `MemoryError`.
    public static func open(_ path: String, for configuration: ModelConfiguration) throws -> Patch {
        try PatchFile.read(path)
    }
}
