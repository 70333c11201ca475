import Foundation

extension Patch {
    /// Opens whatever changes a model: a patch, or what another program wrote (a PEFT or mlx-lm adapter folder,
    /// llama.cpp's GGUF adapters and control vectors), read as a patch for this model.
    /// - Throws: ``PatchFileError``, ``AdapterError``, ``FormatError``, ``CheckpointError``, `MemoryError`.
    public static func open(_ path: String, for model: Model) throws -> Patch {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        switch try PatchSource(path) {
        case .patch(let file): return try PatchFile.read(file)
        case .gguf(let file): return try GGUFAdapterImport(file, for: model).patch(name: name)
        case .peft(let folder): return try PEFTImport(folder, for: model).patch(name: name)
        case .mlx(let folder): return try MLXImport(folder, for: model).patch(name: name)
        }
    }
}

/// What lies at a path that shall be a patch.
enum PatchSource {
    case patch(SafetensorsFile)
    case gguf(GGUFFile)
    case peft(ModelFolder)
    case mlx(ModelFolder)

    /// - Throws: ``PatchFileError/notPatch(file:)``, ``FormatError``, `MemoryError`.
    init(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CheckpointError.notFound(path: path)
        }
        if isFolder.boolValue {
            let folder = try ModelFolder(path: path)
            guard folder.has("adapter_config.json") else { throw PatchFileError.notPatch(file: path) }
            self = folder.has("adapters.safetensors") ? .mlx(folder) : .peft(folder)
        } else if WeightFormat(file: path) == .gguf {
            let file = try GGUFFile(path: path)
            guard try GGUFAdapterImport.isAdapter(file) else { throw PatchFileError.notPatch(file: path) }
            self = .gguf(file)
        } else {
            let file = try SafetensorsFile(path: path)
            guard PatchFile.isPatch(file) else { throw PatchFileError.notPatch(file: path) }
            self = .patch(file)
        }
    }
}
