extension PipelineTokenizer {
    /// Reads the tokenizer that lies in a folder of Hugging Face files: `tokenizer.json`, else
    /// `vocab.json` with `merges.txt`, else `tokenizer.model`, `spiece.model`, `sentencepiece.bpe.model` or
    /// `vocab.txt`. The files next to it say which tokens are special; `generation_config.json` and `config.json`
    /// add the ids after which generation ends.
    ///
    /// - Parameters:
    ///   - folder: path of the folder, for messages; nil for files that lie in none.
    ///   - otherName: for messages, what a file is called that does not have its usual name.
    ///   - read: gives the bytes of the file with this name, nil when there is none. What it throws is
    ///     passed on.
    /// - Throws: `TokenizerError` when no tokenizer is there or a file is not acceptable.
    public static func load(
        in folder: String? = nil, otherName: [String: String] = [:],
        files read: (_ name: String) throws -> [UInt8]?
    ) throws -> PipelineTokenizer {
        do {
            return try tokenizer(from: read)
        } catch let error as TokenizerError {
            guard let folder else { throw error }
            throw error.withPath { name in
                (folder.hasSuffix("/") ? folder : folder + "/") + (otherName[name] ?? name)
            }
        }
    }

    private static func sentencePieceFile(
        _ read: (_ name: String) throws -> [UInt8]?
    ) throws -> (name: String, bytes: [UInt8])? {
        for name in ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"] {
            if let bytes = try read(name) { return (name, bytes) }
        }
        return nil
    }

    private static func tokenizer(from read: (_ name: String) throws -> [UInt8]?) throws -> PipelineTokenizer
    {
        func json(_ name: String) throws -> JSON? {
            guard let bytes = try read(name) else { return nil }
            do {
                return try JSON.parse(bytes, duplicateKeys: .keepLast)
            } catch {
                throw TokenizerError.json(file: name, error)
            }
        }
        let configuration = try json("tokenizer_config.json")
        let map = try json("special_tokens_map.json")
        let tokenizer: PipelineTokenizer
        if let bytes = try read("tokenizer.json") {
            tokenizer = try PipelineTokenizer(
                tokenizerJSON: bytes, configuration: configuration, specialTokensMap: map)
        } else if let vocabulary = try read("vocab.json") {
            guard let merges = try read("merges.txt") else {
                throw TokenizerError.missing(field: "merges.txt", file: "vocab.json")
            }
            tokenizer = try PipelineTokenizer(
                vocabularyJSON: vocabulary, mergesText: merges, addedTokens: try json("added_tokens.json"),
                configuration: configuration, specialTokensMap: map)
        } else if let (file, bytes) = try sentencePieceFile(read) {
            tokenizer = try PipelineTokenizer(
                sentencePiece: bytes, addedTokens: try json("added_tokens.json"),
                configuration: configuration, specialTokensMap: map,
                modelType: try json("config.json")?["model_type"]?.string, file: file)
        } else if let vocabulary = try read("vocab.txt") {
            tokenizer = try PipelineTokenizer(
                wordPieceVocabulary: vocabulary, addedTokens: try json("added_tokens.json"),
                configuration: configuration, specialTokensMap: map)
        } else {
            throw TokenizerError.missing(
                field:
                    "this file, or vocab.json with merges.txt, tokenizer.model, spiece.model or vocab.txt,",
                file: "tokenizer.json")
        }
        var special = tokenizer.specialTokens
        for name in ["generation_config.json", "config.json"] {
            guard let file = try json(name) else { continue }
            func ids(_ key: String) -> [Int32] {
                guard let value = file[key] else { return [] }
                return (value.array ?? [value]).compactMap { $0.int.flatMap { Int32(exactly: $0) } }
                    .filter { $0 >= 0 && $0 < tokenizer.vocabularySize }
            }
            special.endOfGeneration.formUnion(ids("eos_token_id"))
            special.endOfSequence = special.endOfSequence ?? ids("eos_token_id").first
            special.beginningOfSequence = special.beginningOfSequence ?? ids("bos_token_id").first
            special.padding = special.padding ?? ids("pad_token_id").first
        }
        return tokenizer.settingSpecialTokens(special)
    }
}
