import CorvidText

/// Which bytes of a text each of its tokens stands for.
///
/// Where the tokens spell the text as it is, the bytes are the text's own, so that a piece of it is found by its
/// place, whatever token it shares with its neighbours. A tokenizer that changes the text first (lower case,
/// composed characters) is followed by what it makes of the text up to the piece.
public struct TokenSpans: Sendable {
    /// For each token its bytes; empty for special tokens that are not written in the text.
    public let spans: [Range<Int>]
    private let text: String
    /// What the spans count in.
    private let bytes: [UInt8]
    private let isExact: Bool
    private let tokenizer: any Tokenizer

    /// - Parameters:
    ///   - ids: the text's tokens, with the special tokens that were put around it.
    ///   - text: the text that was encoded.
    public init(_ ids: [Int32], of text: String, tokenizer: any Tokenizer) {
        self.text = text
        self.tokenizer = tokenizer
        let own = Array(text.utf8)
        if let spans = Self.spans(of: ids, in: own, tokenizer) {
            (self.spans, bytes, isExact) = (spans, own, true)
        } else {
            (spans, bytes) = Self.decoded(ids, tokenizer)
            isExact = false
        }
    }

    /// How many tokens there are.
    public var count: Int { spans.count }

    /// The tokens that a piece of the text stands in: of a piece that begins or ends within a token, that whole
    /// token.
    /// - Throws: ``SiteError/substring(_:)`` and ``SiteError/substringTwice(_:)`` for a piece that does not occur
    ///   exactly once in the text.
    public func tokens(of piece: String) throws -> Range<Int> {
        let places = Self.occurrences(of: Array(piece.utf8), in: Array(text.utf8))
        guard let place = places.first, !piece.isEmpty else { throw SiteError.substring(piece) }
        guard places.count == 1 else { throw SiteError.substringTwice(piece) }
        let range = try isExact ? place..<place + piece.utf8.count : spelled(piece, at: place)
        let found = spans.indices.filter { index in
            let span = spans[index]
            return !span.isEmpty && span.lowerBound < range.upperBound && span.upperBound > range.lowerBound
        }
        guard let first = found.first, let last = found.last else { throw SiteError.substring(piece) }
        return first..<last + 1
    }

    /// The bytes of the piece at a place of the text, as the tokens spell them.
    private func spelled(_ piece: String, at place: Int) throws -> Range<Int> {
        func spelling(_ text: String) -> [UInt8] {
            Self.decoded(tokenizer.encode(text, addSpecialTokens: false), tokenizer).bytes
        }
        let before = String(decoding: Array(text.utf8)[..<place], as: UTF8.self)
        var needle = spelling(piece)[...]
        while needle.first == Self.blank { needle.removeFirst() }
        while needle.last == Self.blank { needle.removeLast() }
        let beginning = spelling(before + piece)
        guard !needle.isEmpty, let start = Self.occurrences(of: Array(needle), in: beginning).last,
            bytes.count >= start + needle.count, bytes[start..<start + needle.count] == needle
        else { throw SiteError.substring(piece) }
        return start..<start + needle.count
    }

    private static let blank = UInt8(ascii: " ")

    /// The spans in the text itself; nil if the tokens spell another text.
    private static func spans(
        of ids: [Int32], in text: [UInt8], _ tokenizer: any Tokenizer
    ) -> [Range<Int>]? {
        var spans: [Range<Int>] = []
        var place = DecodingPlace.start
        var position = 0
        for id in ids {
            let before = place
            var token: [UInt8] = []
            tokenizer.appendBytes(of: id, after: &place, to: &token)
            func continues(_ bytes: ArraySlice<UInt8>) -> Bool { text[position...].starts(with: bytes) }
            if continues(token[...]) {
                spans.append(position..<position + token.count)
            } else if tokenizer.isSpecial(id) {
                // It stands around the text, which has not begun yet.
                place = before
                spans.append(position..<position)
            } else if token.first == blank, continues(token.dropFirst()) {
                spans.append(position..<position + token.count - 1)
            } else {
                return nil
            }
            position = spans[spans.count - 1].upperBound
        }
        return position == text.count ? spans : nil
    }

    /// What the tokens spell, without special tokens, and the spans in it.
    private static func decoded(
        _ ids: [Int32], _ tokenizer: any Tokenizer
    ) -> (spans: [Range<Int>], bytes: [UInt8]) {
        var spans: [Range<Int>] = []
        var bytes: [UInt8] = []
        var place = DecodingPlace.start
        for id in ids {
            let start = bytes.count
            if !tokenizer.isSpecial(id) { tokenizer.appendBytes(of: id, after: &place, to: &bytes) }
            spans.append(start..<bytes.count)
        }
        return (spans, bytes)
    }

    /// Where `piece` begins in `text`, each time it occurs.
    private static func occurrences(of piece: [UInt8], in text: [UInt8]) -> [Int] {
        guard !piece.isEmpty, piece.count <= text.count else { return [] }
        return (0...text.count - piece.count).filter { start in
            text[start] == piece[0] && text[start..<start + piece.count].elementsEqual(piece)
        }
    }
}
