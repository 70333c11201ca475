/// Turns tokens into text while they arrive, in whole code points only.
///
/// The bytes of a code point that is not complete yet are kept back. All answers put together are
/// exactly what `decode` gives for all tokens at once.
///
///     var decoder = StreamingDecoder(tokenizer)
///     for id in ids { print(decoder.append(id), terminator: "") }
///     print(decoder.finish())
public struct StreamingDecoder: Sendable {
    private let tokenizer: any Tokenizer
    private let skipSpecialTokens: Bool
    private var pending: [UInt8] = []
    private var place: DecodingPlace

    /// - Parameters:
    ///   - skipSpecialTokens: whether special tokens give no text.
    ///   - place: what comes before: nothing, or a text that the tokens go on with. With vocabularies that
    ///     leave a blank away at the start of a text this makes a difference.
    public init(
        _ tokenizer: any Tokenizer, skipSpecialTokens: Bool = false, after place: DecodingPlace = .start
    ) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        self.place = place
    }

    /// Whether bytes of an incomplete code point are kept back.
    public var hasPending: Bool { !pending.isEmpty }

    /// The text that has become complete with this token, often empty.
    public mutating func append(_ id: Int32) -> String {
        if skipSpecialTokens && tokenizer.isSpecial(id) { return "" }
        tokenizer.appendBytes(of: id, after: &place, to: &pending)
        let complete = pending.count - Self.incompleteTail(pending)
        defer { pending.removeFirst(complete) }
        return String(decoding: pending.prefix(complete), as: UTF8.self)
    }

    /// What is left at the end: U+FFFD when a code point never became complete, else nothing.
    public mutating func finish() -> String {
        defer { pending.removeAll() }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end may still become a code point.
    private static func incompleteTail(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let start = bytes.count - length
            if bytes[start] & 0xC0 == 0x80 { continue }  // not where a code point begins
            let (valid, isComplete) = UTF8Sequence.prefix(in: bytes[start...])
            let mayContinue = !isComplete && valid == length && bytes[start] >= 0xC2 && bytes[start] <= 0xF4
            return mayContinue ? length : 0
        }
        return 0
    }
}
