import CorvidTensors
import CorvidText

/// Reads a folder that PEFT wrote: adapter_config.json and adapter_model.safetensors.
///
/// Source: the format as PEFT 0.21 writes it. DoRA, adapters that change the base (PiSSA, OLoRA, CorDA) and every
/// field that this does not know and that is not off are refused by name.
struct PEFTImport {
    private let configuration: PEFTConfiguration
    private let file: AdapterFile
    private let model: Model
    private let names: ModuleNames
    private let base: BaseWeights
    private static let prefix = "base_model.model."

    /// - Throws: ``AdapterError``, ``CheckpointError``, ``FormatError``.
    init(_ folder: ModelFolder, for model: Model) throws {
        let configFile = folder.path(of: "adapter_config.json")
        guard let json = try folder.json("adapter_config.json") else {
            throw AdapterError.missing(file: folder.path, name: "adapter_config.json")
        }
        configuration = try PEFTConfiguration(json, file: configFile)
        self.model = model
        names = ModuleNames(model.configuration)
        base = BaseWeights(model)
        if folder.has("adapter_model.safetensors") {
            let path = folder.path(of: "adapter_model.safetensors")
            try folder.checkWhole("adapter_model.safetensors")
            file = AdapterFile(source: try SafetensorsFile(path: path), path: path)
        } else if folder.has("adapter_model.bin") {
            let path = folder.path(of: "adapter_model.bin")
            file = AdapterFile(source: try PyTorchFile(path: path), path: path)
        } else {
            throw AdapterError.missing(file: folder.path, name: "adapter_model.safetensors")
        }
    }

    func patch(name: String) throws -> Patch {
        var header = PatchHeader(
            name: name, method: configuration.type == "LORA" ? "lora" : "prefix-tuning",
            settings: .object(configuration.json))
        header.data = [
            .init(name: "adapter_model", digest: try Digest(fileAt: file.path))
        ]
        return try Patch(header, configuration.type == "LORA" ? lora() : [prefix()])
    }

    // MARK: LoRA

    private func lora() throws -> [Patch.Change] {
        var changes: [Patch.Change] = []
        for key in file.source.names.sorted() {
            guard key.hasPrefix(Self.prefix) else {
                throw AdapterError.module(file: file.path, name: key, family: model.configuration.family.name)
            }
            let name = String(key.dropFirst(Self.prefix.count))
            if let module = name.without(".lora_A.weight") {
                changes.append(try product(module, key))
            } else if let module = name.without(".lora_B.bias") {
                let rank = try file.matrix(Self.prefix + module + ".lora_A.weight").rows
                let target = try target(module)
                let scale = try configuration.scale(of: module, rank: rank)
                let bias = try file.numbers(key, axes: 1)
                changes.append(
                    try file.change(key) { .bias(try BiasDelta(target, bias, scale: scale)) })
            } else if let module = name.without(".lora_embedding_A") {
                changes.append(try table(module, key))
            } else if name.without(".lora_B.weight") ?? name.without(".lora_embedding_B") != nil {
                continue  // Read with its other half.
            } else if let change = try whole(name, key) {
                changes.append(change)
            }
        }
        guard !changes.isEmpty else {
            throw AdapterError.missing(file: file.path, name: "any tensor of an adapter")
        }
        return changes
    }

    private func target(_ module: String) throws -> WeightTarget {
        guard let target = names.target(of: module) else {
            throw AdapterError.module(file: file.path, name: module, family: model.configuration.family.name)
        }
        return target
    }

    private func product(_ module: String, _ key: String) throws -> Patch.Change {
        let target = try target(module)
        let down = try file.matrix(key)
        let up = try file.matrix(Self.prefix + module + ".lora_B.weight")
        let scale = try configuration.scale(of: module, rank: down.rows)
        return try file.change(key) { .lowRank(try LowRankDelta(target, down: down, up: up, scale: scale)) }
    }

