import CorvidModels
import CorvidText

/// A prompt whose next token is traced back to what the model computes at its tokens.
public struct TracedFact: Sendable, Equatable {
    public let ids: [Int32]
    /// The tokens whose embeddings are corrupted.
    public let subject: Range<Int>
    /// The token whose probability is measured; nil: the most likely one of the clean run.
    public var answer: Int32?
    /// What a file of facts says that the answer is; a trace skips the fact if the model answers otherwise.
    public var expected: Int32?

    /// - Throws: ``TracingError``.
    public init(ids: [Int32], subject: Range<Int>, answer: Int32? = nil, expected: Int32? = nil) throws {
        guard !ids.isEmpty else { throw TracingError.noTokens }
        guard !subject.isEmpty, subject.lowerBound >= 0, subject.upperBound <= ids.count else {
            throw TracingError.subject(
                first: subject.lowerBound, last: subject.upperBound - 1, tokens: ids.count)
        }
        self.ids = ids
        self.subject = subject
        self.answer = answer
        self.expected = expected
    }

    /// - Parameters:
    ///   - subject: a piece of the prompt which occurs in it once.
    ///   - answer: a text that goes on with the prompt, of which the first token counts; a blank between the two
    ///     is added where neither has one.
    ///   - expected: the same for ``expected``.
    /// - Throws: ``TracingError``, ``SiteError`` for a subject that does not occur exactly once.
    public init(
        prompt: String, subject: String, answer: String? = nil, expected: String? = nil,
        tokenizer: any Tokenizer
    ) throws {
        let ids = tokenizer.encode(prompt)
        func token(_ text: String) throws -> Int32 {
            try Self.firstToken(of: text, after: prompt, ids: ids, tokenizer)
        }
        try self.init(
            ids: ids, subject: TokenSpans(ids, of: prompt, tokenizer: tokenizer).tokens(of: subject),
            answer: answer.map(token), expected: expected.map(token))
    }

    /// The first token by which `text` goes on with the prompt.
    static func firstToken(
        of text: String, after prompt: String, ids: [Int32], _ tokenizer: any Tokenizer
    ) throws -> Int32 {
        let isApart = prompt.last?.isWhitespace ?? true || text.first?.isWhitespace ?? true
        let rest = isApart ? text : " " + text
        let whole = tokenizer.encode(prompt + rest)
        if whole.count > ids.count, whole.prefix(ids.count).elementsEqual(ids),
            !tokenizer.isSpecial(whole[ids.count])
        {
            return whole[ids.count]
        }
        // The end of the prompt and the answer's beginning make a token together, or a token stands behind both.
        guard let first = tokenizer.encode(rest, addSpecialTokens: false).first else {
            throw TracingError.emptyAnswer
        }
        return first
    }

    /// Reads facts as the data set Known 1000 has them: objects with `prompt`, `subject` and mostly `attribute`,
    /// in one array or one on each line.
    /// - Parameter limit: how many facts are read at most.
    /// - Throws: ``TracingError``, ``SiteError``, `JSONError`.
    public static func facts(
        in text: String, limit: Int? = nil, tokenizer: any Tokenizer
    ) throws -> [TracedFact] {
        let isArray = text.first { !$0.isWhitespace } == "["
        let records =
            isArray
            ? try JSON.parse(text).array ?? []
            : try text.split(whereSeparator: \.isNewline).map { try JSON.parse(String($0)) }
        guard !records.isEmpty else { throw TracingError.noFacts }
        return try records.prefix(limit ?? .max).enumerated().map { index, record in
            func field(_ key: String) throws -> String {
                guard let value = record[key]?.string, !value.isEmpty else {
                    throw TracingError.record(index: index, key: key)
                }
                return value
            }
            return try TracedFact(
                prompt: field("prompt"), subject: field("subject"), expected: record["attribute"]?.string,
                tokenizer: tokenizer)
        }
    }
}
