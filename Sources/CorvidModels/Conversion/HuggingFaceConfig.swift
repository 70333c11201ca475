import CorvidTensors
import CorvidText

/// config.json of a folder that is written.
enum HuggingFaceConfig {
    /// That of the source, with the new type.
    static func copied(_ config: JSON, type: DType) -> JSON {
        guard var object = config.object else { return config }
        for key in ["dtype", "torch_dtype"] where object[key] != nil { object[key] = typeName(type) }
        setQuantisation(&object, type)
        return .object(object)
    }

    /// The settings of a model from a GGUF file.
    /// - Throws: ``ConversionError`` for what config.json cannot say.
    static func made(
        _ configuration: ModelConfiguration, hasHead: Bool, tokens: SpecialTokens?, type: DType, path: String
    ) throws -> JSON {
        let family = configuration.family
        var object: JSONObject = [
            "architectures": [.string(family.architectures.first?.name ?? family.name)],
            "model_type": .string(family.modelType), "torch_dtype": typeName(type),
        ]
        func set(_ setting: Setting, _ value: JSON) {
            if let key = family.settings[setting]?.first { object[key] = value }
        }
        set(.width, .integer(Int64(configuration.width)))
        set(.layers, .integer(Int64(configuration.layers)))
        set(.heads, .integer(Int64(configuration.heads)))
        set(.keyValueHeads, .integer(Int64(configuration.keyValueHeads)))
        set(.headWidth, .integer(Int64(configuration.headWidth)))
        set(.hidden, .integer(Int64(configuration.hidden)))
        set(.vocabulary, .integer(Int64(configuration.vocabulary)))
        set(.context, .integer(Int64(configuration.context)))
        set(.normEpsilon, number(configuration.normEpsilon))
        set(.tiedHead, .bool(configuration.tiedHead ?? !hasHead))
        set(.activation, .string(try activation(configuration.activation, path: path)))
        if let rotary = configuration.rotary {
            set(.rotaryWidth, .integer(Int64(rotary.width)))
            set(.rotaryBase, number(Float(rotary.base)))
            switch rotary.scaling {
            case .none: break
            case .linear(let factor):
                object["rope_scaling"] = [
                    "type": "linear", "rope_type": "linear", "factor": number(Float(factor)),
                ]
            case .dynamic, .llama3, .divisors:
                throw ConversionError.setting(path: path, what: "frequencies have divisors of their own")
            }
            let canSayWidth = family.settings[.rotaryWidth] != nil
            let canSayBase = family.settings[.rotaryBase] != nil
            guard canSayWidth || rotary.width == configuration.headWidth, canSayBase || rotary.base == 10_000
            else { throw ConversionError.setting(path: path, what: "positions are rotated otherwise") }
        }
        guard
            family.settings[.headWidth] != nil
                || configuration.headWidth * configuration.heads == configuration.width
        else { throw ConversionError.setting(path: path, what: "heads are not width / heads wide") }
        let roles = [
            ("bos_token_id", tokens?.beginningOfSequence), ("eos_token_id", tokens?.endOfSequence),
            ("pad_token_id", tokens?.padding),
        ]
        for (key, id) in roles {
            if let id { object[key] = .integer(Int64(id)) }
        }
        setQuantisation(&object, type)
        return .object(object)
    }

    /// `config` of a model that lost heads.
    static func without(_ removal: HeadRemoval, _ config: JSON, _ configuration: ModelConfiguration) -> JSON {
        guard var object = config.object else { return config }
        var pruned = JSONObject()
        for (layer, heads) in removal.prunedHeads(configuration).sorted(by: { $0.key < $1.key }) {
            pruned["\(layer)"] = .array(heads.map { .integer(Int64($0)) })
        }
        object["pruned_heads"] = .object(pruned)
        return .object(object)
    }

    /// Other programs must not take int8 integers for weights, and say so when they meet a method that they do
    /// not know.
    private static func setQuantisation(_ object: inout JSONObject, _ type: DType) {
        object["quantization_config"] =
            type == .i8 ? ["quant_method": "corvid-int8", "weights": "int8", "scale": "row"] : nil
    }

    private static func typeName(_ type: DType) -> JSON {
        switch type {
        case .f16: "float16"
        case .bf16: "bfloat16"
        default: "float32"
        }
    }

    /// The shortest decimal that is read back as the same f32.
    private static func number(_ value: Float) -> JSON {
        let short = Double("\(value)") ?? Double(value)
        return .number(Float(short) == value ? short : Double(value))
    }

    private static func activation(_ activation: Activation, path: String) throws -> String {
        let preferred = ["gelu_new", "gelu", "silu", "relu", "quick_gelu", "tanh", "linear"]
        guard let name = preferred.first(where: { SettingReader.activations[$0] == activation }) else {
            throw ConversionError.setting(path: path, what: "the activation is \(activation.rawValue)")
        }
        return name
    }
}
