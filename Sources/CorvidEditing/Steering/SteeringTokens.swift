import CorvidText

/// Turns prompts into tokens so that their activations can be subtracted: each begins with the token of the
/// beginning exactly once, and the shorter of a pair is filled with blanks.
///
/// Without the token of the beginning the first word would stand where models put values that are many times as
/// large as all others, and the difference of two first words would drown everything. Blanks at the end work
/// better than the padding token (Turner et al., 2023, section 3).
public struct SteeringTokens: Sendable {
    private let tokenizer: any Tokenizer
    /// The token that begins every text.
    public let beginning: Int32
    /// The token that is one blank, where the vocabulary has one.
    public let blank: Int32?

    /// - Parameter beginning: nil for the one that tokenizers put before texts; where they put none, the one that
    ///   parted the texts which the model learned from. (What a chat model calls its beginning may begin a turn.)
    /// - Throws: ``SteeringError/noBeginning``.
    public init(_ tokenizer: any Tokenizer, beginning: Int32? = nil) throws {
        let own = tokenizer.beginningOfSequence
        let parting = tokenizer.id(of: "<|endoftext|>") ?? own ?? tokenizer.endOfSequence
        guard let first = beginning ?? (tokenizer.addsBeginningOfSequence ? own : nil) ?? parting else {
            throw SteeringError.noBeginning
        }
        self.tokenizer = tokenizer
        self.beginning = first
        blank = Self.blank(of: tokenizer)
    }

    private static func blank(of tokenizer: any Tokenizer) -> Int32? {
        let encoded = tokenizer.encode(" ", addSpecialTokens: false)
        if encoded.count == 1, tokenizer.bytes(of: encoded[0]) == [32] { return encoded[0] }
        // As byte-level and SentencePiece vocabularies spell a blank.
        for spelling in ["\u{120}", "\u{2581}", " "] {
            if let id = tokenizer.id(of: spelling), tokenizer.bytes(of: id) == [32] { return id }
        }
        return nil
    }

    /// The tokens of a text behind the token of the beginning, which is not put there twice.
    public func ids(_ text: String) -> [Int32] {
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        return ids.first == beginning ? ids : [beginning] + ids
    }

    /// Two prompts of the same length.
    /// - Parameter index: names the pair in errors.
    /// - Throws: ``SteeringError/emptyPair(index:)``, ``SteeringError/noBlank``.
    public func pair(
        _ positive: String, _ negative: String, index: Int = 0
    ) throws -> (positive: [Int32], negative: [Int32]) {
        let (first, second) = (ids(positive), ids(negative))
        let length = max(first.count, second.count)
        guard length > 1 else { throw SteeringError.emptyPair(index: index) }
        return (try filled(first, to: length), try filled(second, to: length))
    }

    /// The tokens with blanks behind them, `count` in all.
    /// - Throws: ``SteeringError/noBlank``.
    public func filled(_ ids: [Int32], to count: Int) throws -> [Int32] {
        guard ids.count < count else { return ids }
        guard let blank else { throw SteeringError.noBlank }
        return ids + [Int32](repeating: blank, count: count - ids.count)
    }

    /// A prompt with room for a vector laid over its front: blanks behind the token of the beginning, so that none
    /// of its own tokens is written over.
    /// - Parameter rows: how many tokens the vector is laid over.
    /// - Throws: ``SteeringError/noBlank``.
    public func makingRoom(in ids: [Int32], rows: Int) throws -> [Int32] {
        guard rows > 1 else { return ids }
        return try filled(Array(ids.prefix(1)), to: rows) + ids.dropFirst()
    }
}
