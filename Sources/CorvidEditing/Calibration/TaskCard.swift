/// What a classification task looks like as a prompt, and what its classes are called.
///
/// A prompt is, byte for byte,
///
///     {prompt_prefix}{q_prefix}{text 1}\n{a_prefix}{label 1}\n\n ... {q_prefix}{text}\n{a_prefix}
///
/// where the last `a_prefix` is without its last blank; that blank begins the label which the model is asked for.
/// Tasks with two texts have `{q1_prefix}{a}{q1_suffix}\n{q2_prefix}{b}{q2_suffix}` in place of the text.
/// Source of the layout: Fei et al. 2023, "Mitigating Label Biases for In-context Learning", and their code.
public struct TaskCard: Sendable, Equatable {
    public var name: String
    /// An instruction before everything else, with its line breaks.
    public var promptPrefix: String
    /// What stands before each text.
    public var questionPrefix: String
    /// What stands around the two texts of a task which has two; nil: it has one.
    public var pair: Pair?
    /// What stands before each label.
    public var answerPrefix: String
    /// The words of each class; the class is as probable as all its words together. The first is its name.
    public var labels: [[String]]
    /// What examples show as labels, one for each class; nil: the first word of each class.
    public var labelsInContext: [String]?
    /// Texts are cut after this many words.
    public var wordLimit: Int?

    public struct Pair: Sendable, Equatable {
        public var firstPrefix: String
        public var firstSuffix: String
        public var secondPrefix: String
        public var secondSuffix: String

        public init(
            firstPrefix: String, firstSuffix: String = "", secondPrefix: String, secondSuffix: String = ""
        ) {
            self.firstPrefix = firstPrefix
            self.firstSuffix = firstSuffix
            self.secondPrefix = secondPrefix
            self.secondSuffix = secondSuffix
        }
    }

    public init(
        name: String, promptPrefix: String = "", questionPrefix: String, pair: Pair? = nil,
        answerPrefix: String, labels: [[String]], labelsInContext: [String]? = nil, wordLimit: Int? = nil
    ) {
        self.name = name
        self.promptPrefix = promptPrefix
        self.questionPrefix = questionPrefix
        self.pair = pair
        self.answerPrefix = answerPrefix
        self.labels = labels
        self.labelsInContext = labelsInContext
        self.wordLimit = wordLimit
    }

    /// A task that says nothing but what its classes are called.
    public init(labels: [String]) {
        self.init(
            name: "text", questionPrefix: "Text: ", answerPrefix: "Label: ", labels: labels.map { [$0] })
    }

    /// The name of each class: its first word.
    public var classNames: [String] { labels.map { $0.first ?? "" } }

    /// What an example of a class shows.
    public func labelInContext(_ number: Int) -> String {
        let shown = labelsInContext ?? classNames
        return shown.indices.contains(number) ? shown[number] : ""
    }

    /// The class which a word stands for, in a file of examples.
    public func number(of label: String) -> Int? {
        labels.firstIndex { $0.contains(label) } ?? labelsInContext?.firstIndex(of: label)
    }

    /// - Throws: ``CalibrationError`` if there are fewer than two classes, a class without words or an empty
    ///   word, a word of two classes, or another number of labels in context.
    public func validate() throws {
        if labels.count < 2 { throw CalibrationError.fewLabels(count: labels.count) }
        var seen: [String: Int] = [:]
        for (number, words) in labels.enumerated() {
            if words.isEmpty || words.contains("") { throw CalibrationError.emptyLabel(number: number) }
            for word in words {
                if let other = seen.updateValue(number, forKey: word) {
                    throw CalibrationError.sharedWord(word, classes: [other, number])
                }
            }
        }
        if let shown = labelsInContext {
            guard shown.count == labels.count else {
                throw CalibrationError.labelsInContext(found: shown.count, expected: labels.count)
            }
            if let number = shown.firstIndex(of: "") { throw CalibrationError.emptyLabel(number: number) }
        }
        if let wordLimit, wordLimit < 1 {
            throw CalibrationError.outOfRange(
                field: "max_words", found: "\(wordLimit)", allowed: "1 or more")
        }
    }
}

/// What is to be classified: a text, or two of them.
public struct TaskText: Sendable, Hashable {
    public var first: String
    public var second: String?

    public init(_ first: String, _ second: String? = nil) {
        self.first = first
        self.second = second
    }
}

/// A text, and its class if that is known.
public struct TaskExample: Sendable, Hashable {
    public var text: TaskText
    /// Index into ``TaskCard/labels``.
    public var label: Int?

    public init(text: TaskText, label: Int? = nil) {
        self.text = text
        self.label = label
    }
}
