import CorvidModels
import CorvidText

/// Asks a language model for the labels of texts, after the examples of a prompt.
///
/// The instruction and the examples are run once. See ``ContinuationScorer`` for what a text costs.
public struct LabelScorer<SomeModel: LanguageModel>: Sendable {
    public let card: TaskCard
    public let demonstrations: [TaskExample]
    private let tokenizer: any Tokenizer
    private let labels: LabelTokens
    private let context: String
    private let scorer: ContinuationScorer<SomeModel>

    /// - Parameter demonstrations: examples with labels, in the order in which they are shown; may be none.
    /// - Throws: ``CalibrationError`` for a card or an example that does not do, or if the examples do not fit;
    ///   what the model throws.
    public init(
        _ model: SomeModel, tokenizer: any Tokenizer, card: TaskCard, demonstrations: [TaskExample],
        settings: ContinuationScorerSettings = ContinuationScorerSettings(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        self.card = card
        self.demonstrations = demonstrations
        self.tokenizer = tokenizer
        labels = try LabelTokens(card, tokenizer)
        try Self.check(demonstrations.map(\.text), card)
        if let index = demonstrations.firstIndex(where: { $0.label == nil }) {
            throw CalibrationError.exampleWithoutLabel(index: index)
        }
        let context = card.context(demonstrations)
        self.context = context
        // What two prompts have in common, so that the border lies where a token ends.
        let second: String? = card.pair == nil ? nil : ""
        let prompts = [TaskText("", second), TaskText("a", second)].map {
            tokenizer.encode(context + card.query($0), parseSpecial: false)
        }
        let shared = ContinuationScorer<SomeModel>.commonBeginning(of: prompts)
        guard shared.count < model.contextLength else {
            throw CalibrationError.tooLong(
                what: Self.name(demonstrations), tokens: shared.count, contextLength: model.contextLength)
        }
        scorer = try await ContinuationScorer(model, context: shared, settings: settings, progress: progress)
    }

    /// Tokens of the instruction and the examples, which are run once.
    public var contextTokens: Int { scorer.context.count }

    /// What the tokens of each label word spell, `[words][tokens]`. The probability of a word of several is the
    /// product of theirs.
    public var labelPieces: [[String]] { labels.pieces }

    /// What the examples, their labels and the label words are known by: another prompt has other biases.
    public var contextDigest: Digest { card.contextDigest(demonstrations) }

    /// P(class | text), the sum over its words of the probabilities that they follow the prompt, `[texts][classes]`.
    /// The classes of a text do not add up to 1: a model may say something else.
    ///
    /// - Throws: ``CalibrationError`` for a text that does not fit; what the model throws.
    public func masses(
        of texts: [TaskText], progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [[Double]] {
        try Self.check(texts, card)
        let prompts = texts.map { tokenizer.encode(context + card.query($0), parseSpecial: false) }
        do {
            return try await scorer.logProbabilities(of: labels.tree, after: prompts, progress: progress)
                .map(labels.masses)
        } catch ContinuationError.tooLong(let prompt, let tokens, let length) {
            throw CalibrationError.tooLong(
                what: Self.name(demonstrations) + " and text \(prompt)", tokens: tokens,
                contextLength: length)
        }
    }

    private static func name(_ demonstrations: [TaskExample]) -> String {
        let examples = demonstrations.count == 1 ? "1 example" : "\(demonstrations.count) examples"
        return demonstrations.isEmpty ? "the prompt" : "the prompt with \(examples)"
    }

    private static func check(_ texts: [TaskText], _ card: TaskCard) throws {
        let expected = card.pair == nil ? 1 : 2
        if let index = texts.firstIndex(where: { ($0.second == nil) != (card.pair == nil) }) {
            throw CalibrationError.textCount(index: index, expected: expected)
        }
    }
}

extension TaskCard {
    /// Digest of the examples' prompt, of what stands around a text, and of the label words.
    public func contextDigest(_ demonstrations: [TaskExample]) -> Digest {
        var digest = Digest.Running()
        let texts = [context(demonstrations), query(TaskText("", pair == nil ? nil : ""))]
        // What ends a text and a class: label words without it could change places.
        for text in texts + labels.flatMap({ $0 + ["\u{1}"] }) { digest.add(text + "\u{0}") }
        return digest.digest
    }
}
