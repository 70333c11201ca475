extension PipelineTokenizer {
    /// Reads `vocab.txt`, the file of BERT: a piece a line, the number of the line is its id.
    ///
    /// - Parameters:
    ///   - text: the file.
    ///   - addedTokens: `added_tokens.json`, an object from further tokens to ids.
    ///   - configuration: `tokenizer_config.json`: special tokens, `do_lower_case`, `strip_accents`,
    ///     `tokenize_chinese_chars`, `tokenizer_class`. Without it text is read as the uncased BERT reads it.
    ///   - specialTokensMap: `special_tokens_map.json`.
    public convenience init(
        wordPieceVocabulary text: [UInt8], addedTokens: JSON? = nil, configuration: JSON? = nil,
        specialTokensMap: JSON? = nil
    ) throws(TokenizerError) {
        let style = try WordPieceStyle(configuration)
        let file = "vocab.txt"
        var reader = VocabularyReader(file: file, pieces: text.count / 7, isByteLevel: false)
        var number: Int64 = 0
        for line in Lines(text) {
            if !line.isEmpty { try reader.addPiece(text, line, id: number, field: "the vocabulary") }
            number += 1
        }
        let names = SpecialTokenNames(
            configuration: configuration, specialTokensMap: specialTokensMap, defaults: style.specialTokens)
        func id(_ key: String) throws(TokenizerError) -> Int32 {
            let name = names.name(key) ?? ""
            let spelling = Array(name.utf8)
            if let id = reader.vocabulary.id(ofSpelling: spelling, 0..<spelling.count) { return id }
            throw .unexpected(
                field: key, found: "\"\(name.prefix(80))\"", expected: "a piece of the vocabulary", file: file
            )
        }
        let (cls, sep) = (try id("cls_token"), try id("sep_token"))
        let model = try WordPiece(
            reader.vocabulary, unknown: try id("unk_token"), mostCharacters: 100, file: file)
        var parts = Parts(
            vocabulary: reader.vocabulary, model: .wordPiece(model),
            normalizer: Normalizer(steps: [.bert(style.normalization)]),
            preTokenizer: PreTokenizer(steps: [.bert]),
            postProcessor: style.isLikeRoberta ? .roberta(cls: cls, sep: sep) : .bert(cls: cls, sep: sep),
            decoder: TokenDecoder(steps: [.wordPiece(prefix: Array("##".utf8), cleans: true)]))
        try reader.addAddedTokens(
            try AddedTokenFiles.tokens(addedTokens, configuration, names, reader.vocabulary),
            to: &parts.addedTokens)
        try reader.checkGaps(field: "vocab.txt and the added tokens")
        parts.vocabulary = reader.vocabulary
        parts.specialTokens = names.resolve(in: parts)
        self.init(parts)
    }
}

/// What `tokenizer_config.json` says about a WordPiece tokenizer.
private struct WordPieceStyle {
    var normalization = BertNormalization()
    /// Whether two separators stand between two texts.
    var isLikeRoberta = false
    var specialTokens: JSON = [
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    ]

    /// The classes whose text handling is BERT's; another class would read text in another way.
    private static let classes: Set<String> = [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "MPNetTokenizer",
        "RetriBertTokenizer", "SqueezeBertTokenizer", "ConvBertTokenizer", "LayoutLMTokenizer",
    ]

    init(_ configuration: JSON?) throws(TokenizerError) {
        let file = "tokenizer_config.json"
        var name = configuration?["tokenizer_class"]?.string ?? "BertTokenizer"
        if name.hasSuffix("Fast") { name.removeLast(4) }
        guard Self.classes.contains(name) else {
            throw .unsupported(
                field: "tokenizer_class", found: String(name.prefix(80)),
                supported: Self.classes.sorted().joined(separator: ", "), file: file)
        }
        if name == "MPNetTokenizer" {
            isLikeRoberta = true
            specialTokens = [
                "bos_token": "<s>", "eos_token": "</s>", "unk_token": "[UNK]", "sep_token": "</s>",
                "pad_token": "<pad>", "cls_token": "<s>",
                "mask_token": ["content": "<mask>", "lstrip": true, "special": true],
            ]
        }
        if configuration?["do_basic_tokenize"]?.bool == false {
            throw .unsupported(field: "do_basic_tokenize", found: "false", supported: "true", file: file)
        }
        normalization.lowercases = configuration?["do_lower_case"]?.bool ?? true
        normalization.stripsAccents = configuration?["strip_accents"]?.bool ?? normalization.lowercases
        normalization.isolatesChinese = configuration?["tokenize_chinese_chars"]?.bool ?? true
    }
}

/// The lines of a text without their ends, which may be those of Windows.
struct Lines: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var start = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Range<Int>? {
        guard start < bytes.count else { return nil }
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        let line = start..<(end > start && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end)
        start = end + 1
        return line
    }
}
