import CorvidText
import Foundation

/// A tokenizer without the weights that it was made for.
public enum TokenizerFiles {
    private static let names = [
        "tokenizer.json", "vocab.json", "tokenizer.model", "spiece.model",
        "sentencepiece.bpe.model", "vocab.txt",
    ]

    /// Reads the tokenizer at `path`: that of a model, a folder that has only the files of a tokenizer, or one of
    /// these files. Files beside it say which tokens are special. Weights are not looked at.
    /// - Throws: `TokenizerError`, ``CheckpointError``, ``FormatError``, `MemoryError`.
    public static func load(path: String) throws -> any Tokenizer {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CheckpointError.notFound(path: path)
        }
        if isFolder.boolValue {
            let folder = try ModelFolder(path: path)
            guard names.contains(where: folder.has) else { return try ModelFiles(path: path).tokenizer() }
            return try PipelineTokenizer.load(in: path, files: { try folder.bytes(of: $0) })
        }
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let file = String(path[start...])
        guard let name = standard(file) else { return try ModelFiles(path: path).tokenizer() }
        let folder = try ModelFolder(path: start == path.startIndex ? "." : String(path[..<start]))
        return try PipelineTokenizer.load(in: folder.path, otherName: [name: file]) { asked in
            if asked == name { return try folder.bytes(of: file) }
            // Beside the file that was named, other tokenizers do not count.
            return names.contains(asked) ? nil : try folder.bytes(of: asked)
        }
    }

    /// Under which of ``names`` a file is read.
    private static func standard(_ name: String) -> String? {
        if names.contains(name) { return name }
        let ends = [".json": "tokenizer.json", ".model": "tokenizer.model", ".txt": "vocab.txt"]
        return ends.first { name.lowercased().hasSuffix($0.key) }?.value
    }
}
