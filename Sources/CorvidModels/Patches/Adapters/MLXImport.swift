import CorvidTensors
import CorvidText

/// Reads an adapter folder of mlx-lm: adapter_config.json with `lora_parameters`, and adapters.safetensors with
/// `lora_a` `[inputs, rank]` and `lora_b` `[rank, outputs]`.
struct MLXImport {
    private let file: AdapterFile
    private let model: Model
    private let settings: JSON
    private let scale: Float

    /// - Throws: ``AdapterError``, ``CheckpointError``, ``FormatError``.
    init(_ folder: ModelFolder, for model: Model) throws {
        let configFile = folder.path(of: "adapter_config.json")
        guard let json = try folder.json("adapter_config.json") else {
            throw AdapterError.missing(file: folder.path, name: "adapter_config.json")
        }
        let kind = json["fine_tune_type"]?.string ?? "lora"
        guard kind == "lora" else {
            throw AdapterError.field(file: configFile, name: "fine_tune_type", found: kind)
        }
        guard let parameters = json["lora_parameters"], let scale = parameters["scale"]?.double,
            Float(scale).isFinite
        else { throw AdapterError.missing(file: configFile, name: "scale in lora_parameters") }
        self.scale = Float(scale)
        settings = parameters
        self.model = model
        let path = folder.path(of: "adapters.safetensors")
        guard folder.has("adapters.safetensors") else {
            throw AdapterError.missing(file: folder.path, name: "adapters.safetensors")
        }
        try folder.checkWhole("adapters.safetensors")
        file = AdapterFile(source: try SafetensorsFile(path: path), path: path)
    }

    func patch(name: String) throws -> Patch {
        let names = ModuleNames(model.configuration)
        let family = model.configuration.family.name
        var changes: [Patch.Change] = []
        for key in file.source.names.sorted() {
            if key.hasSuffix(".lora_b") { continue }
            guard let module = key.without(".lora_a") else {
                throw AdapterError.module(file: file.path, name: key, family: family)
            }
            guard let target = names.target(of: module) else {
                throw AdapterError.module(file: file.path, name: module, family: family)
            }
            let down = try file.matrix(key).transposed()
            let up = try file.matrix(module + ".lora_b").transposed()
            changes.append(
                try file.change(key) {
                    target.role.isTable
                        ? .tableLowRank(try TableLowRank(target, down: down, up: up, scale: scale))
                        : .lowRank(try LowRankDelta(target, down: down, up: up, scale: scale))
                })
        }
        guard !changes.isEmpty else {
            throw AdapterError.missing(file: file.path, name: "any tensor of an adapter")
        }
        var header = PatchHeader(name: name, method: "lora", settings: settings)
        header.data = [.init(name: "adapters", digest: try Digest(fileAt: file.path))]
        return try Patch(header, changes)
    }
}
