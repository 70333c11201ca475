import CorvidTensors
import CorvidText

extension ModelConfiguration {
    /// Reads `config.json`. Understands the keys of transformers 4 (`rope_theta`, `rope_scaling`) and 5
    /// (`rope_parameters`).
    /// - Parameter file: its path, for messages.
    public init(huggingFace json: JSON, file: String) throws {
        guard json.object != nil else {
            throw ConfigurationError.setting(
                file: file, key: "config", found: json.kindName, expected: "a JSON object")
        }
        let (family, architecture) = try Self.family(of: json, file: file)
        let reader = SettingReader(
            family: family, architecture: architecture, file: file, defaults: family.defaults,
            names: { family.settings[$0] ?? [$0.rawValue] }
        ) { setting in
            for key in family.settings[setting] ?? [] {
                guard let value = Self.value(in: json, at: key) else { continue }
                return (key, try Self.setting(value, key: key, file: file))
            }
            return nil
        }
        try Self.refuseOthers(than: family.fixed, in: json, file: file)
        for key in family.settings[.rotaryWidth] ?? [] where json[key]?.isNull == true {
            // To the reference this means another table of angles, not the default.
            throw ConfigurationError.setting(file: file, key: key, found: "null", expected: "a number")
        }
        let labels = try Self.labels(json, file: file)
        self = try reader.configuration(
            rotaryScaling: { _, context in try Self.rotaryScaling(json, context: context, file: file) },
            rotaryPairs: nil, activation: nil, mlp: nil, tiedHead: nil,
            labels: labels, scoring: try Self.scoring(json, labels: labels.count, file: file))
        try readPrunedHeads(json, file: file)
    }

    /// What the scores of labels mean: what the config says; else a single label holds or not, and of several one
    /// does.
    private static func scoring(_ json: JSON, labels: Int, file: String) throws -> LabelScoring {
        let key = "problem_type"
        guard let type = json[key], !type.isNull else { return labels == 1 ? .several : .one }
        switch type.string {
        case "regression": return .value
        case "single_label_classification": return labels == 1 ? .several : .one
        case "multi_label_classification": return .several
        default:
            throw ConfigurationError.setting(
                file: file, key: key,
                found: type.string.map { "\"\(FormatError.shown($0))\"" } ?? type.kindName,
                expected: "regression, single_label_classification or multi_label_classification")
        }
    }

    /// The declaration for `architectures`, else for `model_type`.
    private static func family(of json: JSON, file: String) throws -> (Family, Family.Architecture) {
        let architectures = json["architectures"]?.array?.compactMap(\.string) ?? []
        let modelType = json["model_type"]?.string
        for name in architectures {
            for family in Family.all {
                if let found = family.architectures.first(where: { $0.name == name }) {
                    return (family, found)
                }
            }
        }
        // A config without architectures is an old language model; one that names another class (a tagger,
        // say) has weights that no declaration knows.
        if architectures.isEmpty, let family = Family.all.first(where: { $0.modelType == modelType }),
            let first = family.architectures.first
        {
            return (family, first)
        }
        throw ConfigurationError.unknownFamily(
            file: file,
            found: architectures.first ?? modelType ?? "model without architectures and model_type",
            known: Family.all.compactMap { $0.architectures.first?.name })
    }

    /// The names of a classifier's scores, in their order. Configs leave out what is the default: two labels.
    private static func labels(_ json: JSON, file: String) throws -> [String] {
        let key = "id2label"
        guard let names = json[key], !names.isNull else {
            guard let count = json["num_labels"], !count.isNull else { return ["LABEL_0", "LABEL_1"] }
            guard case .integer(let number) = count, (1...Int64(mostLabels)).contains(number) else {
                throw ConfigurationError.setting(
                    file: file, key: "num_labels", found: count.double.map { "\($0)" } ?? count.kindName,
                    expected: "1...\(mostLabels)")
            }
            return (0..<Int(number)).map { "LABEL_\($0)" }
        }
        guard let object = names.object, !object.isEmpty, object.count <= mostLabels else {
            throw ConfigurationError.setting(
                file: file, key: key, found: names.object.map { "\($0.count) labels" } ?? names.kindName,
                expected: "an object with the name of each label under its number")
        }
        return try (0..<object.count).map { index in
            guard let name = names["\(index)"]?.string else {
                throw ConfigurationError.setting(
                    file: file, key: "\(key).\(index)", found: names["\(index)"]?.kindName ?? "missing",
                    expected: "the name of a label")
            }
            return name
        }
    }

