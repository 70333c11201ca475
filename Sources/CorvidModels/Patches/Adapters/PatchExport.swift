import CorvidTensors
import CorvidText
import Foundation

/// Formats of other programs that patches are written in.
public enum PatchExportFormat: String, Sendable, CaseIterable {
    case peft
    case mlx
    /// llama.cpp's LoRA, or its control vectors for additions at the outputs of blocks.
    case gguf
}

/// Writes a patch for another program. What that program has no form for is refused; nothing is left out.
public struct PatchExport {
    private let patch: Patch
    private let configuration: ModelConfiguration
    private let format: PatchExportFormat

    /// - Parameter configuration: of the model that the patch is for: its family says what its weights are called.
    public init(_ patch: Patch, for configuration: ModelConfiguration, as format: PatchExportFormat) throws {
        _ = try PatchStack([.init(patch)]).overlay(for: configuration)
        self.patch = try patch.flattened()
        self.configuration = configuration
        self.format = format
    }

    /// Writes a folder (PEFT, MLX) or a file (GGUF), whole or not at all.
    /// - Throws: ``AdapterError``, ``WriteError``.
    public func write(to path: String) throws {
        switch format {
        case .peft: try writePEFT(path)
        case .mlx: try writeMLX(path)
        case .gguf: try isControlVector ? writeControlVector(path) : writeGGUF(path)
        }
    }

    private func refuse(_ change: Patch.Change, _ reason: String) -> AdapterError {
        .export(format: format.rawValue, place: "\(change.kind.rawValue) at \(change.place)", reason: reason)
    }

    /// A low-rank change of a matrix or a table.
    private struct Factors {
        let target: WeightTarget
        let down, up: Tensor
        let scale: Float
        var isTable: Bool { target.role.isTable }
        var rank: Int { down.rows }
    }

    private func factors() throws -> [Factors] {
        try patch.changes.map { change in
            switch change {
            case .lowRank(let delta):
                return Factors(target: delta.target, down: delta.down, up: delta.up, scale: delta.scale)
            case .tableLowRank(let delta):
                return Factors(target: delta.target, down: delta.down, up: delta.up, scale: delta.scale)
            default: throw refuse(change, "only low-rank changes of weights have a form there")
            }
        }
    }

    private func name(_ target: WeightTarget, _ names: ModuleNames) throws -> String {
        guard let name = names.name(of: target) else {
            throw AdapterError.export(
                format: format.rawValue, place: "\(target)", reason: "the weight has no name there")
        }
        return name
    }

