/// Words that say what a text is about.
public struct TopicWords: Sendable, Equatable {
    public let words: Set<String>

    /// - Parameter words: are compared in lower case.
    public init(_ words: some Sequence<String>) {
        self.words = Set(words.map { $0.lowercased() }.filter { !$0.isEmpty })
    }

    /// The words of a text, in lower case, cut at everything that is neither letter nor digit.
    public static func split(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// How many words of a text are among them.
    public func count(in text: String) -> Int {
        Self.split(text).count { words.contains($0) }
    }

    /// Part of the words of a text that are among them; 0 for a text without words.
    public func share(in text: String) -> Double {
        let all = Self.split(text)
        return all.isEmpty ? 0 : Double(all.count { words.contains($0) }) / Double(all.count)
    }
}

/// Words of praise and words of blame, by which the sentiment of a text is guessed.
public struct SentimentWords: Sendable, Equatable {
    public let positive: TopicWords
    public let negative: TopicWords

    public init(positive: TopicWords, negative: TopicWords) {
        self.positive = positive
        self.negative = negative
    }

    /// (positive - negative) / (positive + negative), -1...1; 0 for a text with none of them.
    public func score(_ text: String) -> Double {
        let (good, bad) = (positive.count(in: text), negative.count(in: text))
        return good + bad == 0 ? 0 : Double(good - bad) / Double(good + bad)
    }
}
