import CorvidText

/// What a model's files say about text: its tokenizer and its chat template.
extension ModelFiles {
    /// - Throws: `TokenizerError` if there is none, or one that Corvid does not understand.
    public func tokenizer() throws -> any Tokenizer {
        if let folder {
            return try PipelineTokenizer.load(in: folder.path, files: { try folder.bytes(of: $0) })
        }
        guard let gguf else { throw TokenizerError.missing(field: "a tokenizer", file: path) }
        guard let model = try gguf.string("tokenizer.ggml.model") else {
            throw TokenizerError.missing(field: "tokenizer.ggml.model", file: path)
        }
        guard let tokens = try gguf.byteStrings("tokenizer.ggml.tokens") else {
            throw TokenizerError.missing(field: "tokenizer.ggml.tokens", file: path)
        }
        var vocabulary = GGUFVocabulary(
            model: model, pre: try gguf.string("tokenizer.ggml.pre"), tokens: tokens, file: path)
        vocabulary.tokenTypes = try gguf.integers("tokenizer.ggml.token_type")?.map { Int32(clamping: $0) }
        vocabulary.scores = try gguf.floats("tokenizer.ggml.scores")
        vocabulary.addsSpacePrefix = try gguf.bool("tokenizer.ggml.add_space_prefix")
        vocabulary.removesExtraBlanks = try gguf.bool("tokenizer.ggml.remove_extra_whitespaces")
        vocabulary.characterMap = try gguf.integers("tokenizer.ggml.precompiled_charsmap")?.map {
            UInt8(truncatingIfNeeded: $0)
        }
        vocabulary.merges = try gguf.byteStrings("tokenizer.ggml.merges") ?? ByteStrings()
        vocabulary.beginningOfSequence = try gguf.integer("tokenizer.ggml.bos_token_id")
        vocabulary.endOfSequence = try gguf.integer("tokenizer.ggml.eos_token_id")
        vocabulary.unknown = try gguf.integer("tokenizer.ggml.unknown_token_id")
        vocabulary.padding = try gguf.integer("tokenizer.ggml.padding_token_id")
        vocabulary.classification = try gguf.integer("tokenizer.ggml.cls_token_id")
        vocabulary.separator = try gguf.integer("tokenizer.ggml.seperator_token_id")
        vocabulary.addsBeginningOfSequence = try gguf.bool("tokenizer.ggml.add_bos_token")
        vocabulary.addsEndOfSequence = try gguf.bool("tokenizer.ggml.add_eos_token")
        return try PipelineTokenizer(vocabulary)
    }

    /// The template of a model that was trained to converse; nil for others.
    /// - Throws: `TemplateError` for a template that Corvid does not understand.
    public func chatTemplate(_ tokenizer: any Tokenizer) throws -> ChatTemplate? {
        guard let source = try chatTemplateSource() else { return nil }
        func piece(_ id: Int32?) -> String { id.map(tokenizer.piece) ?? "" }
        return try ChatTemplate(
            source: source, beginningOfSequence: piece(tokenizer.beginningOfSequence),
            endOfSequence: piece(tokenizer.endOfSequence))
    }

    /// chat_template.jinja wins over the key in tokenizer_config.json, which may be a list of named
    /// templates.
    func chatTemplateSource() throws -> String? {
        if let gguf { return try gguf.string("tokenizer.chat_template") }
        guard let folder else { return nil }
        if let bytes = try folder.bytes(of: "chat_template.jinja", limit: ModelFolder.Limits.config) {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw FormatError.text(
                    file: folder.path(of: "chat_template.jinja"), item: "the template", offset: 0)
            }
            return text
        }
        return ChatTemplate.source(in: try folder.json("tokenizer_config.json")?["chat_template"])
    }
}
