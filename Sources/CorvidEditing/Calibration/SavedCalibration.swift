import CorvidModels
import CorvidText

/// The label biases of one prompt as something that can be kept: the task, the examples, the prior and what it was
/// taken from. Applied to the masses of the same prompt, it gives the probabilities that were measured with it.
public struct SavedCalibration: Sendable, Equatable {
    public var card: TaskCard
    /// The examples which the prompt shows.
    public var demonstrations: [TaskExample]
    /// Of the prompt: ``LabelScorer/contextDigest``.
    public var contextDigest: Digest
    public var method: CalibrationMethod
    /// nil with ``CalibrationMethod/plain``.
    public var prior: ContentFreePrior?
    /// Of the random texts.
    public var seed: UInt64
    /// Which model the prior is of; another one has other biases.
    public var model: String

    /// - Parameter result: of the prompt that is to be kept.
    public init(_ result: FewShotResult, card: TaskCard, method: CalibrationMethod, model: String) {
        self.card = card
        self.model = model
        self.method = method
        demonstrations = result.demonstrations
        contextDigest = result.contextDigest
        prior = result.bias.prior(method)
        seed = result.seed
    }

    /// Probabilities that add up to 1, `[texts][classes]`.
    /// - Throws: ``CalibrationError/noMass(index:)``.
    public func probabilities(_ masses: [[Double]]) throws -> [[Double]] {
        guard let prior else { return try ContentFreePrior.normalised(masses) }
        return try prior.calibrated(masses)
    }

    /// What to tell who applies it to another prompt; nil for the same one.
    public func warning(contextDigest other: Digest) -> String? {
        guard other != contextDigest else { return nil }
        return
            "the prior was measured with another prompt (\(contextDigest.short), now \(other.short)); measure it anew"
    }

    // MARK: JSON

    private static let version = 1

    public var json: JSON {
        var object: JSONObject = [
            "format_version": .integer(Int64(Self.version)), "model": .string(model), "task": card.json,
            "examples": .array(demonstrations.map(Self.json)), "context_hash": .string("\(contextDigest)"),
            "method": .string(method.rawValue), "seed": .string("\(seed)"),
        ]
        if let prior {
            object["prior"] = .array(prior.probabilities.map { .number($0) })
            object["prior_texts"] = .integer(Int64(prior.textCount))
        }
        return .object(object)
    }

    private static func json(_ example: TaskExample) -> JSON {
        var object: JSONObject = ["text": .string(example.text.first)]
        if let second = example.text.second {
            object = ["text_a": .string(example.text.first), "text_b": .string(second)]
        }
        object["label"] = .integer(Int64(example.label ?? 0))
        return .object(object)
    }

    /// Reads what ``json`` wrote.
    /// - Parameter file: for messages.
    /// - Throws: ``CalibrationError``.
    public init(_ json: JSON, file: String) throws {
        func failure(_ reason: String) -> CalibrationError { .saved(file: file, reason: reason) }
        func text(_ key: String) throws -> String {
            guard let value = json[key]?.string else {
                throw failure("\(key) is \(json[key]?.kindName ?? "missing"), expected a string")
            }
            return value
        }
        guard let version = json["format_version"]?.int else { throw failure("format_version is missing") }
        guard version == Self.version else {
            throw failure("format_version is \(version), known is \(Self.version); use a newer corvid")
        }
        card = try TaskCard(json["task"] ?? .null, file: file)
        let card = card
        model = try text("model")
        guard let digest = Digest(hexadecimal: try text("context_hash")) else {
            throw failure("context_hash is not 64 hexadecimal digits")
        }
        contextDigest = digest
        let seedText = try text("seed")
        guard let seed = UInt64(seedText) else { throw failure("seed is no number") }
        self.seed = seed
        guard let method = CalibrationMethod(rawValue: try text("method")) else {
            throw failure("method is none of plain, cc, dc")
        }
        self.method = method
        guard let examples = json["examples"]?.array else { throw failure("examples are missing") }
        demonstrations = try examples.enumerated().map { index, value in
            let example = try TaskExample(value, file: file, line: index + 1, card: card)
            guard example.label != nil else { throw failure("example \(index) has no label") }
            return example
        }
        guard card.contextDigest(demonstrations) == digest else {
            throw failure("its examples are not those whose context_hash it names")
        }
        guard method != .plain else {
            prior = nil
            return
        }
        let values = json["prior"]?.array?.compactMap(\.double) ?? []
        guard values.count == card.labels.count, values.allSatisfy({ $0 > 0 && $0 <= 1 }),
            abs(values.reduce(0, +) - 1) < 1e-6
        else { throw failure("prior is not \(card.labels.count) probabilities above 0 that add up to 1") }
        guard let count = json["prior_texts"]?.int, count > 0 else {
            throw failure("prior_texts is missing")
        }
        prior = try ContentFreePrior(probabilities: values, textCount: count, classNames: card.classNames)
    }
}
