import CorvidText

extension TaskCard {
    private static let keys = [
        "name", "prompt_prefix", "q_prefix", "q1_prefix", "q1_suffix", "q2_prefix", "q2_suffix", "a_prefix",
        "labels", "labels_in_context", "max_words",
    ]

    /// Reads a card: an object with `q_prefix`, `a_prefix` and `labels` (a list of words, or of lists of words),
    /// and, where they are needed, `name`, `prompt_prefix`, `q1_prefix`, `q1_suffix`, `q2_prefix`, `q2_suffix`
    /// (two texts), `labels_in_context`, `max_words`.
    ///
    /// - Parameter file: for messages.
    /// - Throws: ``CalibrationError``, also if the card does not ``validate()``.
    public init(_ json: JSON, file: String) throws {
        guard let object = json.object else {
            throw CalibrationError.card(
                file: file, key: "the card", found: json.kindName, expected: "an object")
        }
        if let unknown = object.keys.first(where: { !Self.keys.contains($0) }) {
            throw CalibrationError.card(
                file: file, key: unknown, found: "an unknown key",
                expected: "one of " + Self.keys.joined(separator: ", "))
        }
        func text(_ key: String) throws -> String? {
            guard let value = object[key], !value.isNull else { return nil }
            guard let text = value.string else {
                throw CalibrationError.card(file: file, key: key, found: value.kindName, expected: "a string")
            }
            return text
        }
        func needed(_ key: String) throws -> String {
            guard let value = try text(key) else {
                throw CalibrationError.card(file: file, key: key, found: "nothing", expected: "a string")
            }
            return value
        }
        let first = try text("q1_prefix")
        let second = try text("q2_prefix")
        var pair: Pair?
        if first != nil || second != nil {
            pair = Pair(
                firstPrefix: first ?? "", firstSuffix: try text("q1_suffix") ?? "",
                secondPrefix: second ?? "", secondSuffix: try text("q2_suffix") ?? "")
        }
        var shown: [String]?
        if let value = object["labels_in_context"], !value.isNull {
            shown = try Self.words(value, key: "labels_in_context", file: file)
        }
        var limit: Int?
        if let value = object["max_words"], !value.isNull {
            guard let number = value.int else {
                throw CalibrationError.card(
                    file: file, key: "max_words", found: value.kindName, expected: "a whole number")
            }
            limit = number
        }
        self.init(
            name: try text("name") ?? file, promptPrefix: try text("prompt_prefix") ?? "",
            questionPrefix: try pair == nil ? needed("q_prefix") : text("q_prefix") ?? "", pair: pair,
            answerPrefix: try needed("a_prefix"),
            labels: try Self.classes(object["labels"] ?? .null, file: file), labelsInContext: shown,
            wordLimit: limit)
        try validate()
    }

    private static func classes(_ json: JSON, file: String) throws -> [[String]] {
        guard let classes = json.array else {
            throw CalibrationError.card(
                file: file, key: "labels", found: json.isNull ? "nothing" : json.kindName,
                expected: "a list with the words of each class")
        }
        return try classes.map { try $0.string.map { [$0] } ?? words($0, key: "labels", file: file) }
    }

    private static func words(_ json: JSON, key: String, file: String) throws -> [String] {
        guard let values = json.array else {
            throw CalibrationError.card(
                file: file, key: key, found: json.kindName, expected: "a list of words")
        }
        return try values.map { value in
            guard let word = value.string else {
                throw CalibrationError.card(file: file, key: key, found: value.kindName, expected: "a word")
            }
            return word
        }
    }

    /// The card as ``init(_:file:)`` reads it.
    public var json: JSON {
        var object: JSONObject = [
            "name": .string(name), "prompt_prefix": .string(promptPrefix),
            "q_prefix": .string(questionPrefix),
        ]
        if let pair {
            object["q1_prefix"] = .string(pair.firstPrefix)
            object["q1_suffix"] = .string(pair.firstSuffix)
            object["q2_prefix"] = .string(pair.secondPrefix)
            object["q2_suffix"] = .string(pair.secondSuffix)
        }
        object["a_prefix"] = .string(answerPrefix)
        object["labels"] = .array(labels.map { .array($0.map { .string($0) }) })
        if let labelsInContext {
            object["labels_in_context"] = .array(labelsInContext.map { .string($0) })
        }
        if let wordLimit { object["max_words"] = .integer(Int64(wordLimit)) }
        return .object(object)
    }
}
