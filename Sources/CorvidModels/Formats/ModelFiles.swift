import CorvidTensors
import CorvidText
import Foundation

/// The files of one model, opened: a folder in Hugging Face layout or a GGUF file.
///
///     let files = try ModelFiles(path: "models/gpt-j-6b")
///     let width = files.config?["n_embd"]?.int
///     let embedding = try files.tensors.tensor(named: "transformer.wte.weight")
public struct ModelFiles: Sendable {
    /// How the files lie, and with that what they call the weights.
    public enum Layout: Sendable {
        case huggingFace
        case gguf
    }

    /// As it was given.
    public let path: String
    /// How the weights are stored.
    public let format: WeightFormat
    public let tensors: any TensorSource
    /// Paths of the files that hold tensors.
    public let weightFiles: [String]
    /// The GGUF file with its metadata; nil for a Hugging Face folder.
    public let gguf: GGUFFile?
    /// The folder with tokenizer files and the like; nil for a GGUF file.
    public let folder: ModelFolder?
    /// config.json, an object; nil for a GGUF file.
    public let config: JSON?
    /// generation_config.json, an object, if there is one.
    public let generationConfig: JSON?

    public var layout: Layout { format == .gguf ? .gguf : .huggingFace }

    /// Opens what lies at `path`: a GGUF file (one or all of its parts), a folder in Hugging Face layout, or
    /// a folder without config.json that holds exactly one GGUF checkpoint.
    /// - Throws: ``CheckpointError``, ``FormatError``, `MemoryError`.
    public init(path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CheckpointError.notFound(path: path)
        }
        if isFolder.boolValue {
            let folder = try ModelFolder(path: path)
            if folder.has("config.json") {
                try self.init(huggingFace: folder)
            } else {
                try self.init(path: path, gguf: Self.ggufFile(in: folder))
            }
        } else if let format = WeightFormat(file: path), format != .gguf {
            throw CheckpointError.notModel(
                path: path, found: "a single \(format.title) file without config.json")
        } else {
            try self.init(path: path, gguf: path)
        }
    }

    private init(path: String, gguf file: String) throws {
        let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size]) as? Int
        if size == 0 { throw CheckpointError.incomplete(file: file, reason: "is empty") }
        self.init(gguf: try GGUFFile(path: file), path: path)
    }

    /// The files of a GGUF checkpoint that is open already.
    public init(gguf: GGUFFile) { self.init(gguf: gguf, path: gguf.path) }

    private init(gguf: GGUFFile, path: String) {
        self.path = path
        format = .gguf
        tensors = gguf
        weightFiles = gguf.files
        self.gguf = gguf
        folder = nil
        config = nil
        generationConfig = nil
    }

    private init(huggingFace folder: ModelFolder) throws {
        config = try folder.json("config.json")
        generationConfig = try folder.json("generation_config.json")
        let weights = try FolderWeights(folder)
        tensors = weights.tensors
        weightFiles = weights.files
        path = folder.path
        format = weights.format
        gguf = nil
        self.folder = folder
    }

    /// Bytes of all weight files' tensors.
    public var tensorBytes: Int {
        tensors.entries.reduce(0) { total, entry in CheckedArithmetic.sum(total, entry.byteCount) ?? Int.max }
    }

    /// The only GGUF checkpoint in a folder without config.json.
    private static func ggufFile(in folder: ModelFolder) throws -> String {
        let files = firstParts(folder.names.filter { $0.hasSuffix(".gguf") })
        guard let file = files.first else { throw withoutConfig(folder) }
        guard files.count == 1 else { throw CheckpointError.several(folder: folder.path, files: files) }
        try folder.checkWhole(file)
        return folder.path(of: file)
    }

    /// Of split checkpoints only the first part.
    private static func firstParts(_ names: [String]) -> [String] {
        names.filter { name in
            guard let match = name.wholeMatch(of: /.+-([0-9]{5})-of-[0-9]{5}\.gguf/) else { return true }
            return match.1 == "00001"
        }
    }

    private static func withoutConfig(_ folder: ModelFolder) -> CheckpointError {
        if let leftover = folder.leftovers.first {
            return .incomplete(
                file: folder.path(of: leftover), reason: "is left of a download, and config.json is missing")
        }
        return .missingConfig(folder: folder.path)
    }
}
