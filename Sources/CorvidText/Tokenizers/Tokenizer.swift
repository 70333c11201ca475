/// Text to token ids and back.
///
/// Tokenizers are immutable and can be used from any number of tasks at once.
public protocol Tokenizer: Sendable {
    /// One more than the highest token id. A model may have more rows than that.
    var vocabularySize: Int { get }
    /// The tokens with a role.
    var specialTokens: SpecialTokens { get }
    /// Whether `encode` begins with the token of the beginning when it adds special tokens.
    var addsBeginningOfSequence: Bool { get }

    /// The ids of a text.
    /// - Parameters:
    ///   - bytes: UTF-8; other bytes are allowed where the kind of tokenizer can express them.
    ///   - addSpecialTokens: whether to put the tokens around it which the model expects there.
    ///   - parseSpecial: whether special tokens that are spelled out in the text become one id each.
    func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32]

    /// The ids of two texts that belong together, such as a question and a passage.
    /// - Parameters: as for one text.
    func encode(
        bytes first: [UInt8], pair second: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool
    ) -> TokenPair

    /// Appends the bytes that a token stands for within a text; none for an id that is no token.
    func appendBytes(of id: Int32, to output: inout [UInt8])
    /// Appends the bytes that a token stands for after others: some vocabularies write blanks between
    /// tokens, or leave one away at the start of a text.
    func appendBytes(of id: Int32, after place: inout DecodingPlace, to output: inout [UInt8])
    /// A token as the vocabulary spells it; empty for an id that is no token.
    func piece(of id: Int32) -> String
    /// The token with this spelling.
    func id(of piece: String) -> Int32?
    /// Whether a token is structure rather than text, such as the end of a turn.
    func isSpecial(_ id: Int32) -> Bool
}

extension Tokenizer {
    /// The token that begins a sequence.
    public var beginningOfSequence: Int32? { specialTokens.beginningOfSequence }
    /// The token that ends a sequence.
    public var endOfSequence: Int32? { specialTokens.endOfSequence }
    /// All tokens after which generation ends, `endOfSequence` among them.
    public var endOfGeneration: Set<Int32> { specialTokens.endOfGeneration }

    /// The ids of a text.
    /// - Parameters:
    ///   - text: the text; Swift strings are always valid UTF-8.
    ///   - addSpecialTokens: whether to put the tokens around it which the model expects there.
    ///   - parseSpecial: whether special tokens that are spelled out in the text become one id each.
    public func encode(_ text: String, addSpecialTokens: Bool = true, parseSpecial: Bool = true) -> [Int32] {
        encode(bytes: Array(text.utf8), addSpecialTokens: addSpecialTokens, parseSpecial: parseSpecial)
    }

    /// Without a pattern of its own for pairs a tokenizer puts the second text after the first, with type 1.
    public func encode(
        bytes first: [UInt8], pair second: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool
    ) -> TokenPair {
        var result = TokenPair()
        result.ids = encode(bytes: first, addSpecialTokens: addSpecialTokens, parseSpecial: parseSpecial)
        result.extendTypes(with: 0)
        result.ids += encode(bytes: second, addSpecialTokens: addSpecialTokens, parseSpecial: parseSpecial)
        result.extendTypes(with: 1)
        return result
    }

    /// The ids of two texts that belong together.
    public func encode(
        _ first: String, pair second: String, addSpecialTokens: Bool = true, parseSpecial: Bool = true
    ) -> TokenPair {
        encode(
            bytes: Array(first.utf8), pair: Array(second.utf8), addSpecialTokens: addSpecialTokens,
            parseSpecial: parseSpecial)
    }

    public func appendBytes(of id: Int32, after place: inout DecodingPlace, to output: inout [UInt8]) {
        appendBytes(of: id, to: &output)
    }

    /// The bytes that a token stands for within a text; none for an id that is no token.
    public func bytes(of id: Int32) -> [UInt8] {
        var output: [UInt8] = []
        appendBytes(of: id, to: &output)
        return output
    }

    /// The bytes that some tokens stand for.
    public func decodeBytes(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        var place = DecodingPlace.start
        for id in ids where !(skipSpecialTokens && isSpecial(id)) {
            appendBytes(of: id, after: &place, to: &output)
        }
        return output
    }

    /// The text that some tokens stand for; U+FFFD where their bytes are no valid UTF-8.
    public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = false) -> String {
        String(decoding: decodeBytes(ids, skipSpecialTokens: skipSpecialTokens), as: UTF8.self)
    }
}

/// The ids of two texts, and for each the type that tells the model which text it belongs to.
public struct TokenPair: Sendable, Equatable {
    public internal(set) var ids: [Int32] = []
    /// As many as there are ids; 0 or 1 with the models at hand.
    public internal(set) var types: [Int32] = []

    public init() {}

    /// Gives this type to the ids that have none.
    mutating func extendTypes(with type: Int32) {
        types.append(contentsOf: repeatElement(type, count: ids.count - types.count))
    }
}

/// The tokens that have a role, where a tokenizer has them.
public struct SpecialTokens: Sendable, Equatable {
    public var beginningOfSequence: Int32?
    public var endOfSequence: Int32?
    public var unknown: Int32?
    public var padding: Int32?
    /// All tokens after which generation ends, `endOfSequence` among them.
    public var endOfGeneration: Set<Int32>

    public init(
        beginningOfSequence: Int32? = nil, endOfSequence: Int32? = nil, unknown: Int32? = nil,
        padding: Int32? = nil, endOfGeneration: Set<Int32> = []
    ) {
        self.beginningOfSequence = beginningOfSequence
        self.endOfSequence = endOfSequence
        self.unknown = unknown
        self.padding = padding
        self.endOfGeneration = endOfGeneration.union(endOfSequence.map { [$0] } ?? [])
    }

    /// Spellings of tokens that end a turn or a text, whatever the file says about them.
    static let knownEnds = [
        "<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|end|>",
        "<end_of_turn>", "<EOT>", "_<EOT>",
    ]
}