    private static let mostLabels = 1 << 16

    /// The value at a path of keys with dots between them; nil for null.
    private static func value(in json: JSON, at path: String) -> JSON? {
        var value: JSON? = json
        for key in path.split(separator: ".") { value = value?[String(key)] }
        guard let value, !value.isNull else { return nil }
        return value
    }

    /// Refuses a config that asks for arithmetic which the family's declaration does not express.
    private static func refuseOthers(than fixed: [String: [SettingValue]], in json: JSON, file: String) throws
    {
        for (key, values) in fixed.sorted(by: { $0.key < $1.key }) {
            guard let found = value(in: json, at: key), found.object?.isEmpty != true else { continue }
            let value = found.object == nil ? try setting(found, key: key, file: file) : nil
            guard let value, values.contains(where: { $0.isSame(as: value) }) else {
                let expected = values.isEmpty ? "null" : values.map(\.shown).joined(separator: " or ")
                throw ConfigurationError.setting(
                    file: file, key: key, found: value?.shown ?? found.kindName,
                    expected: expected + ", which is what Corvid runs")
            }
        }
    }

    private static func setting(_ value: JSON, key: String, file: String) throws -> SettingValue {
        switch value {
        case .bool(let flag): return .flag(flag)
        case .integer(let integer): return .integer(Int(clamping: integer))
        case .number(let number): return .number(number)
        case .string(let text): return .text(text)
        case .array(let values): return .list(try values.map { try setting($0, key: key, file: file) })
        default:
            throw ConfigurationError.setting(
                file: file, key: key, found: value.kindName,
                expected: "a number, a text, true/false or a list")
        }
    }

    private static func rotaryScaling(
        _ json: JSON, context: Int, file: String
    ) throws -> (base: Double?, scaling: RotarySettings.Scaling) {
        let isNew = json["rope_parameters"].map { !$0.isNull } ?? false
        let name = isNew ? "rope_parameters" : "rope_scaling"
        guard let settings = json[name], !settings.isNull else { return (nil, .none) }
        func fault(_ key: String, _ value: JSON?, _ expected: String) -> ConfigurationError {
            let found = value?.string.map { "\"\(FormatError.shown($0))\"" } ?? value?.double.map { "\($0)" }
            return .setting(
                file: file, key: "\(name).\(key)", found: found ?? value?.kindName ?? "missing",
                expected: expected)
        }
        guard settings.object != nil else {
            throw ConfigurationError.setting(
                file: file, key: name, found: settings.kindName, expected: "an object or null")
        }
        func number(_ key: String, default fallback: Double? = nil) throws -> Double {
            let value = settings[key].flatMap { $0.isNull ? nil : $0 }
            guard let found = value?.double ?? (value == nil ? fallback : nil), found.isFinite, found > 0,
                found < 1e12
            else { throw fault(key, value, "a number above 0") }
            return found
        }
        let base = settings["rope_theta"].map { !$0.isNull } ?? false ? try number("rope_theta") : nil
        let type = settings["rope_type"] ?? settings["type"]
        switch type?.string ?? (type == nil || isNew ? "default" : "") {
        case "default", "none": return (base, .none)
        case "linear": return (base, .linear(factor: try number("factor")))
        case "dynamic":
            let original = try number("original_max_position_embeddings", default: Double(context))
            return (base, .dynamic(factor: try number("factor"), context: Int(original)))
        case "llama3":
            let low = try number("low_freq_factor", default: 1)
            let high = try number("high_freq_factor", default: 4)
            guard high > low else {
                throw fault("high_freq_factor", settings["high_freq_factor"], "more than \(low)")
            }
            let original = try number("original_max_position_embeddings", default: 8192)
            return (
                base,
                .llama3(
                    factor: try number("factor", default: 8), lowFrequencyFactor: low,
                    highFrequencyFactor: high,
                    originalContext: Int(original))
            )
        default: throw fault("rope_type", type, "default, linear, dynamic or llama3")
        }
    }
}
