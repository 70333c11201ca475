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
        let embedding = file.entry(named: "token_embd.weight")
        let reader = SettingReader(family: family, file: path) { setting in
            if setting == .vocabulary {
                // Files may leave the size out; the embedding has it in any case.
                guard let rows = embedding?.shape.first else { return nil }
                return ("token_embd.weight", .integer(rows))
            }
            if setting == .normEpsilon {
                let name = key(
                    family.norm == .rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon")
                return try file.float(name).map { (name, .number($0)) }
            }
            guard let name = Self.ggufKeys[setting].map(key), file.has(name) else { return nil }
            if setting == .rotaryBase {
                return try file.float(name).map { (name, .number($0)) }
            }
            return try file.integer(name).map { (name, .integer($0)) }
        }
        let divisors = try file.tensor(named: "rope_freqs.weight")
        self = try reader.configuration(
            rotaryScaling: { width, context in
                if let divisors {
                    let values = try divisors.floats().map(Double.init)
                    guard values.count == width / 2, values.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                        throw ConfigurationError.relation(
                            file: path, text: "rope_freqs.weight must hold \(width / 2) numbers above 0")
                    }
                    return (nil, .divisors(values))
                }
                let type = try file.string(key("rope.scaling.type")) ?? "none"
                let factor = try file.float(key("rope.scaling.factor")) ?? 1
                switch type {
                case "none": return (nil, .none)
                case "linear" where factor.isFinite && factor > 0: return (nil, .linear(factor: factor))
                default:
                    throw ConfigurationError.setting(
                        file: path, key: key("rope.scaling.type"), found: "\"\(FormatError.shown(type))\"",
                        expected: "none, or linear with a factor above 0")
                }
            },
            rotaryPairs: naming.rotaryPairs, activation: naming.activation,
            tiedHead: file.entry(named: "output.weight") == nil)
    }

    private static let ggufKeys: [Setting: String] = [
        .width: "embedding_length", .layers: "block_count", .heads: "attention.head_count",
        .keyValueHeads: "attention.head_count_kv", .headWidth: "attention.key_length",
        .hidden: "feed_forward_length", .context: "context_length",
        .rotaryWidth: "rope.dimension_count", .rotaryBase: "rope.freq_base",
    ]
}
