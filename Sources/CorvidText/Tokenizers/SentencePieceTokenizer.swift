extension PipelineTokenizer {
    /// Reads a file of SentencePiece, Unigram or byte-pair encoding, with the ids that SentencePiece gives.
    ///
    /// - Parameters:
    ///   - bytes: the file, `tokenizer.model`, `spiece.model` or `sentencepiece.bpe.model`.
    ///   - addedTokens: `added_tokens.json`, an object from further tokens to ids.
    ///   - configuration: `tokenizer_config.json`: special tokens, `add_bos_token`, `add_eos_token`,
    ///     `extra_ids`, `legacy`, `tokenizer_class`.
    ///   - specialTokensMap: `special_tokens_map.json`.
    ///   - modelType: `model_type` of `config.json`, for files that do not say of which class they are.
    ///   - file: the name of the file; a model of the name `spiece.model` is T5's where nothing else says so.
    public convenience init(
        sentencePiece bytes: [UInt8], addedTokens: JSON? = nil, configuration: JSON? = nil,
        specialTokensMap: JSON? = nil, modelType: String? = nil, file: String = "tokenizer.model"
    ) throws(TokenizerError) {
        let style = try SentencePieceStyle(configuration, modelType: modelType, file: file)
        var model = try SentencePieceModel(bytes, file: file)
        if style.isFairseq { try model.reorderAsFairseq() }
        var reader = VocabularyReader(file: file, pieces: model.pieces.count, isByteLevel: false)
        var tokens: [AddedToken] = []
        for (id, piece) in model.pieces.enumerated() where !piece.isEmpty {
            try reader.addPiece(bytes, piece, id: Int64(id), field: "the list of pieces")
            if model.types[id] == .control || model.types[id] == .unknown {
                tokens.append(AddedToken(id: Int32(id), content: Array(bytes[piece]), isSpecial: true))
            }
        }
        var source = SentencePieceParts(
            pieces: reader, scores: model.scores, types: model.types, normalization: model.normalization,
            unknown: model.unknown, file: file)
        source.marksOnlyFirst = style.marksOnlyFirst
        var parts = try model.kind == .unigram ? source.unigram() : source.bytePairs()

        func name(_ id: Int32?) -> JSON {
            guard let id else { return .null }
            return .string(reader.vocabulary.spelling(of: Int(id)))
        }
        let names = SpecialTokenNames(
            configuration: configuration, specialTokensMap: specialTokensMap,
            defaults: [
                "bos_token": name(model.beginningOfSequence), "eos_token": name(model.endOfSequence),
                "unk_token": name(model.unknown),
                "pad_token": style.isFairseq ? "<pad>" : name(model.padding),
            ])
        if style.isFairseq {
            tokens.append(AddedToken(id: 1, content: Array("<pad>".utf8), isSpecial: true))
            tokens.append(
                AddedToken(
                    id: Int32(truncatingIfNeeded: model.pieces.count), content: Array("<mask>".utf8),
                    stripsLeft: true, isSpecial: true))
        }
        tokens += try AddedTokenFiles.tokens(addedTokens, configuration, names, reader.vocabulary)
        tokens += style.sentinels(after: model.pieces.count, besides: tokens)
        try reader.addAddedTokens(tokens, to: &parts.addedTokens)
        try reader.checkGaps(field: "the pieces and added tokens")
        parts.vocabulary = reader.vocabulary
        parts.specialTokens = names.resolve(in: parts)
        parts.postProcessor = PostProcessor(
            prefix: style.addsBeginning ? [parts.specialTokens.beginningOfSequence].compactMap { $0 } : [],
            suffix: style.addsEnd ? [parts.specialTokens.endOfSequence].compactMap { $0 } : [])
        self.init(parts)
    }
}

/// What `tokenizer_config.json` says about a SentencePiece tokenizer.
private struct SentencePieceStyle {
    var addsBeginning = true
    var addsEnd = false
    /// T5 has tokens for what is left out of a text, numbered from the end of the vocabulary.
    var sentinelCount = 0
    var marksOnlyFirst = false
    /// Whether ids are fairseq's.
    var isFairseq = false

    private static let like = [
        "LlamaTokenizer": SentencePieceStyle(), "CodeLlamaTokenizer": SentencePieceStyle(),
        "GemmaTokenizer": SentencePieceStyle(),
        "T5Tokenizer": SentencePieceStyle(addsBeginning: false, addsEnd: true, sentinelCount: 100),
        "MT5Tokenizer": SentencePieceStyle(addsBeginning: false, addsEnd: true),
        "XLMRobertaTokenizer": SentencePieceStyle(addsEnd: true, isFairseq: true),
    ]
    /// Of models whose files may not name a class.
    private static let classes = [
        "t5": "T5Tokenizer", "mt5": "MT5Tokenizer", "xlm-roberta": "XLMRobertaTokenizer",
    ]

    private init(
        addsBeginning: Bool = true, addsEnd: Bool = false, sentinelCount: Int = 0, isFairseq: Bool = false
    ) {
        self.isFairseq = isFairseq
        self.addsBeginning = addsBeginning
        self.addsEnd = addsEnd
        self.sentinelCount = sentinelCount
    }

    init(_ configuration: JSON?, modelType: String?, file: String) throws(TokenizerError) {
        let usual = ["spiece.model": "T5Tokenizer", "tokenizer.model": "LlamaTokenizer"]
        let given = configuration?["tokenizer_class"]?.string ?? modelType.flatMap { Self.classes[$0] }
        guard var name = given ?? usual[file] else {
            throw .missing(field: "tokenizer_class", file: "tokenizer_config.json")
        }
        if name.hasSuffix("Fast") { name.removeLast(4) }
        guard let style = Self.like[name] else {
            throw .unsupported(
                field: "tokenizer_class", found: String(name.prefix(80)),
                supported: Self.like.keys.sorted().joined(separator: ", "), file: "tokenizer_config.json")
        }
        self = style
        addsBeginning = configuration?["add_bos_token"]?.bool ?? addsBeginning
        addsEnd = configuration?["add_eos_token"]?.bool ?? addsEnd
        if let count = configuration?["extra_ids"]?.int {
            guard (0...TokenizerLimits.sentinels).contains(count) else {
                throw .limit(
                    field: "extra_ids", found: count, limit: TokenizerLimits.sentinels,
                    file: "tokenizer_config.json")
            }
            sentinelCount = count
        }
        marksOnlyFirst = configuration?["legacy"]?.bool == false
    }

    /// The tokens `<extra_id_0>` and so on that no file describes; the first has the highest id.
    func sentinels(after count: Int, besides tokens: [AddedToken]) -> [AddedToken] {
        let known = Set(tokens.map(\.content))
        return (0..<sentinelCount).compactMap { number in
            let content = Array("<extra_id_\(number)>".utf8)
            if known.contains(content) { return nil }
            return AddedToken(
                id: Int32(truncatingIfNeeded: count + sentinelCount - 1 - number), content: content,
                isSpecial: true)
        }
    }
}
