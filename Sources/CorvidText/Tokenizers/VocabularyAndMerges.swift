extension ByteLevelBPE {
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
        var parts = Parts(
            vocabulary: reader.vocabulary, merges: reader.merges, preTokenizer: preTokenizer.steps)
        parts.normalizesToFormC = preTokenizer.composes
        try reader.addAddedTokens(
            try Self.addedTokens(addedTokens, configuration, names, reader.vocabulary), to: &parts.addedTokens
        )
        try reader.checkGaps(field: "vocab.json and the added tokens")
        parts.vocabulary = reader.vocabulary
        parts.specialTokens = names.resolve(in: parts)
        parts.unknown = parts.specialTokens.unknown
        if configuration?["add_bos_token"]?.bool == true,
            let beginning = parts.specialTokens.beginningOfSequence
        {
            parts.prefix = [beginning]
        }
        if configuration?["add_eos_token"]?.bool == true, let end = parts.specialTokens.endOfSequence {
            parts.suffix = [end]
        }
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
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            var line = start..<end
            if !line.isEmpty, bytes[end - 1] == UInt8(ascii: "\r") { line = start..<(end - 1) }
            if !line.isEmpty, !bytes[line].starts(with: version) {
                try reader.addMerge(line: bytes, line, index: index)
                index += 1
            }
            start = end + 1
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

    /// The added tokens that the files next to the vocabulary describe, each once, the most exact
    /// description first.
    private static func addedTokens(
        _ file: JSON?, _ configuration: JSON?, _ names: SpecialTokenNames, _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        var seen = Set<Int32>()
        let components = TokenizerComponents(file: "tokenizer_config.json")
        if let described = configuration?["added_tokens_decoder"]?.object {
            for (key, value) in described {
                guard let id = Int32(key), id >= 0 else {
                    throw .unexpected(
                        field: "added_tokens_decoder", found: "the key \"\(key.prefix(80))\"",
                        expected: "an id",
                        file: "tokenizer_config.json")
                }
                tokens.append(
                    try components.addedToken(value, id: id, field: "added_tokens_decoder.\(id)"))
                seen.insert(id)
            }
        }
        var extra: [String: Int32] = [:]
        for (name, value) in file?.object ?? [:] {
            guard let id = value.int, let id = Int32(exactly: id), id >= 0 else {
                throw .unexpected(
                    field: "the id of \"\(name.prefix(80))\"", found: value.kindName, expected: "an id",
                    file: "added_tokens.json")
            }
            extra[name] = id
        }
        func id(_ name: String) -> Int32? {
            let spelling = Array(name.utf8)
            return extra[name] ?? vocabulary.id(ofSpelling: spelling, 0..<spelling.count)
        }
        var keys = [
            "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token",
        ]
        if keys.allSatisfy({ names.name($0) == nil }) { keys = [] }
        let special = keys.isEmpty ? ["<|endoftext|>"] : keys.compactMap { names.name($0) }
        for (index, name) in special.enumerated() {
            guard let id = id(name), seen.insert(id).inserted else { continue }
            var token = AddedToken(id: id, content: Array(name.utf8))
            if !keys.isEmpty, let key = keys.first(where: { names.name($0) == special[index] }),
                let description = names.description(key)
            {
                token = try components.addedToken(description, id: id, field: key)
            }
            token.isSpecial = true
            tokens.append(token)
        }
        for (name, id) in extra.sorted(by: { $0.value < $1.value }) where seen.insert(id).inserted {
            tokens.append(AddedToken(id: id, content: Array(name.utf8), isNormalized: true))
        }
        return tokens
    }
}
