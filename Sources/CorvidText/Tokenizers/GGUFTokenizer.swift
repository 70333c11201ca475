extension PipelineTokenizer {
    /// Makes the tokenizer that a GGUF file describes, with the ids that llama.cpp gives.
    public convenience init(_ vocabulary: GGUFVocabulary) throws(TokenizerError) {
        switch vocabulary.model {
        case "gpt2": self.init(try Self.bytePairs(vocabulary))
        case "llama", "t5": self.init(try Self.sentencePiece(vocabulary))
        case "bert": self.init(try Self.wordPiece(vocabulary))
        case let other:
            throw .unsupported(
                field: "tokenizer.ggml.model", found: "\"\(other.prefix(80))\"",
                supported:
                    "\"gpt2\" (byte-level BPE), \"llama\" (BPE), \"t5\" (Unigram), \"bert\" (WordPiece)",
                file: vocabulary.file)
        }
    }

    /// Byte-level byte-pair encoding.
    private static func bytePairs(_ vocabulary: GGUFVocabulary) throws(TokenizerError) -> Parts {
        let style = try GGUFPreTokenizers.style(vocabulary.pre, file: vocabulary.file)
        var pieces = try vocabulary.pieces(isByteLevel: true)
        let merges = vocabulary.merges
        for index in 0..<merges.count {
            try pieces.reader.addMerge(
                line: merges.bytes, merges.range(index), index: index, keepsFirst: true)
        }
        var pairs = BytePairs(merges: pieces.reader.merges, vocabulary: pieces.reader.vocabulary)
        pairs.ignoresMerges = style.ignoresMerges
        var parts = Parts(
            vocabulary: pieces.reader.vocabulary, model: .bytePairs(pairs), addedTokens: pieces.added,
            search: .longestFirst, preTokenizer: PreTokenizer(steps: style.steps), silent: pieces.silent)
        try setSpecialTokens(of: vocabulary, in: &parts)
        let adds = vocabulary.addsBeginningOfSequence ?? style.addsBeginningOfSequence
        let (beginning, end) = (parts.specialTokens.beginningOfSequence, parts.specialTokens.endOfSequence)
        parts.postProcessor = PostProcessor(
            prefix: adds ? [beginning].compactMap { $0 } : [],
            suffix: vocabulary.addsEndOfSequence ?? false ? [end].compactMap { $0 } : [])
        return parts
    }

    /// WordPiece with pieces that begin a word marked, others not; text is read as the uncased BERT reads it.
    private static func wordPiece(_ vocabulary: GGUFVocabulary) throws(TokenizerError) -> Parts {
        let pieces = try vocabulary.pieces(isByteLevel: false)
        let file = vocabulary.file
        func id(_ given: Int?, _ key: String, _ spelling: String) throws(TokenizerError) -> Int32? {
            if let id = try vocabulary.checked(given, key) { return id }
            let bytes = Array(spelling.utf8)
            return pieces.reader.vocabulary.id(ofSpelling: bytes, 0..<bytes.count)
        }
        let unknown = try id(vocabulary.unknown, "unknown_token_id", "[UNK]")
        let model = try WordPiece(
            pieces.reader.vocabulary, initialPrefix: Metaspace.mark, continuingPrefix: [], unknown: unknown,
            mostCharacters: .max, file: file)
        var parts = Parts(
            vocabulary: pieces.reader.vocabulary, model: .wordPiece(model), addedTokens: pieces.added,
            search: .longestFirst, normalizer: Normalizer(steps: [.bert(BertNormalization())]),
            preTokenizer: PreTokenizer(steps: [.bert]),
            decoder: TokenDecoder(steps: [.markedWords(mark: Metaspace.mark, cleans: true)]),
            silent: pieces.silent)
        try setSpecialTokens(of: vocabulary, in: &parts)
        let given = vocabulary.classification ?? vocabulary.beginningOfSequence
        let cls = try id(given, "cls_token_id", "[CLS]")
        let sep = try id(vocabulary.separator, "seperator_token_id", "[SEP]")
        guard let cls, let sep else {
            throw .missing(field: "tokenizer.ggml.\(cls == nil ? "cls" : "seperator")_token_id", file: file)
        }
        parts.specialTokens.beginningOfSequence = parts.specialTokens.beginningOfSequence ?? cls
        parts.specialTokens.unknown = unknown
        parts.postProcessor = .bert(cls: cls, sep: sep)
        return parts
    }

    /// Byte-pair encoding by scores, or Unigram.
    private static func sentencePiece(_ vocabulary: GGUFVocabulary) throws(TokenizerError) -> Parts {
        let file = vocabulary.file
        let isUnigram = vocabulary.model == "t5"
        guard let scores = vocabulary.scores else {
            throw .missing(field: "tokenizer.ggml.scores", file: file)
        }
        guard scores.count == vocabulary.tokens.count else {
            throw .unexpected(
                field: "tokenizer.ggml.scores", found: "an array of \(scores.count)",
                expected: "\(vocabulary.tokens.count) as there are tokens", file: file)
        }
        if let index = scores.firstIndex(where: { !$0.isFinite }) {
            throw .unexpected(
                field: "tokenizer.ggml.scores[\(index)]", found: "\(scores[index])",
                expected: "a finite number", file: file)
        }
        let pieces = try vocabulary.pieces(isByteLevel: false)
        var normalization = SentencePieceNormalization()
        normalization.addsMark = vocabulary.addsSpacePrefix ?? true
        normalization.removesExtraBlanks = isUnigram && (vocabulary.removesExtraBlanks ?? true)
        if let blob = vocabulary.characterMap, !blob.isEmpty {
            guard let map = CharacterMap(blob) else {
                throw .unreadable(
                    file: file, reason: "the lengths in tokenizer.ggml.precompiled_charsmap do not fit")
            }
            normalization.map = map
        }
        let types = (0..<vocabulary.tokens.count).map { id in
            SentencePieceModel.PieceType(rawValue: UInt64(vocabulary.type(of: id).rawValue)) ?? .normal
        }
        var source = SentencePieceParts(
            pieces: pieces.reader, scores: scores, types: types, normalization: normalization,
            unknown: try vocabulary.checked(vocabulary.unknown, "unknown_token_id"), file: file)
        // As llama.cpp has it: such pieces are cut out of the text first, and sums are not rounded.
        source.keepsUserDefined = false
        source.userDefinedScore = 0
        source.roundsSums = false
        var parts = try isUnigram ? source.unigram() : source.bytePairs()
        parts.addedTokens = pieces.added
        parts.search = .longestFirst
        parts.silent = pieces.silent
        try setSpecialTokens(of: vocabulary, in: &parts)
        func ids(_ adds: Bool, _ id: Int32?) -> [Int32] { adds ? [id].compactMap { $0 } : [] }
        parts.postProcessor = PostProcessor(
            prefix: ids(
                vocabulary.addsBeginningOfSequence ?? !isUnigram, parts.specialTokens.beginningOfSequence),
            suffix: ids(vocabulary.addsEndOfSequence ?? isUnigram, parts.specialTokens.endOfSequence))
        return parts
    }

    private static func setSpecialTokens(
        of vocabulary: GGUFVocabulary, in parts: inout Parts
    ) throws(TokenizerError) {
        parts.specialTokens = SpecialTokens(
            beginningOfSequence: try vocabulary.checked(vocabulary.beginningOfSequence, "bos_token_id"),
            endOfSequence: try vocabulary.checked(vocabulary.endOfSequence, "eos_token_id"),
            unknown: try vocabulary.checked(vocabulary.unknown, "unknown_token_id"),
            padding: try vocabulary.checked(vocabulary.padding, "padding_token_id"),
            endOfGeneration: markEnds(in: &parts))
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