    /// Fills a new folder.
    private func fill(_ path: String, _ body: (String) throws -> Void) throws {
        guard !FileManager.default.fileExists(atPath: path) else { throw ConversionError.exists(path: path) }
        let (parent, name) = WritePlace.split(path)
        let partial = parent + "." + name + ".\(UInt32.random(in: 0...UInt32.max)).partial"
        guard mkdir(partial, 0o755) == 0 else { throw WriteError.system(path, "creating a folder beside it") }
        do {
            try body(partial)
            try AtomicFile.flush(folder: partial, path)
            guard rename(partial, path) == 0 else { throw WriteError.system(path, "renaming") }
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
        try AtomicFile.flush(folder: parent.isEmpty ? "." : parent, path)
    }

    private func write(_ json: JSON, to path: String) throws {
        try AtomicFile.write(to: path) {
            try $0.write(json.encodedBytes(pretty: true) + [UInt8(ascii: "\n")])
        }
    }

    // MARK: PEFT

    private func writePEFT(_ path: String) throws {
        let names = ModuleNames(configuration)
        var tensors: [(String, Tensor)] = []
        var modules: [JSON] = []
        var ranks = JSONObject()
        var alphas = JSONObject()
        for factors in try factors() {
            let module = try name(factors.target, names)
            let prefix = "base_model.model." + module
            if factors.isTable {
                tensors.append((prefix + ".lora_embedding_A", factors.down))
                tensors.append((prefix + ".lora_embedding_B", factors.up))
            } else {
                tensors.append((prefix + ".lora_A.weight", factors.down))
                tensors.append((prefix + ".lora_B.weight", factors.up))
            }
            modules.append(.string(module))
            ranks["^" + module] = .integer(Int64(factors.rank))
            alphas["^" + module] = .number(Double(factors.scale) * Double(factors.rank))
        }
        let config: JSON = [
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "", "revision": .null,
            "inference_mode": true, "r": 8, "lora_alpha": 8, "lora_dropout": 0, "bias": "none",
            "target_modules": .array(modules), "rank_pattern": .object(ranks),
            "alpha_pattern": .object(alphas), "use_rslora": false, "use_dora": false,
            "fan_in_fan_out": .bool(configuration.family.orientation == .columns), "modules_to_save": .null,
            "layers_to_transform": .null, "layers_pattern": .null, "init_lora_weights": true,
        ]
        try fill(path) { folder in
            try SafetensorsWriter.write(
                tensors, metadata: ["format": "pt"], to: folder + "/adapter_model.safetensors")
            try write(config, to: folder + "/adapter_config.json")
        }
    }

    // MARK: MLX

    private func writeMLX(_ path: String) throws {
        let names = ModuleNames(configuration)
        let all = try factors()
        // There is one rank and one scale for all: shorter ones are filled up with zeros.
        let rank = all.map(\.rank).max() ?? 1
        let common = Set(all.map(\.scale))
        let scale = common.count == 1 ? common.first ?? 1 : 1
        var tensors: [(String, Tensor)] = []
        for factors in all {
            let module = try name(factors.target, names)
            let factor = factors.scale / scale
            let up = factor == 1 ? factors.up : try factors.up.multiplied(by: factor)
            tensors.append((module + ".lora_a", try factors.down.padded(rows: rank).transposed()))
            tensors.append((module + ".lora_b", try up.transposed().padded(rows: rank)))
        }
        let layers = Set(all.compactMap(\.target.layer))
        let config: JSON = [
            "fine_tune_type": "lora",
            "num_layers": .integer(Int64(layers.min().map { configuration.layers - $0 } ?? 0)),
            "lora_parameters": [
                "rank": .integer(Int64(rank)), "scale": .number(Double(scale)), "dropout": 0,
            ],
        ]
        try fill(path) { folder in
            try SafetensorsWriter.write(tensors, to: folder + "/adapters.safetensors")
            try write(config, to: folder + "/adapter_config.json")
        }
    }

    // MARK: GGUF

    private var isControlVector: Bool { patch.changes.contains { $0.kind == .addition } }

    private func architecture() throws -> String {
        guard let naming = configuration.family.gguf else {
            throw ConversionError.family(
                name: configuration.family.name, known: Family.all.filter { $0.gguf != nil }.map(\.name))
        }
        return naming.architecture
    }

    private func writeGGUF(_ path: String) throws {
        let names = ModuleNames(configuration, isGGUF: true)
        let all = try factors()
        let alphas = Set(all.map { Double($0.scale) * Double($0.rank) })
        // alpha / rank is the factor; without a common one it goes into the second matrix.
        let alpha = alphas.count == 1 ? Float(alphas.first ?? 0) : 0
        var tensors: [(String, Tensor)] = []
        for factors in all {
            let module = try name(factors.target, names)
            var up =
                alpha == 0 && factors.scale != 1 ? try factors.up.multiplied(by: factors.scale) : factors.up
            if let order = GGUFRows.order(factors.target, configuration, rows: up.rows) {
                var inverse = [Int](repeating: 0, count: order.count)
                for (place, row) in order.enumerated() { inverse[row] = place }
                up = try up.ordered(inverse)
            }
            let down = factors.isTable ? try factors.down.transposed() : factors.down
            tensors.append((module + ".weight.lora_a", down))
            tensors.append((module + ".weight.lora_b", up))
        }
        try write(
            tensors,
            keys: [
                ("general.architecture", .string(try architecture())), ("general.type", .string("adapter")),
                ("general.name", .string(patch.header.name)), ("adapter.type", .string("lora")),
                ("adapter.lora.alpha", .f32(alpha)),
            ], to: path)
    }

    private func writeControlVector(_ path: String) throws {
        var vectors: [Int: [Float]] = [:]
        for change in patch.changes {
            guard case .addition(let addition) = change, addition.site.kind == .output,
                let layer = addition.site.layer, addition.part == .all, addition.firstPosition == nil
            else { throw refuse(change, "control vectors are added to outputs of blocks") }
            guard addition.positions == .all else {
                throw refuse(change, "control vectors are added at every position")
            }
            guard layer > 0 else { throw refuse(change, "control vectors begin with the second block") }
            let values = try addition.values.floats().map { $0 * addition.scale }
            vectors[layer] = vectors[layer].map { zip($0, values).map { $0 + $1 } } ?? values
        }
        let tensors = try vectors.sorted { $0.key < $1.key }.map { layer, values in
            ("direction.\(layer)", try Tensor(values, shape: [values.count]))
        }
        try write(
            tensors,
            keys: [
                ("general.architecture", .string("controlvector")),
                ("controlvector.model_hint", .string(try architecture())),
                ("controlvector.layer_count", .u32(UInt32(clamping: vectors.count))),
            ], to: path)
    }

    private func write(
        _ tensors: [(String, Tensor)], keys: [(key: String, value: GGUFNewValue)], to path: String
    ) throws {
        let named = Dictionary(tensors, uniquingKeysWith: { first, _ in first })
        let plans = try tensors.map { try TensorPlan(name: $0.0, type: $0.1.type, shape: $0.1.shape) }
        try GGUFWriter.write(keys: keys, plans, to: path) { plan, emit in
            if let tensor = named[plan.name] { try emit(tensor.bytes) }
        }
    }
}

extension Tensor {
    /// A matrix with rows of zeros behind its own, in f32 if there are any.
    fileprivate func padded(rows count: Int) throws -> Tensor {
        guard count > rows else { return self }
        let values = try floats() + [Float](repeating: 0, count: (count - rows) * columns)
        return try Tensor(values, shape: [count, columns])
    }
}
