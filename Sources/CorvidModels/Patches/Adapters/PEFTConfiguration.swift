import CorvidText

/// `adapter_config.json` of a PEFT adapter.
struct PEFTConfiguration {
    let file: String
    let json: JSONObject
    let type: String
    let rank: Int
    let alpha: Double
    let usesRankStabilisation: Bool
    let bias: String
    private let ranks, alphas: [(module: String, value: Double)]

    /// Fields that do not change what an adapter does once it is trained, or that its tensors say as well.
    private static let neutral: Set<String> = [
        "peft_type", "auto_mapping", "base_model_name_or_path", "revision", "task_type", "inference_mode",
        "r",
        "target_modules", "exclude_modules", "lora_alpha", "lora_dropout", "fan_in_fan_out", "bias",
        "use_rslora", "modules_to_save", "layers_to_transform", "layers_pattern", "rank_pattern",
        "alpha_pattern", "peft_version", "lora_bias", "qalora_group_size", "eva_config", "megatron_core",
        "runtime_config", "ensure_weight_tying", "loftq_config", "corda_config", "lora_ga_config",
        // Of prefix tuning.
        "num_virtual_tokens", "token_dim", "num_transformer_submodules", "num_attention_heads", "num_layers",
        "encoder_hidden_size", "modules_to_tie",
    ]
    /// Ways to begin that leave the base's weights as they are.
    private static let beginnings: Set<String> = ["gaussian", "eva", "orthogonal", "lora_ga"]

    /// - Throws: ``AdapterError`` for every field that changes the arithmetic and is not supported.
    init(_ json: JSON, file: String) throws {
        let object = json.object ?? JSONObject()
        self.file = file
        self.json = object
        type = object["peft_type"]?.string ?? ""
        guard type == "LORA" || type == "PREFIX_TUNING" else {
            throw AdapterError.field(file: file, name: "peft_type", found: type)
        }
        for (key, value) in object where !Self.neutral.contains(key) {
            if key == "init_lora_weights" {
                let isPlain = value.bool != nil || value.string.map(Self.beginnings.contains) == true
                if isPlain || value.isNull { continue }
                throw AdapterError.field(file: file, name: key, found: value.encoded())
            }
            guard Self.isOff(value) else {
                throw AdapterError.field(file: file, name: key, found: value.encoded())
            }
        }
        rank = object["r"]?.int ?? 8
        alpha = object["lora_alpha"]?.double ?? 8
        usesRankStabilisation = object["use_rslora"]?.bool ?? false
        bias = object["bias"]?.string ?? "none"
        ranks = try Self.pattern(object["rank_pattern"], "rank_pattern", file)
        alphas = try Self.pattern(object["alpha_pattern"], "alpha_pattern", file)
        guard ["none", "all", "lora_only"].contains(bias) else {
            throw AdapterError.field(file: file, name: "bias", found: bias)
        }
        guard alpha.isFinite else {
            throw AdapterError.field(file: file, name: "lora_alpha", found: "\(alpha)")
        }
    }

    private static func isOff(_ value: JSON) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .array(let list): list.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }

    private static func pattern(
        _ value: JSON?, _ name: String, _ file: String
    ) throws -> [(module: String, value: Double)] {
        guard let value, !value.isNull else { return [] }
        guard let object = value.object else {
            throw AdapterError.field(file: file, name: name, found: value.kindName)
        }
        return try object.map { key, value in
            // PEFT reads keys as regular expressions; names with dots are what they are used for.
            let isName = key.drop { $0 == "^" }.allSatisfy { $0.isLetter || $0.isNumber || "._".contains($0) }
            guard isName, let number = value.double, number.isFinite else {
                throw AdapterError.field(file: file, name: name, found: "\(key): \(value.encoded())")
            }
            return (key, number)
        }
    }

    /// As PEFT looks modules up: the key is the end of the name, or with ^ all of it.
    private static func find(_ module: String, _ patterns: [(module: String, value: Double)]) -> Double? {
        patterns.first { pattern in
            pattern.module.hasPrefix("^")
                ? module == pattern.module.dropFirst()
                : module == pattern.module || module.hasSuffix("." + pattern.module)
        }?.value
    }

    /// The factor of a module's product.
    /// - Throws: ``AdapterError`` if the tensors have another rank than the fields say.
    func scale(of module: String, rank found: Int) throws -> Float {
        let expected = Self.find(module, ranks).flatMap { Int(exactly: $0) } ?? rank
        guard expected == found else {
            throw AdapterError.tensor(
                file: file, name: module, reason: "has rank \(found), the fields say \(expected)")
        }
        let alpha = Self.find(module, alphas) ?? alpha
        let scale = usesRankStabilisation ? alpha / Double(found).squareRoot() : alpha / Double(found)
        guard Float(scale).isFinite else {
            throw AdapterError.field(file: file, name: "lora_alpha", found: "\(alpha)")
        }
        return Float(scale)
    }
}