    private func table(_ module: String, _ key: String) throws -> Patch.Change {
        let target = try target(module)
        let down = try file.matrix(key)
        let up = try file.matrix(Self.prefix + module + ".lora_embedding_B")
        let scale = try configuration.scale(of: module, rank: down.rows)
        return try file.change(key) {
            .tableLowRank(try TableLowRank(target, down: down, up: up, scale: scale))
        }
    }

    /// A weight or bias that was trained as a whole (`modules_to_save`, `bias`): what it has more than the base.
    /// nil if it has nothing more.
    private func whole(_ name: String, _ key: String) throws -> Patch.Change? {
        let plain = name.replacing(".base_layer.", with: ".").replacing(".modules_to_save.", with: ".")
        let part = plain.hasSuffix(".bias") ? "bias" : "weight"
        guard let module = plain.without("." + part), let target = names.target(of: module) else {
            if name.contains("lora_magnitude_vector") {
                throw AdapterError.field(file: configuration.file, name: "use_dora", found: "true")
            }
            throw AdapterError.module(file: file.path, name: name, family: model.configuration.family.name)
        }
        if part == "bias" || target.role.isNorm {
            let new = try file.numbers(key, axes: 1)
            guard let difference = try difference(new, try base.vector(target, part: part), key) else {
                return nil
            }
            return try file.change(key) {
                if target.role.isNorm {
                    return .norm(
                        try NormDeltaChange(
                            target, weight: part == "weight" ? difference : nil,
                            bias: part == "bias" ? difference : nil))
                }
                return .bias(try BiasDelta(target, difference))
            }
        }
        var new = try file.matrix(key)
        if target.role.isOriented, model.configuration.family.orientation == .columns {
            new = try new.transposed()
        }
        let old = try base.matrix(target)
        guard let old, [old.rows, old.columns] == new.shape else {
            throw AdapterError.tensor(
                file: file.path, name: key,
                reason:
                    "has shape \(new.shape), the model \(old.map { "[\($0.rows), \($0.columns)]" } ?? "none")"
            )
        }
        guard let difference = try difference(new, old.values, key) else { return nil }
        return try file.change(key) {
            if target.role.isTable {
                return .tableRows(
                    try TableRows(
                        target, rows: old.rows, indices: Array(0..<old.rows), values: difference))
            }
            return .dense(try DenseDelta(target, difference))
        }
    }

    private func difference(_ new: Tensor, _ old: [Float]?, _ key: String) throws -> Tensor? {
        guard let old, old.count == new.count else {
            throw AdapterError.tensor(
                file: file.path, name: key, reason: "has \(new.count) values, the model \(old?.count ?? 0)")
        }
        let values = zip(try new.floats(), old).map { $0 - $1 }
        return values.allSatisfy { $0 == 0 } ? nil : try Tensor(values, shape: new.shape)
    }

    // MARK: Prefix tuning

    /// `prompt_embeddings` `[positions, layers * 2 * width]`: for each layer its keys, then its values.
    private func prefix() throws -> Patch.Change {
        let c = model.configuration
        let tensor = try file.matrix("prompt_embeddings")
        let width = c.keyValueHeads * c.headWidth
        let positions = tensor.rows
        guard tensor.columns == 2 * c.layers * width else {
            throw AdapterError.tensor(
                file: file.path, name: "prompt_embeddings",
                reason:
                    "has \(tensor.columns) values for each position, the model needs \(2 * c.layers * width)")
        }
        let values = try tensor.floats()
        func part(_ offset: Int) throws -> Tensor {
            var numbers: [Float] = []
            for layer in 0..<c.layers {
                for position in 0..<positions {
                    let start = position * tensor.columns + (2 * layer + offset) * width
                    numbers += values[start..<start + width]
                }
            }
            return try Tensor(numbers, shape: [c.layers, positions, width])
        }
        return .prefix(try PrefixChange(keys: part(0), values: part(1)))
    }
}

extension String {
    /// What stands before an ending; nil if it does not end so.
    func without(_ suffix: String) -> String? {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
    }
}
