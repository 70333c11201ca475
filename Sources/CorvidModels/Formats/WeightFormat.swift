import Foundation

/// How a model's weights are stored.
public enum WeightFormat: String, Sendable {
    case safetensors
    case pytorch
    case gguf

    /// What a Hugging Face folder calls its weights, in the order of preference, which is that of the
    /// transformers library. Each format has one file or an index of several.
    static let folders: [(format: WeightFormat, file: String, index: String)] = [
        (.safetensors, "model.safetensors", "model.safetensors.index.json"),
        (.pytorch, "pytorch_model.bin", "pytorch_model.bin.index.json"),
    ]

    /// The format of the file at `path` by the end of its name; nil if that says nothing, and for a folder.
    public init?(file path: String) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return nil
        }
        let name = path.lowercased()
        if name.hasSuffix(".safetensors") {
            self = .safetensors
        } else if name.hasSuffix(".gguf") {
            self = .gguf
        } else if [".bin", ".pt", ".pth"].contains(where: name.hasSuffix) {
            self = .pytorch
        } else {
            return nil
        }
    }

    /// What a person calls a file of this format.
    public var title: String {
        switch self {
        case .safetensors: "safetensors"
        case .pytorch: "PyTorch"
        case .gguf: "GGUF"
        }
    }

    /// Opens a file of this format.
    /// - Throws: ``FormatError``, `MemoryError`.
    public func open(_ path: String) throws -> any TensorSource {
        switch self {
        case .safetensors: try SafetensorsFile(path: path)
        case .pytorch: try PyTorchFile(path: path)
        case .gguf: try GGUFFile(path: path)
        }
    }
}
