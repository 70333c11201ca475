extension TaskCard {
    /// The instruction and the examples, each followed by an empty line.
    public func context(_ demonstrations: [TaskExample]) -> String {
        demonstrations.reduce(into: promptPrefix) { prompt, example in
            prompt += question(example.text) + answerPrefix + labelInContext(example.label ?? 0) + "\n\n"
        }
    }

    /// The prompt at whose end the model is asked for a label of `text`.
    public func prompt(_ demonstrations: [TaskExample], _ text: TaskText) -> String {
        context(demonstrations) + query(text)
    }

    /// The text up to where its label would begin.
    public func query(_ text: TaskText) -> String {
        question(text) + answerStart
    }

    /// What stands between a prompt and the label: the last blank of the answer's prefix.
    var labelPrefix: String { answerPrefix.hasSuffix(" ") ? " " : "" }

    /// The answer's prefix without its last blank.
    var answerStart: String { answerPrefix.hasSuffix(" ") ? String(answerPrefix.dropLast()) : answerPrefix }

    private func question(_ text: TaskText) -> String {
        guard let pair else { return questionPrefix + cut(text.first) + "\n" }
        return questionPrefix + pair.firstPrefix + cut(text.first) + pair.firstSuffix + "\n"
            + pair.secondPrefix + cut(text.second ?? "") + pair.secondSuffix + "\n"
    }

    /// The first words of a text that is too long, with single blanks between them.
    private func cut(_ text: String) -> String {
        guard let wordLimit else { return text }
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.count > wordLimit ? words.prefix(wordLimit).joined(separator: " ") : text
    }
}
