extension ByteLevelBPE {
    /// Makes the tokenizer that a GGUF file describes, with the ids that llama.cpp gives.
    ///
    /// - Parameters:
    ///   - model: `tokenizer.ggml.model`; byte-level BPE is "gpt2".
    ///   - pre: `tokenizer.ggml.pre`, the name of the pre-tokeniser. Files without it are from the time
    ///     when llama.cpp knew only GPT-2's, which is taken then.
    ///   - tokens: `tokenizer.ggml.tokens`, spelled in the byte-level alphabet, added tokens verbatim.
    ///   - tokenTypes: `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined,
    ///     5 unused, 6 byte. Without it all are normal.
    ///   - merges: `tokenizer.ggml.merges`, two pieces with a blank between them.
    ///   - beginningOfSequence: `tokenizer.ggml.bos_token_id`, and so on for the other ids.
    ///   - addsBeginningOfSequence: `tokenizer.ggml.add_bos_token`; without it the pre-tokeniser decides.
    ///   - addsEndOfSequence: `tokenizer.ggml.add_eos_token`.
    ///   - file: the name of the file for messages.
    public convenience init(
        ggufModel model: String, pre: String?, tokens: ByteStrings, tokenTypes: [Int32]? = nil,
        merges: ByteStrings, beginningOfSequence: Int? = nil, endOfSequence: Int? = nil, unknown: Int? = nil,
        padding: Int? = nil, addsBeginningOfSequence: Bool? = nil, addsEndOfSequence: Bool? = nil,
        file: String = "the GGUF file"
    ) throws(TokenizerError) {
        guard model == "gpt2" else {
            throw .unsupported(
                field: "tokenizer.ggml.model", found: "\"\(model.prefix(80))\"",
                supported: "\"gpt2\" (byte-level BPE)", file: file)
        }
        let style = try GGUFPreTokenizers.style(pre, file: file)
        if let tokenTypes, tokenTypes.count != tokens.count {
            throw .unexpected(
                field: "tokenizer.ggml.token_type", found: "an array of \(tokenTypes.count)",
                expected: "\(tokens.count) as there are tokens", file: file)
        }

        var reader = VocabularyReader(file: file, pieces: tokens.count)
        var parts = Parts(
            vocabulary: reader.vocabulary, merges: reader.merges,
            preTokenizer: PreTokenizer(steps: style.steps))
        parts.search = .longestFirst
        parts.ignoresMerges = style.ignoresMerges
        var added: [AddedToken] = []
        for id in 0..<tokens.count {
            let range = tokens.range(id)
            if range.isEmpty {  // llama.cpp gives such pieces a name of their own
                let name = Array("[EMPTY_\(id)]".utf8)
                try reader.addPiece(
                    name, 0..<name.count, id: Int64(id), verbatim: true, field: "tokenizer.ggml.tokens")
                parts.silent.insert(Int32(id))
                continue
            }
            let type = tokenTypes.map { TokenType(rawValue: $0[id]) ?? .normal } ?? .normal
            try reader.addPiece(
                tokens.bytes, range, id: Int64(id), verbatim: type.isAdded, field: "tokenizer.ggml.tokens")
            if type == .unused { parts.silent.insert(Int32(id)) }
            if type.isAdded {
                let content = Array(tokens.bytes[range])
                added.append(AddedToken(id: Int32(id), content: content, isSpecial: type != .userDefined))
            }
        }
        try reader.addAddedTokens(added, to: &parts.addedTokens)
        for index in 0..<merges.count {
            try reader.addMerge(line: merges.bytes, merges.range(index), index: index, keepsFirst: true)
        }
        parts.vocabulary = reader.vocabulary
        parts.merges = reader.merges

        func checked(_ id: Int?, _ name: String) throws(TokenizerError) -> Int32? {
            // Some converters write -1 for none, which an unsigned field shows as this.
            guard let id, id != 0xFFFF_FFFF else { return nil }
            guard id >= 0, id < tokens.count else {
                throw .limit(field: "tokenizer.ggml.\(name)", found: id, limit: tokens.count - 1, file: file)
            }
            return Int32(id)
        }
        let beginning = try checked(beginningOfSequence, "bos_token_id")
        let end = try checked(endOfSequence, "eos_token_id")
        parts.specialTokens = SpecialTokens(
            beginningOfSequence: beginning, endOfSequence: end,
            unknown: try checked(unknown, "unknown_token_id"),
            padding: try checked(padding, "padding_token_id"), endOfGeneration: Self.markEnds(in: &parts))
        if addsBeginningOfSequence ?? style.addsBeginningOfSequence, let beginning {
            parts.prefix = [beginning]
        }
        if addsEndOfSequence ?? false, let end { parts.suffix = [end] }
        self.init(parts)
    }

