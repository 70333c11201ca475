import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText

/// Vectors as the options ask for them, with coefficient 1 unless they were read from a file.
struct SteeringSource: Sendable {
    let name: String
    let method: String
    let vectors: [SteeringVector]
    /// What the pairs say about the vectors; empty for one pair of prompts.
    var contrast: [ContrastVector] = []
    /// Tokens of both prompts, of the same number.
    var pairIDs: (positive: [Int32], negative: [Int32])?
    /// How the vectors were made, for the patch.
    var settings: JSONObject = [:]
    let tokens: SteeringTokens

    /// - Parameter layers: where they are made when the options do not say; nil to refuse that.
    init(_ options: SteeringOptions, _ model: Model, layers: [Int]? = nil, _ console: Console) async throws {
        let tokens = try options.tokens(model)
        self.tokens = tokens
        if let path = options.vector {
            let patch = try Patch.open(try Store().resolvePatch(path), for: model)
            vectors = try SteeringVector.vectors(of: patch, width: model.configuration.width)
            for vector in vectors { try vector.check(model.configuration) }
            (name, method) = (patch.header.name, patch.header.method)
            return
        }
        let made: [SteeringVector]
        if options.isActivationAddition {
            let positive = options.positive ?? ""
            let pair = try tokens.pair(positive, options.negative ?? "")
            made = try await ActivationAddition.vectors(
                model, positive: pair.positive, negative: pair.negative,
                layers: try Self.layers(options, [], layers, model), at: (options.at ?? .input).kind,
                place: options.place ?? .front)
            pairIDs = pair
            (name, method) = (positive.trimmingBlanks, SteeringMethod.actadd.rawValue)
            settings = [
                "method": .string(method), "positive": .string(positive),
                "negative": .string(options.negative ?? ""),
            ]
        } else {
            let set = try Self.contrastSet(options)
            var contrast = ContrastSettings()
            contrast.method = (options.method ?? .mean).contrast
            contrast.length = options.length
            contrast.reading = options.read ?? set.reading ?? .last
            contrast.heldOut = options.heldOut
            contrast.kind = (options.at ?? .output).kind
            contrast.place = options.place ?? (set.hasAnswers ? .answer : .all)
            let texts = set.pairs.map { (tokens.ids($0.positive), tokens.ids($0.negative)) }
            for (index, pair) in texts.enumerated() {
                for ids in [pair.0, pair.1] where ids.count > model.contextLength {
                    throw SteeringError.index(model.contextLength, pair: index, tokens: ids.count)
                }
            }
            self.contrast = try await ContrastSet.vectors(
                model, texts: texts, layers: try Self.layers(options, set.layers, layers, model),
                settings: contrast
            ) { console.show("pairs", done: $0 / 2, total: $1 / 2, unit: "pairs") }
            made = self.contrast.map(\.vector)
            (name, method) = (set.name, contrast.method.rawValue)
            settings = [
                "method": .string(method), "pairs": .count(set.pairs.count),
                "read": .string("\(contrast.reading)"), "length": .string(contrast.length.rawValue),
                "held_out": .number(contrast.heldOut),
            ]
        }
        vectors =
            try options.dimensions.map { range in try made.map { try $0.limited(to: range.bounds) } } ?? made
        settings["place"] = .string(vectors.first?.place.rawValue ?? "")
        settings["sites"] = .array(vectors.map { .string("\($0.site)") })
        settings["beginning"] = .integer(Int64(tokens.beginning))
    }

    private static func layers(
        _ options: SteeringOptions, _ data: [Int], _ other: [Int]?, _ model: Model
    ) throws -> [Int] {
        if let given = options.layer { return given.layers(of: model) }
        if !data.isEmpty { return data }
        guard let other else { throw SteeringError.noLayers }
        return other
    }

    private static func contrastSet(_ options: SteeringOptions) throws -> ContrastSet {
        if let path = options.pairs {
            return try ContrastSet(json: try TextSource.bytes(of: path), file: path == "-" ? "pairs" : path)
        }
        let positive = options.positive ?? ""
        return ContrastSet(
            name: positive.trimmingBlanks,
            pairs: [.init(positive: positive, negative: options.negative ?? "")])
    }
}

extension String {
    /// Without blanks around it.
    var trimmingBlanks: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
