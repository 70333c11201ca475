extension PipelineTokenizer {
    /// Reads `vocab.json` and `merges.txt`, the files of GPT-2, with GPT-2's pre-tokeniser.
    ///
    /// - Parameters:
    ///   - vocabularyJSON: `vocab.json`, an object from pieces to ids.
    ///   - mergesText: `merges.txt`, two pieces a line, after a line that begins with `#version`.
    ///   - addedTokens: `added_tokens.json`, an object from further tokens to ids.
    ///   - configuration: `tokenizer_config.json`: special tokens, `added_tokens_decoder`,
    ///     `add_prefix_space`, `add_bos_token`, `tokenizer_class`.
    ///   - specialTokensMap: `special_tokens_map.json`.
    /// Without any of the last three, `<|endoftext|>` is a special token when the vocabulary has it.
    public convenience init(
        vocabularyJSON: [UInt8], mergesText: [UInt8], addedTokens: JSON? = nil, configuration: JSON? = nil,
        specialTokensMap: JSON? = nil
    ) throws(TokenizerError) {
        var reader = try Self.readVocabularyFile(vocabularyJSON)
        try Self.readMergesFile(mergesText, into: &reader)

        let names = SpecialTokenNames(configuration: configuration, specialTokensMap: specialTokensMap)
        let preTokenizer = try Self.preTokenizer(configuration)
        var pairs = BytePairs(merges: reader.merges, vocabulary: reader.vocabulary)
        var parts = Parts(
            vocabulary: reader.vocabulary, model: .bytePairs(pairs), preTokenizer: preTokenizer.steps)
        if preTokenizer.composes { parts.normalizer.steps = [.composed] }
        try reader.addAddedTokens(
            try AddedTokenFiles.tokens(addedTokens, configuration, names, reader.vocabulary),
            to: &parts.addedTokens)
        try reader.checkGaps(field: "vocab.json and the added tokens")
        parts.vocabulary = reader.vocabulary
        parts.specialTokens = names.resolve(in: parts)
        pairs.unknown = parts.specialTokens.unknown
        parts.model = .bytePairs(pairs)
        func ids(_ key: String, _ id: Int32?) -> [Int32] {
            configuration?[key]?.bool == true ? [id].compactMap { $0 } : []
        }
        parts.postProcessor = PostProcessor(
            prefix: ids("add_bos_token", parts.specialTokens.beginningOfSequence),
            suffix: ids("add_eos_token", parts.specialTokens.endOfSequence))
        self.init(parts)
    }

    private static func readVocabularyFile(_ bytes: [UInt8]) throws(TokenizerError) -> VocabularyReader {
        let file = "vocab.json"
        var reader = VocabularyReader(file: file, pieces: bytes.count / 16)
        do {
            var scanner = JSONScanner(bytes)
            try reader.readVocabulary(&scanner, field: "the vocabulary", size: bytes.count)
            try scanner.finish()
        } catch let error as TokenizerError {
            throw error
        } catch let error as JSONError {
            throw .json(file: file, error)
        } catch {
            throw .unreadable(file: file, reason: "\(error)")
        }
        return reader
    }

    private static func readMergesFile(
        _ bytes: [UInt8], into reader: inout VocabularyReader
    ) throws(TokenizerError) {
        reader.file = "merges.txt"
        let version = Array("#version".utf8)
        var index = 0
        for line in Lines(bytes) where !line.isEmpty && !bytes[line].starts(with: version) {
            try reader.addMerge(line: bytes, line, index: index)
            index += 1
        }
    }

    /// The classes whose text handling is GPT-2's; another class would split text in another way.
    private static let classesLikeGPT2: Set<String> = [
        "GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer", "CodeGenTokenizerFast",
    ]
    private static let classesLikeQwen2: Set<String> = ["Qwen2Tokenizer", "Qwen2TokenizerFast"]

    private static func preTokenizer(
        _ configuration: JSON?
    ) throws(TokenizerError) -> (steps: PreTokenizer, composes: Bool) {
        let name = configuration?["tokenizer_class"]?.string ?? "GPT2Tokenizer"
        if classesLikeQwen2.contains(name) {
            return (PreTokenizer(steps: [.llama3(digits: 1, foldsLongS: true)]), true)
        }
        guard classesLikeGPT2.contains(name) else {
            throw .unsupported(
                field: "tokenizer_class", found: String(name.prefix(80)),
                supported: (classesLikeGPT2.sorted() + classesLikeQwen2.sorted()).joined(separator: ", "),
                file: "tokenizer_config.json")
        }
        let addsSpace = configuration?["add_prefix_space"]?.bool == true
        return (PreTokenizer(steps: addsSpace ? [.prefixSpace, .gpt2] : [.gpt2]), false)
    }
}
