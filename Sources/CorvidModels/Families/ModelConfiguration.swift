import CorvidTensors

/// The sizes and choices of one model: its family's declaration filled in from its files.
public struct ModelConfiguration: Sendable {
    public let family: Family
    /// Width of the residual stream.
    public let width: Int
    public let layers: Int
    /// Query heads.
    public let heads: Int
    public let keyValueHeads: Int
    public let headWidth: Int
    /// Width inside the MLP.
    public let hidden: Int
    /// Rows of the token embedding, which may be more than the tokenizer has tokens.
    public let vocabulary: Int
    /// Most positions.
    public let context: Int
    public let normEpsilon: Float
    public let activation: Activation
    public let rotary: RotarySettings?
    public let rotaryPairs: RotaryPairs
    /// Whether the token embedding is the output matrix, too; nil: if the checkpoint has no other.
    public let tiedHead: Bool?
    /// 1, or 1 / √headWidth.
    public let attentionScale: Float
    /// GPT-2's `scale_attn_by_inverse_layer_idx`: scores of block i are divided by i + 1, too.
    public let scalesByInverseLayer: Bool

    /// Factor of the scores of block `layer`.
    public func attentionScale(layer: Int) -> Float {
        scalesByInverseLayer ? attentionScale / Float(layer + 1) : attentionScale
    }
}

/// Settings of a model on their way from a file into a ``ModelConfiguration``.
struct SettingReader {
    let family: Family
    let file: String
    /// Values of settings that the file may leave out.
    let defaults: [Setting: SettingValue]
    /// What the file's format calls a setting, for messages.
    let names: (Setting) -> [String]
    /// The name and value under which the file gives a setting.
    let find: (Setting) throws -> (key: String, value: SettingValue)?

    /// Larger sizes do not occur and would only serve to exhaust memory.
    private static let bounds: [Setting: Int] = [
        .width: 1 << 18, .layers: 4096, .heads: 8192, .keyValueHeads: 8192, .headWidth: 1 << 16,
        .hidden: 1 << 20, .vocabulary: 1 << 23, .context: 1 << 24, .rotaryWidth: 1 << 16,
    ]

    private func value(_ setting: Setting) throws -> (key: String, value: SettingValue)? {
        if let found = try find(setting) { return found }
        return defaults[setting].map { (setting.rawValue, $0) }
    }

