import CorvidModels
import CorvidStore
import CorvidText
import Foundation

/// Patches that commands read, and one that they write.
enum PatchFiles {
    /// A patch file by path or name in the store, with the scale behind its @.
    /// - Throws: `StoreError`, `PatchFileError`.
    static func read(_ argument: PatchArgument) throws -> (patch: Patch, scale: Float) {
        let (path, scale) = try argument.resolved(in: Store())
        return (try Patch(path: path), scale)
    }

    /// The name of a patch that is written to `path`.
    static func name(of path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    /// The files of the model that was named.
    static func model(_ name: String?) throws -> ModelFiles {
        try ModelFiles(path: Store().resolve(name).path)
    }
}

/// A patch that was written.
struct PatchWrittenReport: Report {
    let path: String
    let patch: Patch

    var json: JSON {
        [
            "path": .string(path), "name": .string(patch.header.name),
            "fingerprint": .string("\(patch.fingerprint)"), "changes": .count(patch.changes.count),
            "parts": .array(
                patch.parts.map {
                    [
                        "name": .string($0.header.name), "fingerprint": .string("\($0.fingerprint)"),
                        "scale": .number(Double($0.scale)),
                    ]
                }),
        ]
    }

    var lines: String {
        "\(path): \(Figures.count(patch.changes.count, "change")), fingerprint \(patch.fingerprint.short)"
    }
}
