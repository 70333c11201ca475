import CorvidText

/// Reads contrast sets from JSON.
///
///     {"name": "polite", "pairs": [{"positive": "Talk very politely", "negative": "Talk very rudely"}],
///      "read": "last", "layers": [8]}
///
///     {"template": "Act as if you're extremely {persona}.", "positive": ["happy"], "negative": ["sad"],
///      "suffixes": [" I think that", " Today"]}
///
/// or questions with the letters of two answers, as a list or one on each line; `statement` is put before them
/// where there is one:
///
///     {"question": "... (A) yes (B) no", "answer_matching_behavior": "(A)",
///      "answer_not_matching_behavior": "(B)"}
extension ContrastSet {
    /// Most pairs that are read.
    public static let pairsLimit = 1_000_000

    /// - Parameter file: names the data in errors.
    /// - Throws: ``SteeringError``, `JSONError`.
    public init(json bytes: [UInt8], file: String) throws {
        let name = String((file.split(separator: "/").last ?? "pairs").prefix { $0 != "." })
        var set: ContrastSet
        do {
            set = try Self.read(try JSON.parse(bytes), file: file)
        } catch let error as JSONError {
            // Not one value: one on each line.
            let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { line in
                !line.allSatisfy { $0 <= 32 }
            }
            guard lines.count > 1 else {
                throw SteeringError.pairs(
                    file: file, place: "the text", found: "no JSON: \(error)", expected: "JSON")
            }
            let items = try lines.enumerated().map { index, line in
                do {
                    return try JSON.parse(Array(line))
                } catch {
                    throw SteeringError.pairs(
                        file: file, place: "line \(index + 1)", found: "no JSON: \(error)", expected: "JSON")
                }
            }
            set = try Self.read(.array(items), file: file)
        }
        if set.name.isEmpty { set.name = name }
        guard !set.pairs.isEmpty else { throw SteeringError.noPairs(file: file) }
        guard set.pairs.count <= Self.pairsLimit else {
            throw SteeringError.pairs(
                file: file, place: "the number of pairs", found: "\(set.pairs.count)",
                expected: "at most \(Self.pairsLimit)")
        }
        self = set
    }

    private static func read(_ json: JSON, file: String) throws -> ContrastSet {
        if let items = json.array {
            let pairs = try items.enumerated().map { try pair($1, file: file, place: "item \($0)") }
            return ContrastSet(
                name: "", pairs: pairs.map(\.pair),
                reading: pairs.contains(where: \.isAnswer) ? .index(-2) : nil,
                hasAnswers: pairs.contains(where: \.isAnswer))
        }
        guard json.object != nil else {
            throw SteeringError.pairs(
                file: file, place: "the text", found: json.kindName, expected: "an object or a list")
        }
        var set: ContrastSet
        if json["template"] != nil {
            set = try personas(json, file: file)
        } else {
            guard let items = json["pairs"]?.array else {
                throw SteeringError.pairs(
                    file: file, place: "pairs", found: json["pairs"]?.kindName ?? "absent", expected: "a list"
                )
            }
            set = try read(.array(items), file: file)
        }
        set.name = json["name"]?.string ?? ""
        if let value = json["read"] {
            guard let reading = value.string.flatMap(Reading.init) else {
                throw SteeringError.pairs(
                    file: file, place: "read",
                    found: value.string.map { "'\($0.prefix(40))'" } ?? value.kindName,
                    expected: "all, last or index:N")
            }
            set.reading = reading
        }
        if let value = json["layers"] {
            guard let layers = value.array?.compactMap(\.int), layers.count == value.array?.count else {
                throw SteeringError.pairs(
                    file: file, place: "layers", found: value.kindName, expected: "a list of numbers")
            }
            set.layers = layers
        }
        return set
    }

    private static func personas(_ json: JSON, file: String) throws -> ContrastSet {
        func texts(_ key: String) throws -> [String] {
            guard let value = json[key] else { return [] }
            guard let texts = value.array?.compactMap(\.string), texts.count == value.array?.count else {
                throw SteeringError.pairs(
                    file: file, place: key, found: value.kindName, expected: "a list of texts")
            }
            return texts
        }
        guard let template = json["template"]?.string, template.contains("{persona}") else {
            throw SteeringError.pairs(
                file: file, place: "template", found: "without {persona}", expected: "a text with {persona}")
        }
        let (positive, negative) = (try texts("positive"), try texts("negative"))
        guard positive.count == negative.count else {
            throw SteeringError.pairs(
                file: file, place: "negative", found: "\(negative.count) personas",
                expected: "\(positive.count), as many as there are positive ones")
        }
        return .personas(
            name: "", template: template, positive: positive, negative: negative,
            suffixes: try texts("suffixes"))
    }

    private static func pair(
        _ json: JSON, file: String, place: String
    ) throws -> (pair: Pair, isAnswer: Bool) {
        func text(_ key: String) throws -> String {
            guard let value = json[key]?.string else {
                throw SteeringError.pairs(
                    file: file, place: "\(place): \(key)", found: json[key]?.kindName ?? "absent",
                    expected: "a text")
            }
            return value
        }
        guard json["question"] != nil else {
            return (Pair(positive: try text("positive"), negative: try text("negative")), false)
        }
        let question = try text("question")
        func answered(_ key: String) throws -> String {
            let answer = try text(key)
            return question + (answer.hasPrefix(" ") || question.hasSuffix(" ") ? "" : " ") + answer
        }
        let pair = Pair(
            positive: try answered("answer_matching_behavior"),
            negative: try answered("answer_not_matching_behavior"))
        // A letter in brackets stands before the last token; a word is the last one.
        return (pair, try text("answer_matching_behavior").hasSuffix(")"))
    }
}
