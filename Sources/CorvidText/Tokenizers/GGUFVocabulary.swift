/// What a GGUF file says about its tokenizer: the keys that begin with `tokenizer.ggml.`.
public struct GGUFVocabulary: Sendable {
    /// `model`: "gpt2" (byte-level byte-pair encoding), "llama" (byte-pair encoding by scores), "t5" (Unigram)
    /// or "bert" (WordPiece).
    public var model: String
    /// `pre`, the name of the pre-tokeniser of byte-pair encoding. Files without it are from the time when
    /// llama.cpp knew only GPT-2's, which is taken then.
    public var pre: String?
    /// `tokens`: in the byte-level alphabet with added tokens verbatim, or text.
    public var tokens: ByteStrings
    /// `token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. Without it all are
    /// normal.
    public var tokenTypes: [Int32]?
    /// `scores`, of "llama" and "t5".
    public var scores: [Float]?
    /// `merges`, two pieces with a blank between them.
    public var merges = ByteStrings()
    /// `bos_token_id`.
    public var beginningOfSequence: Int?
    /// `eos_token_id`.
    public var endOfSequence: Int?
    /// `unknown_token_id`.
    public var unknown: Int?
    /// `padding_token_id`.
    public var padding: Int?
    /// `cls_token_id`.
    public var classification: Int?
    /// `seperator_token_id`, which is how it is spelled.
    public var separator: Int?
    /// `add_space_prefix`, of "llama" and "t5"; without it a blank goes before a text.
    public var addsSpacePrefix: Bool?
    /// `remove_extra_whitespaces`, of "t5".
    public var removesExtraBlanks: Bool?
    /// `precompiled_charsmap`, of "t5".
    public var characterMap: [UInt8]?
    /// `add_bos_token`; without it the kind of tokenizer decides.
    public var addsBeginningOfSequence: Bool?
    /// `add_eos_token`.
    public var addsEndOfSequence: Bool?
    /// The name of the file for messages.
    public var file: String

    public init(model: String, pre: String? = nil, tokens: ByteStrings, file: String = "the GGUF file") {
        self.model = model
        self.pre = pre
        self.tokens = tokens
        self.file = file
    }

    enum TokenType: Int32 {
        case normal = 1, unknown, control, userDefined, unused, byte
        var isAdded: Bool { self == .unknown || self == .control || self == .userDefined }
    }

    func type(of id: Int) -> TokenType {
        guard let tokenTypes, tokenTypes.indices.contains(id) else { return .normal }
        return TokenType(rawValue: tokenTypes[id]) ?? .normal
    }

    /// An id from the file, or nil for none.
    func checked(_ id: Int?, _ name: String) throws(TokenizerError) -> Int32? {
        // Some converters write -1 for none, which an unsigned field shows as this.
        guard let id, id != 0xFFFF_FFFF else { return nil }
        guard id >= 0, id < tokens.count else {
            throw .limit(field: "tokenizer.ggml.\(name)", found: id, limit: tokens.count - 1, file: file)
        }
        return Int32(id)
    }

    /// The pieces of the vocabulary as the file spells them.
    struct Pieces {
        var reader: VocabularyReader
        var added: [AddedToken] = []
        /// Tokens that stand for no text.
        var silent: Set<Int32> = []
    }

    func pieces(isByteLevel: Bool) throws(TokenizerError) -> Pieces {
        if let tokenTypes, tokenTypes.count != tokens.count {
            throw .unexpected(
                field: "tokenizer.ggml.token_type", found: "an array of \(tokenTypes.count)",
                expected: "\(tokens.count) as there are tokens", file: file)
        }
        let reader = VocabularyReader(file: file, pieces: tokens.count, isByteLevel: isByteLevel)
        var pieces = Pieces(reader: reader)
        var added: [AddedToken] = []
        for id in 0..<tokens.count {
            let range = tokens.range(id)
            if range.isEmpty {  // llama.cpp gives such pieces a name of their own
                let name = Array("[EMPTY_\(id)]".utf8)
                try pieces.reader.addPiece(
                    name, 0..<name.count, id: Int64(id), verbatim: true, field: "tokenizer.ggml.tokens")
                pieces.silent.insert(Int32(id))
                continue
            }
            let type = type(of: id)
            try pieces.reader.addPiece(
                tokens.bytes, range, id: Int64(id), verbatim: type.isAdded, field: "tokenizer.ggml.tokens")
            if type == .unused { pieces.silent.insert(Int32(id)) }
            if type.isAdded {
                let content = Array(tokens.bytes[range])
                added.append(AddedToken(id: Int32(id), content: content, isSpecial: type != .userDefined))
            }
        }
        try pieces.reader.addAddedTokens(added, to: &pieces.added)
        return pieces
    }
}
