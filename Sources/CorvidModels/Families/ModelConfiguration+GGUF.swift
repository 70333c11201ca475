import CorvidTensors

extension ModelConfiguration {
    /// Reads the metadata of a GGUF file, whose keys are common to all families.
    public init(gguf file: GGUFFile) throws {
        let path = file.path
        guard let architecture = try file.string("general.architecture") else {
            throw ConfigurationError.missing(file: path, keys: ["general.architecture"])
        }
        guard let family = Family.all.first(where: { $0.gguf?.architecture == architecture }),
            let naming = family.gguf
        else {
            throw ConfigurationError.unknownFamily(
                file: path, found: architecture, known: Family.all.compactMap { $0.gguf?.architecture })
        }
        func key(_ name: String) -> String { "\(architecture).\(name)" }
        func name(_ setting: Setting) -> String? {
            switch setting {
            // Files may leave the size out; the embedding has it in any case.
            case .vocabulary: return "token_embd.weight"
            case .tokenTypes: return "token_types.weight"
            case .normEpsilon:
                return key(
                    family.norm == .rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon")
            case .layers where !family.encoder.isEmpty: return key("decoder_block_count")
            case .encoderLayers: return key("block_count")
            default: return Self.ggufKeys[setting].map(key)
            }
        }
        let isTied = file.entry(named: "output.weight") == nil
        let reader = SettingReader(
            family: family, architecture: .init(architecture, naming.output), file: path, defaults: [:],
            names: { [name($0) ?? $0.rawValue] }
        ) { setting in
            switch setting {
            // GGUF does not say them: the first is what converters leave out, the second is always the same.
            case .scalesLogits: return family.settings[setting].map { _ in ("output.weight", .flag(isTied)) }
            case .distanceLimit: return family.defaults[setting].map { (setting.rawValue, $0) }
            default: break
            }
            guard let name = name(setting) else { return nil }
            switch setting {
            case .vocabulary, .tokenTypes:
                return file.entry(named: name)?.shape.first.map { (name, .integer($0)) }
            case .normEpsilon, .rotaryBase, .slopeMaximum:
                return try file.float(name).map { (name, .number($0)) }
            // 0 stands for no limit.
            case .queryKeyValueLimit:
                return try file.float(name).flatMap { $0 == 0 ? nil : (name, .number($0)) }
            case .blockChoice: return try file.bool(name).map { (name, .flag($0)) }
            case .layers where !family.encoder.isEmpty && !file.has(name):
                // Older files: as many as the other stack has.
                let other = key("block_count")
                return try file.integer(other).map { (other, .integer($0)) }
            default: return file.has(name) ? try file.integer(name).map { (name, .integer($0)) } : nil
            }
        }
        let gate = naming.encoder[.gate]?.all.first?.replacing("{layer}", with: "0") ?? ""
        let isGated = naming.gatedActivation != nil && file.entry(named: gate + ".weight") != nil
        self = try reader.configuration(
            rotaryScaling: { width, _ in (nil, try Self.ggufScaling(file, width: width, key: key)) },
            rotaryPairs: naming.rotaryPairs,
            activation: isGated ? naming.gatedActivation : naming.activation,
            mlp: isGated ? .gated : family.mlp, tiedHead: isTied, labels: [])
    }

    /// How the file stretches positions, read as llama.cpp reads it: a missing type means linear, and a linear
    /// factor applies on top of `rope_freqs.weight`.
    private static func ggufScaling(
        _ file: GGUFFile, width: Int, key: (String) -> String
    ) throws -> RotarySettings.Scaling {
        let typeKey = key("rope.scaling.type")
        let type = try file.string(typeKey) ?? "linear"
        guard type == "none" || type == "linear" else {
            throw ConfigurationError.setting(
                file: file.path, key: typeKey, found: "\"\(FormatError.shown(type))\"",
                expected: "none or linear")
        }
        if let strength = try file.float(key("rope.scaling.attn_factor")), strength != 1 {
            throw ConfigurationError.setting(
                file: file.path, key: key("rope.scaling.attn_factor"), found: "\(strength)",
                expected: "1 or no such key")
        }
        var factor = 1.0
        if type == "linear" {
            // The second is what old files call it. 0 means that there is no factor.
            for name in ["rope.scaling.factor", "rope.scale_linear"].map(key) {
                guard let found = try file.float(name) else { continue }
                guard found.isFinite, found >= 0 else {
                    throw ConfigurationError.setting(
                        file: file.path, key: name, found: "\(found)", expected: "a number above 0")
                }
                if found > 0 { factor = found }
                break
            }
        }
        guard let divisors = try file.tensor(named: "rope_freqs.weight") else {
            return factor == 1 ? .none : .linear(factor: factor)
        }
        let values = try divisors.floats().map(Double.init)
        guard values.count == width / 2, values.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw ConfigurationError.relation(
                file: file.path, text: "rope_freqs.weight must hold \(width / 2) numbers above 0")
        }
        return .divisors(values.map { $0 * factor })
    }

    private static let ggufKeys: [Setting: String] = [
        .width: "embedding_length", .layers: "block_count", .heads: "attention.head_count",
        .keyValueHeads: "attention.head_count_kv", .headWidth: "attention.key_length",
        .hidden: "feed_forward_length", .context: "context_length",
        .rotaryWidth: "rope.dimension_count", .rotaryBase: "rope.freq_base",
        .slopeMaximum: "attention.max_alibi_bias", .queryKeyValueLimit: "attention.clamp_kqv",
        .blockChoice: "use_parallel_residual",
        .distanceBuckets: "attention.relative_buckets_count", .startToken: "decoder_start_token_id",
    ]
}
