import CorvidText

extension TaskExample {
    /// Reads a file with a text on each line.
    ///
    /// If the first line begins with `{`, each line is an object: `{"text": "the plot drags", "label": 0}`, or
    /// `{"text_a": "...", "text_b": "...", "label": 1}` for a task with two texts. The label is a class's number
    /// or one of its words, and may be missing. Otherwise each line is a text. Empty lines are left out.
    ///
    /// - Parameters:
    ///   - text: the content of the file.
    ///   - file: for messages.
    /// - Throws: ``CalibrationError``.
    public static func lines(_ text: String, file: String, card: TaskCard) throws -> [TaskExample] {
        var examples: [TaskExample] = []
        var isObjects: Bool?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            guard let first = line.first(where: { !$0.isWhitespace }) else { continue }
            if isObjects == nil { isObjects = first == "{" }
            if isObjects == true {
                examples.append(try object(line, file: file, line: index + 1, card: card))
            } else if card.pair == nil {
                examples.append(TaskExample(text: TaskText(String(line))))
            } else {
                throw CalibrationError.example(
                    file: file, line: index + 1,
                    reason: "the task \(card.name) compares two texts; give objects with text_a and text_b")
            }
        }
        if examples.isEmpty { throw CalibrationError.noTexts(file: file) }
        return examples
    }

    private static func object(
        _ line: Substring, file: String, line number: Int, card: TaskCard
    ) throws -> TaskExample {
        let json: JSON
        do {
            json = try JSON.parse(Array(line.utf8), limits: JSONLimits(values: 10_000))
        } catch {
            throw CalibrationError.example(
                file: file, line: number, reason: "column \(error.column): \(error.message)")
        }
        return try TaskExample(json, file: file, line: number, card: card)
    }

    /// Reads one object.
    /// - Parameters:
    ///   - file: for messages.
    ///   - line: for messages.
    /// - Throws: ``CalibrationError``.
    init(_ json: JSON, file: String, line: Int, card: TaskCard) throws {
        func failure(_ reason: String) -> CalibrationError {
            .example(file: file, line: line, reason: reason)
        }
        func text(_ key: String) throws -> String {
            guard let value = json[key]?.string else {
                throw failure("\(key) is \(json[key]?.kindName ?? "missing"), expected a string")
            }
            return value
        }
        let content =
            try card.pair == nil
            ? TaskText(text("text")) : TaskText(text("text_a"), text("text_b"))
        self.init(text: content, label: try Self.label(json["label"], card: card, failure))
    }

    private static func label(
        _ json: JSON?, card: TaskCard, _ failure: (String) -> CalibrationError
    ) throws -> Int? {
        guard let json, !json.isNull else { return nil }
        if let number = json.int {
            guard card.labels.indices.contains(number) else {
                throw failure("label is \(number), the task has classes 0 to \(card.labels.count - 1)")
            }
            return number
        }
        guard let word = json.string else {
            throw failure("label is \(json.kindName), expected a class's number or word")
        }
        guard let number = card.number(of: word) else {
            throw failure(
                "label is \"\(word.prefix(40))\", expected one of " + card.classNames.joined(separator: ", "))
        }
        return number
    }
}
