import CorvidText

/// Positions as a user writes them, which a text turns into ``Positions``.
///
/// | written | means |
/// |---|---|
/// | `all` | every token, generated ones too |
/// | `prompt`, `generated` | the text's tokens, those that are generated after it |
/// | `last` | the last token of the text |
/// | `3`, `-2` | the fourth token, the last but one |
/// | `2-5`, `4-` | tokens 2 to 5, all from 4 on; several with commas |
/// | `after:TEXT` | the last token of a piece of the text |
/// | `tokens:TEXT` | all tokens of a piece of the text |
public enum PositionQuery: Hashable, Sendable, CustomStringConvertible {
    case all, prompt, generated, last
    case spans([Span])
    case after(String)
    case tokens(String)

    /// Neighbouring positions: a negative first one counts from the end, a missing last one is open.
    public struct Span: Hashable, Sendable, CustomStringConvertible {
        public let first: Int
        public let last: Int?

        public var description: String {
            if last == first { return "\(first)" }
            return "\(first)-" + (last.map { "\($0)" } ?? "")
        }
    }

    /// - Throws: ``SiteError/positions(_:)``.
    public init(parsing text: String) throws {
        switch text {
        case "all": self = .all
        case "prompt": self = .prompt
        case "generated": self = .generated
        case "last": self = .last
        default:
            if let piece = Self.rest(of: text, after: "after:") {
                self = .after(piece)
            } else if let piece = Self.rest(of: text, after: "tokens:") {
                self = .tokens(piece)
            } else {
                let spans = text.split(separator: ",", omittingEmptySubsequences: false).map(Self.span)
                guard spans.allSatisfy({ $0 != nil }) else { throw SiteError.positions(text) }
                self = .spans(spans.compactMap { $0 })
            }
        }
    }

    /// The positions in a text.
    /// - Throws: ``SiteError/position(_:tokens:)`` for positions that it does not have,
    ///   ``SiteError/substring(_:)`` and ``SiteError/substringTwice(_:)``.
    public func resolved(text: String, ids: [Int32], tokenizer: any Tokenizer) throws -> Positions {
        try resolved(in: TokenSpans(ids, of: text, tokenizer: tokenizer))
    }

    /// The positions in a text whose tokens are known.
    /// - Throws: as ``resolved(text:ids:tokenizer:)``.
    public func resolved(in text: TokenSpans) throws -> Positions {
        switch self {
        case .all: return .all
        case .prompt: return .range(0..<text.count)
        case .generated: return .generated
        case .last: return .lastOfPrompt
        case .spans(let spans):
            return Positions(
                try spans.map { span in
                    let first = try Self.place(span.first, of: text.count)
                    guard let last = span.last else { return first..<Int.max }
                    return first..<(try Self.place(last, of: text.count)) + 1
                })
        case .after(let piece):
            let tokens = try text.tokens(of: piece)
            return .at(tokens.upperBound - 1)
        case .tokens(let piece): return .range(try text.tokens(of: piece))
        }
    }

    public var description: String {
        switch self {
        case .all: "all"
        case .prompt: "prompt"
        case .generated: "generated"
        case .last: "last"
        case .spans(let spans): spans.map(\.description).joined(separator: ",")
        case .after(let piece): "after:" + piece
        case .tokens(let piece): "tokens:" + piece
        }
    }

    private static func place(_ position: Int, of count: Int) throws -> Int {
        guard position >= -count, position < count else {
            throw SiteError.position(position, tokens: count)
        }
        return position < 0 ? count + position : position
    }

    private static func rest(of text: String, after name: String) -> String? {
        guard text.hasPrefix(name), text.utf8.count > name.utf8.count else { return nil }
        return String(text.dropFirst(name.count))
    }

    private static func span(_ text: Substring) -> Span? {
        let word = text.drop { $0 == " " }
        if word.hasPrefix("-") {
            guard let back = number(word.dropFirst()), back > 0 else { return nil }
            return Span(first: -back, last: -back)
        }
        let parts = word.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap(number) else { return nil }
        if parts.count == 1 { return Span(first: first, last: first) }
        if parts[1].isEmpty { return Span(first: first, last: nil) }
        guard let last = number(parts[1]), last >= first else { return nil }
        return Span(first: first, last: last)
    }

    /// A number in digits, and nothing else.
    private static func number(_ text: Substring) -> Int? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }
}