    func size(_ setting: Setting) throws -> Int? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .integer(let size) = value else {
            throw ConfigurationError.setting(file: file, key: key, found: "\(value.shown)", expected: "an integer")
        }
        let bound = Self.bounds[setting] ?? 1 << 24
        guard size >= 1, size <= bound else {
            throw ConfigurationError.setting(file: file, key: key, found: "\(size)", expected: "1...\(bound)")
        }
        return size
    }

    func requiredSize(_ setting: Setting) throws -> Int {
        guard let size = try size(setting) else {
            throw ConfigurationError.missing(file: file, keys: names(setting))
        }
        return size
    }

    func number(_ setting: Setting) throws -> Double? {
        guard let (key, value) = try value(setting) else { return nil }
        let number: Double
        switch value {
        case .number(let value): number = value
        case .integer(let value): number = Double(value)
        default:
            throw ConfigurationError.setting(file: file, key: key, found: value.shown, expected: "a number")
        }
        guard number.isFinite, number > 0 else {
            throw ConfigurationError.setting(file: file, key: key, found: "\(number)", expected: "a number above 0")
        }
        return number
    }

    func flag(_ setting: Setting) throws -> Bool? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .flag(let flag) = value else {
            throw ConfigurationError.setting(file: file, key: key, found: value.shown, expected: "true or false")
        }
        return flag
    }

    func activation() throws -> Activation? {
        guard let (key, value) = try value(.activation) else { return nil }
        guard case .text(let name) = value, let activation = Self.activations[name] else {
            throw ConfigurationError.setting(
                file: file, key: key, found: value.shown,
                expected: "one of " + Self.activations.keys.sorted().joined(separator: ", "))
        }
        return activation
    }

    /// Hugging Face's names.
    static let activations: [String: Activation] = [
        "gelu": .geluErf, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "gelu_fast": .geluTanh,
        "quick_gelu": .quickGELU, "silu": .silu, "swish": .silu, "relu": .relu, "tanh": .tanh,
        "linear": .identity,
    ]

    /// Joins the settings; `rotaryScaling` comes from the caller since formats spell it differently.
    func configuration(
        rotaryScaling: (_ width: Int, _ context: Int) throws -> (base: Double?, scaling: RotarySettings.Scaling),
        rotaryPairs: RotaryPairs?, activation givenActivation: Activation?, tiedHead: Bool?
    ) throws -> ModelConfiguration {
        let width = try requiredSize(.width)
        let heads = try requiredSize(.heads)
        let keyValueHeads = try size(.keyValueHeads) ?? heads
        guard heads % keyValueHeads == 0 else {
            throw ConfigurationError.relation(
                file: file, text: "\(heads) query heads cannot share \(keyValueHeads) key-value heads evenly")
        }
        let givenHeadWidth = try size(.headWidth)
        guard let headWidth = givenHeadWidth ?? (width % heads == 0 ? width / heads : nil) else {
            throw ConfigurationError.relation(file: file, text: "\(heads) heads do not divide the width \(width)")
        }
        let hidden = try size(.hidden) ?? 4 * width
        var context = try requiredSize(.context)
        var rotary: RotarySettings?
        var pairs = RotaryPairs.halves
        if case .rotary(let declared) = family.positions {
            pairs = rotaryPairs ?? declared
            var rotated = try size(.rotaryWidth) ?? headWidth
            if let fraction = try number(.rotaryFraction) { rotated = Int(Double(headWidth) * min(1, fraction)) }
            guard rotated <= headWidth, rotated % 2 == 0 else {
                throw ConfigurationError.relation(
                    file: file, text: "\(rotated) rotated values of a head of \(headWidth): must be even and fit")
            }
            let (base, scaling) = try rotaryScaling(rotated, context)
            // The trained context is where dynamic scaling begins, not where it ends.
            if case .dynamic(let factor, let trained) = scaling {
                context = max(context, Int(min(factor * Double(trained), Double(1 << 24))))
            }
            rotary = RotarySettings(width: rotated, base: try base ?? number(.rotaryBase) ?? 10_000, scaling: scaling)
        }
        let scaled = try flag(.scaleAttention) ?? true
        let one = family.attentionScale == .one || !scaled
        guard let normEpsilon = try number(.normEpsilon) else {
            throw ConfigurationError.missing(file: file, keys: names(.normEpsilon))
        }
        guard let activation = try givenActivation ?? activation() else {
            throw ConfigurationError.missing(file: file, keys: names(.activation))
        }
        return ModelConfiguration(
            family: family, width: width, layers: try requiredSize(.layers), heads: heads,
            keyValueHeads: keyValueHeads, headWidth: headWidth, hidden: hidden,
            vocabulary: try requiredSize(.vocabulary), context: context,
            normEpsilon: Float(normEpsilon), activation: activation, rotary: rotary,
            rotaryPairs: pairs, tiedHead: try tiedHead ?? flag(.tiedHead),
            attentionScale: one ? 1 : 1 / Float(headWidth).squareRoot(),
            scalesByInverseLayer: try flag(.scaleByInverseLayer) ?? false)
    }
}

extension SettingValue {
    /// The value as a config spells it.
    var shown: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .flag(let value): "\(value)"
        case .text(let value): "\"\(FormatError.shown(value))\""
        }
    }
}

/// A config that does not describe a model which Corvid runs.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
    case unknownFamily(file: String, found: String, known: [String])
    case missing(file: String, keys: [String])
    case setting(file: String, key: String, found: String, expected: String)
    case relation(file: String, text: String)

    public var description: String {
        switch self {
        case .unknownFamily(let file, let found, let known):
            return "\(file): the model is a \(FormatError.shown(found)), which Corvid does not run yet. "
                + "It runs: \(known.joined(separator: ", "))."
        case .missing(let file, let keys):
            return "\(file): \(keys.joined(separator: " or ")) is missing. The file is incomplete: fetch it again."
        case .setting(let file, let key, let found, let expected):
            return "\(file): \(key) is \(found), expected \(expected)."
        case .relation(let file, let text):
            return "\(file): \(text). The file is damaged or belongs to another family."
        }
    }
}