    /// Makes the tokenizer that a GGUF file describes from strings.
    public convenience init(
        ggufModel model: String, pre: String?, tokens: [String], tokenTypes: [Int32]? = nil, merges: [String],
        beginningOfSequence: Int? = nil, endOfSequence: Int? = nil, unknown: Int? = nil, padding: Int? = nil,
        addsBeginningOfSequence: Bool? = nil, addsEndOfSequence: Bool? = nil, file: String = "the GGUF file"
    ) throws(TokenizerError) {
        try self.init(
            ggufModel: model, pre: pre, tokens: ByteStrings(tokens), tokenTypes: tokenTypes,
            merges: ByteStrings(merges), beginningOfSequence: beginningOfSequence,
            endOfSequence: endOfSequence,
            unknown: unknown, padding: padding, addsBeginningOfSequence: addsBeginningOfSequence,
            addsEndOfSequence: addsEndOfSequence, file: file)
    }

    private enum TokenType: Int32 {
        case normal = 1, unknown, control, userDefined, unused, byte
        var isAdded: Bool { self == .unknown || self == .control || self == .userDefined }
    }

    /// The tokens that end a generation by their spelling. Like llama.cpp this makes them control tokens
    /// when the file says otherwise.
    private static func markEnds(in parts: inout Parts) -> Set<Int32> {
        var result = Set<Int32>()
        for name in SpecialTokens.knownEnds {
            let spelling = Array(name.utf8)
            guard let id = parts.vocabulary.id(ofSpelling: spelling, 0..<spelling.count) else { continue }
            result.insert(id)
            if let index = parts.addedTokens.firstIndex(where: { $0.id == id }) {
                parts.addedTokens[index].isSpecial = true
            } else {
                parts.addedTokens.append(AddedToken(id: id, content: spelling, isSpecial: true))
            }
        }
        return result
    }
}

/// The pre-tokenisers that `tokenizer.ggml.pre` can name.
enum GGUFPreTokenizers {
    struct Style: Sendable {
        var steps: [PreTokenizer.Step]
        var ignoresMerges = false
        var addsBeginningOfSequence = false
    }

    private static let gpt2 = Style(steps: [.gpt2])
    private static let digitsFirst = Style(steps: [.eachNumber, .gpt2])
    private static let llama3 = Style(
        steps: [.llama3(digits: 3, foldsLongS: false)], ignoresMerges: true, addsBeginningOfSequence: true)
    private static let llama3Merging = Style(steps: [.llama3(digits: 3, foldsLongS: false)])
    private static let qwen2 = Style(steps: [.llama3(digits: 1, foldsLongS: false)])
    private static let fallback = Style(steps: [.punctuationRuns, .gpt2, .numberRuns, .digitTriples])

    private static let styles: [String: Style] = [
        "default": fallback,
        "gpt-2": gpt2, "phi-2": gpt2, "roberta-bpe": gpt2, "mpt": gpt2, "olmo": gpt2, "jais": gpt2,
        "smollm": digitsFirst, "starcoder": digitsFirst, "refact": digitsFirst, "command-r": digitsFirst,
        "codeshell": digitsFirst,
        "llama3": llama3, "llama-v3": llama3, "llama-bpe": llama3,
        "dbrx": llama3Merging, "smaug-bpe": llama3Merging,
        "qwen2": qwen2, "stablelm2": qwen2,
    ]

    static func style(_ name: String?, file: String) throws(TokenizerError) -> Style {
        guard let name else { return gpt2 }
        if let style = styles[name] { return style }
        throw .unsupported(
            field: "tokenizer.ggml.pre", found: "\"\(name.prefix(80))\"",
            supported: styles.keys.sorted().joined(separator: ", "), file: file)
    }
}
