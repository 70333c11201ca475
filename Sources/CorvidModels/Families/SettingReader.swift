import CorvidTensors

/// Settings of a model on their way from a file into a ``ModelConfiguration``.
struct SettingReader {
    let family: Family
    let architecture: Family.Architecture
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
        .embeddingWidth: 1 << 18, .hiddenRatio: 64, .encoderLayers: 4096, .distanceBuckets: 1 << 16,
        .distanceLimit: 1 << 16, .senses: 1 << 12, .senseRatio: 64,
    ]

    func value(_ setting: Setting) throws -> (key: String, value: SettingValue)? {
        if let found = try find(setting) { return found }
        return defaults[setting].map { (setting.rawValue, $0) }
    }

    func size(_ setting: Setting) throws -> Int? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .integer(let size) = value else {
            throw ConfigurationError.setting(
                file: file, key: key, found: "\(value.shown)", expected: "an integer")
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

    /// The id of a token; nil also for a negative number, which stands for none.
    func token(_ setting: Setting) throws -> Int32? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .integer(let id) = value, id <= Int32.max else {
            throw ConfigurationError.setting(
                file: file, key: key, found: value.shown, expected: "the id of a token")
        }
        return id < 0 ? nil : Int32(id)
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
            throw ConfigurationError.setting(
                file: file, key: key, found: "\(number)", expected: "a number above 0")
        }
        return number
    }

    func flag(_ setting: Setting) throws -> Bool? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .flag(let flag) = value else {
            throw ConfigurationError.setting(
                file: file, key: key, found: value.shown, expected: "true or false")
        }
        return flag
    }

    func activation(_ setting: Setting = .activation) throws -> Activation? {
        guard let (key, value) = try value(setting) else { return nil }
        guard case .text(let name) = value, let activation = Self.activations[name] else {
            throw ConfigurationError.setting(
                file: file, key: key, found: value.shown,
                expected: "one of " + Self.activations.keys.sorted().joined(separator: ", "))
        }
        return activation
    }

    /// The family's MLP, or a gated one if the activation's name says so.
    private func mlp() throws -> Family.MLP {
        if case .text(let name)? = try value(.activation)?.value, name.hasPrefix(Self.gated) { return .gated }
        return family.mlp
    }

    private static let gated = "gated-"
    /// Hugging Face's names.
    static let activations: [String: Activation] = [
        "gelu": .geluErf, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "gelu_fast": .geluTanh,
        "quick_gelu": .quickGELU, "silu": .silu, "swish": .silu, "relu": .relu, "tanh": .tanh,
        "linear": .identity,
        // T5's, which means another GELU than the name alone.
        gated + "gelu": .geluTanh, gated + "silu": .silu, gated + "relu": .relu,
    ]

    /// Joins the settings; `rotaryScaling` comes from the caller since formats spell it differently.
    func configuration(
        rotaryScaling: (_ width: Int, _ context: Int) throws -> (
            base: Double?, scaling: RotarySettings.Scaling
        ),
        rotaryPairs: RotaryPairs?, activation givenActivation: Activation?, mlp givenMLP: Family.MLP?,
        tiedHead: Bool?, labels: [String], scoring: LabelScoring = .one
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
            throw ConfigurationError.relation(
                file: file, text: "\(heads) heads do not divide the width \(width)")
        }
        let ratio = try size(.hiddenRatio) ?? 4
        let hidden = try size(.hidden) ?? width * ratio
        let encoderLayers = family.encoder.isEmpty ? 0 : try requiredSize(.encoderLayers)
        let layers = architecture.isEncoder ? encoderLayers : try requiredSize(.layers)
        var block = family.block
        if let choice = family.blockChoice, let flag = try flag(.blockChoice), flag == choice.flag {
            block = choice.block
        }
        let padding = try token(.paddingToken)
        var context = try requiredSize(.context)
        var positionOffset = 0
        switch family.positions {
        case .learned(let offset): positionOffset = offset
        case .learnedAfterPadding:
            positionOffset = Int(padding ?? 0) + 1
            context -= positionOffset
            guard context > 0 else {
                throw ConfigurationError.relation(
                    file: file, text: "no position is left after the padding token \(positionOffset - 1)")
            }
        default: break
        }
        var rotary: RotarySettings?
        var pairs = RotaryPairs.halves
        if case .rotary(let declared) = family.positions {
            pairs = rotaryPairs ?? declared
            var rotated = try size(.rotaryWidth) ?? headWidth
            if let fraction = try number(.rotaryFraction) {
                rotated = Int(Double(headWidth) * min(1, fraction))
            }
            guard rotated <= headWidth, rotated % 2 == 0 else {
                throw ConfigurationError.relation(
                    file: file,
                    text: "\(rotated) rotated values of a head of \(headWidth): must be even and fit")
            }
            let (base, scaling) = try rotaryScaling(rotated, context)
            // The trained context is where dynamic scaling begins, not where it ends.
            if case .dynamic(let factor, let trained) = scaling {
                context = max(context, Int(min(factor * Double(trained), Double(1 << 24))))
            }
            rotary = RotarySettings(
                width: rotated, base: try base ?? number(.rotaryBase) ?? 10_000, scaling: scaling)
        }
        let senses = family.weights[.senseQueryKey] == nil ? 0 : try requiredSize(.senses)
        guard senses == 0 || width % senses == 0 else {
            throw ConfigurationError.relation(
                file: file, text: "\(senses) senses do not divide the width \(width)")
        }
        let omitsFinalNorm = try flag(.omitsFinalNorm) ?? false
        let hasFinalNorm = block != .normsAfter && !omitsFinalNorm
        guard let normEpsilon = try number(.normEpsilon) else {
            throw ConfigurationError.missing(file: file, keys: names(.normEpsilon))
        }
        guard let activation = try givenActivation ?? activation() else {
            throw ConfigurationError.missing(file: file, keys: names(.activation))
        }
        return ModelConfiguration(
            family: family, output: architecture.output, isEncoderAlone: architecture.isEncoder,
            weightPrefix: architecture.prefix,
            sees: architecture.isEncoder ? .wholeSequence : family.sees,
            block: block, width: width, embeddingWidth: try size(.embeddingWidth) ?? width,
            layers: layers, encoderLayers: architecture.isEncoder ? 0 : encoderLayers,
            heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth, hidden: hidden,
            vocabulary: try requiredSize(.vocabulary), context: context, positionOffset: positionOffset,
            tokenTypes: try size(.tokenTypes) ?? 0, normEpsilon: Float(normEpsilon),
            mlp: try givenMLP ?? mlp(),
            activation: activation, headActivation: try self.activation(.headActivation),
            poolerActivation: try self.activation(.poolerActivation) ?? .tanh,
            hasAttentionBias: try flag(.attentionBias), hasMLPBias: try flag(.mlpBias), rotary: rotary,
            rotaryPairs: pairs, tiedHead: try tiedHead ?? flag(.tiedHead),
            slopes: try slopes(heads: heads), windows: try windows(layers: layers),
            distanceBuckets: try distanceBuckets(),
            queryKeyValueLimit: try number(.queryKeyValueLimit).map { Float($0) },
            hasQueryKeyNorm: try flag(.queryKeyNorm) ?? false, hasNormWeights: try flag(.normWeights) ?? true,
            hasFinalNorm: hasFinalNorm, logitScale: try logitScale(width: width),
            attentionScale: try attentionScale(headWidth: headWidth),
            scalesByInverseLayer: try flag(.scaleByInverseLayer) ?? false, senses: senses,
            senseHidden: width * (try size(.senseRatio) ?? 4), labels: labels,
            scoring: scoring, paddingToken: padding, startToken: try token(.startToken),
            endToken: try token(.endToken))
    }
}

extension SettingValue {
    /// Whether both are equal, 1 and 1.0 being the same.
    func isSame(as other: SettingValue) -> Bool {
        if case .integer(let integer) = self, case .number(let number) = other {
            return Double(integer) == number
        }
        return self == other
    }

    /// The value as a config spells it.
    var shown: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .flag(let value): "\(value)"
        case .text(let value): "\"\(FormatError.shown(value))\""
        case .list(let values): "a list of \(values.count)"
        }
    }
}
