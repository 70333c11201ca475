import CorvidModels
import CorvidRuns
import Foundation

/// The files behind the paths that commands are given.
enum RunFiles {
    /// The files that a model is made of. One that cannot be opened has none: the command says why.
    static func model(at path: String, _ store: RunStore) -> [RunFile] {
        guard let files = try? ModelFiles(path: path) else { return [] }
        let small = [".json", ".txt", ".model", ".jinja"]
        let others = (files.folder?.names ?? []).filter { name in
            !name.hasPrefix(".") && small.contains { name.hasSuffix($0) }
        }
        let paths = files.weightFiles + others.compactMap { files.folder?.path(of: $0) }
        return paths.map { file(at: absolute($0), .model, store) }
    }

    /// A file, or the files that lie in a folder. What is no file has no digest.
    static func at(_ path: String, _ role: RunFile.Role, _ store: RunStore) -> [RunFile] {
        guard path != RunFile.standardInput, !path.isEmpty else {
            return [RunFile(role: role, path: path, byteCount: nil, digest: nil)]
        }
        let path = absolute(path)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [file(at: path, role, store)]
        }
        return names.sorted().map { path + "/" + $0 }.filter(isRegular).map { file(at: $0, role, store) }
    }

    /// A file as it is now.
    static func file(at path: String, _ role: RunFile.Role, _ store: RunStore) -> RunFile {
        if isRegular(path), let file = try? store.file(role, at: path) { return file }
        return RunFile(role: role, path: path, byteCount: nil, digest: nil)
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// A pipe would be read to its end, and be empty for the command.
    private static func isRegular(_ path: String) -> Bool {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: resolved)
        return attributes?[.type] as? FileAttributeType == .typeRegular
    }
}
