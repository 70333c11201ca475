extension PipelineTokenizer {
    /// Reads `tokenizer.json`, the file of Hugging Face `tokenizers`.
    ///
    /// Its truncation and padding are left aside: text is never cut silently. Every other construct that
    /// changes the result and is not implemented is an error that names it.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - configuration: `tokenizer_config.json`, which names the special tokens.
    ///   - specialTokensMap: `special_tokens_map.json`, which may name them too.
    ///   - file: the name of the file for messages.
    public convenience init(
        tokenizerJSON bytes: [UInt8], configuration: JSON? = nil, specialTokensMap: JSON? = nil,
        file: String = "tokenizer.json"
    ) throws(TokenizerError) {
        var document = TokenizerDocument(bytes, file: file)
        var parts: Parts
        do {
            parts = try document.read()
        } catch let error as TokenizerError {
            throw error
        } catch let error as JSONError {
            throw .json(file: file, error)
        } catch {
            throw .unreadable(file: file, reason: "\(error)")
        }
        let names = SpecialTokenNames(configuration: configuration, specialTokensMap: specialTokensMap)
        parts.specialTokens = names.resolve(in: parts)
        self.init(parts)
    }
}

/// Reads `tokenizer.json`; vocabulary and merges never become a tree.
struct TokenizerDocument {
    private let file: String
    private var scanner: JSONScanner
    private let size: Int

    init(_ bytes: [UInt8], file: String) {
        self.file = file
        size = bytes.count
        scanner = JSONScanner(bytes)
    }

    mutating func read() throws -> PipelineTokenizer.Parts {
        let components = TokenizerComponents(file: file)
        var members: [String: JSON] = [:]
        var modelStart: JSONScanner?
        var model: ReadModel?
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "model":
                guard modelStart == nil else { throw scanner.error("the key \"model\" occurs twice") }
                modelStart = scanner
                // Mostly the model comes last, so that it need not be passed over first.
                if let preTokenizer = members["pre_tokenizer"] {
                    model = try readModel(scanner, preTokenizer, components)
                    scanner = model?.end ?? scanner
                } else {
                    try scanner.skipValue()
                }
            case "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder":
                guard members[key] == nil else { throw scanner.error("the key \"\(key)\" occurs twice") }
                members[key] = try scanner.readValue()
            default: try scanner.skipValue()
            }
        }
        try scanner.finish()
        guard let modelStart else { throw TokenizerError.missing(field: "model", file: file) }

        let preTokenizer = members["pre_tokenizer"] ?? .null
        var (pieces, subwords, _) = try model ?? readModel(modelStart, preTokenizer, components)
        var (steps, isByteLevel) = try components.preTokenizer(preTokenizer)
        // Words can be remembered, whole texts cannot.
        if case .characterPairs(let pairs) = subwords, !pairs.ignoresMerges, pairs.continuingPrefix.isEmpty,
            pairs.endSuffix.isEmpty, pieces.vocabulary.hasMarksOnlyInFront(Metaspace.mark)
        {
            steps.steps.append(.markedWords(mark: Metaspace.mark))
        }
        var parts = PipelineTokenizer.Parts(
            vocabulary: pieces.vocabulary, model: subwords,
            normalizer: try components.normalizer(members["normalizer"] ?? .null), preTokenizer: steps,
            postProcessor: try components.postProcessor(members["post_processor"] ?? .null),
            decoder: try components.decoder(members["decoder"] ?? .null, isByteLevel: isByteLevel))
        try pieces.addAddedTokens(
            try components.addedTokens(members["added_tokens"] ?? .null), to: &parts.addedTokens)
        try pieces.checkGaps(field: "model.vocab and added_tokens")
        parts.vocabulary = pieces.vocabulary
        for id in parts.postProcessor.tokens where parts.vocabulary.form(of: Int(id)) == .absent {
            throw TokenizerError.unexpected(
                field: "post_processor.special_tokens", found: "id \(id)",
                expected: "an id of the vocabulary", file: file)
        }
        return parts
    }

    private typealias ReadModel = (pieces: VocabularyReader, model: SubwordModel, end: JSONScanner)

    private func readModel(
        _ start: JSONScanner, _ preTokenizer: JSON, _ components: TokenizerComponents
    ) throws -> ReadModel {
        let isByteLevel = try components.preTokenizer(preTokenizer).isByteLevel
        var reader = TokenizerModelReader(start, size: size, isByteLevel: isByteLevel, file: file)
        let model = try reader.read()
        return (reader.pieces, model, reader.scanner)
    }
}
