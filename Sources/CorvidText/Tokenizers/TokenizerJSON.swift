extension ByteLevelBPE {
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

/// Reads `tokenizer.json` in one pass; vocabulary and merges never become a tree.
struct TokenizerDocument {
    private let file: String
    private var scanner: JSONScanner
    private let size: Int

    init(_ bytes: [UInt8], file: String) {
        self.file = file
        size = bytes.count
        scanner = JSONScanner(bytes)
    }

    mutating func read() throws -> ByteLevelBPE.Parts {
        var members: [String: JSON] = [:]
        var model: ModelFields?
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "model":
                guard model == nil else { throw scanner.error("the key \"model\" occurs twice") }
                model = try readModel()
            case "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder":
                guard members[key] == nil else { throw scanner.error("the key \"\(key)\" occurs twice") }
                members[key] = try scanner.readValue()
            default: try scanner.skipValue()
            }
        }
        try scanner.finish()
        guard var model else { throw TokenizerError.missing(field: "model", file: file) }

        let components = TokenizerComponents(file: file)
        try components.checkDecoder(members["decoder"] ?? .null)
        var parts = ByteLevelBPE.Parts(
            vocabulary: model.reader.vocabulary, merges: model.reader.merges,
            preTokenizer: try components.preTokenizer(members["pre_tokenizer"] ?? .null))
        parts.normalizesToFormC = try components.normalizesToFormC(members["normalizer"] ?? .null)
        (parts.prefix, parts.suffix) = try components.template(members["post_processor"] ?? .null)
        parts.ignoresMerges = model.ignoresMerges
        parts.fusesUnknown = model.fusesUnknown
        parts.unknown = try unknown(model, parts.vocabulary)
        try model.reader.addAddedTokens(
            try components.addedTokens(members["added_tokens"] ?? .null), to: &parts.addedTokens)
        try model.reader.checkGaps(field: "model.vocab and added_tokens")
        parts.vocabulary = model.reader.vocabulary
        for id in parts.prefix + parts.suffix where parts.vocabulary.form(of: Int(id)) == .absent {
            throw TokenizerError.unexpected(
                field: "post_processor.special_tokens", found: "id \(id)",
                expected: "an id of the vocabulary",
                file: file)
        }
        return parts
    }

    // MARK: The model

    private struct ModelFields {
        var reader: VocabularyReader
        var type: String?
        var hasVocabulary = false
        var hasMerges = false
        var ignoresMerges = false
        var fusesUnknown = false
        var unknownPiece: String?
    }

    private mutating func readModel() throws -> ModelFields {
        // About 48 bytes of a file belong to a piece and its merge, both on lines of their own.
        var fields = ModelFields(reader: VocabularyReader(file: file, pieces: size / 48))
        var mergesBefore: JSONScanner?
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "type":
                fields.type = try scanner.readString()
                try checkType(fields.type)
            case "vocab":
                guard !fields.hasVocabulary else { throw scanner.error("the key \"vocab\" occurs twice") }
                guard try scanner.peek() == .object else {
                    throw unsupported("model.vocab", "not an object", "the object of a BPE model")
                }
                try fields.reader.readVocabulary(&scanner, field: "model.vocab", size: size)
                fields.hasVocabulary = true
            case "merges":
                guard !fields.hasMerges else { throw scanner.error("the key \"merges\" occurs twice") }
                fields.hasMerges = true
                if fields.hasVocabulary {
                    try Self.readMerges(&scanner, into: &fields.reader)
                } else {
                    mergesBefore = scanner
                    try scanner.skipValue()
                }
            case "ignore_merges": fields.ignoresMerges = try readFlag()
            case "fuse_unk": fields.fusesUnknown = try readFlag()
            case "byte_fallback":
                if try readFlag() { throw unsupported("model.byte_fallback", "true", "false") }
            case "dropout":
                let value = try scanner.readValue()
                if !value.isNull, value.double != 0 {
                    throw unsupported("model.dropout", value.encoded(), "null or 0")
                }
            case "unk_token": fields.unknownPiece = try readOptionalString()
            case "continuing_subword_prefix", "end_of_word_suffix":
                let value = try readOptionalString() ?? ""
                if !value.isEmpty {
                    throw unsupported("model.\(key)", "\"\(value.prefix(80))\"", "null or \"\"")
                }
            default: try scanner.skipValue()
            }
        }
        try checkType(fields.type ?? "BPE")
        guard fields.hasVocabulary else { throw TokenizerError.missing(field: "model.vocab", file: file) }
        guard fields.hasMerges else { throw TokenizerError.missing(field: "model.merges", file: file) }
        if var earlier = mergesBefore { try Self.readMerges(&earlier, into: &fields.reader) }
        return fields
    }

    private func checkType(_ type: String?) throws {
        if let type, type != "BPE" { throw unsupported("model.type", "\"\(type.prefix(80))\"", "\"BPE\"") }
    }

    private static func readMerges(_ scanner: inout JSONScanner, into reader: inout VocabularyReader) throws {
        var text: [UInt8] = []
        var index = 0
        try scanner.beginArray()
        while try scanner.nextElement() {
            text.removeAll(keepingCapacity: true)
            if try scanner.peek() == .string {
                try scanner.readString(into: &text)
                try reader.addMerge(line: text, 0..<text.count, index: index)
            } else {
                try scanner.beginArray()
                var middle = 0
                var count = 0
                while try scanner.nextElement() {
                    count += 1
                    if count == 2 { middle = text.count }
                    try scanner.readString(into: &text)
                }
                guard count == 2 else {
                    throw TokenizerError.merge(
                        index: index, reason: "expected two pieces, found \(count)", file: reader.file)
                }
                try reader.addMerge(text, 0..<middle, middle..<text.count, index: index)
            }
            index += 1
        }
    }

    private mutating func readFlag() throws -> Bool {
        if try scanner.peek() == .null {
            try scanner.readNull()
            return false
        }
        return try scanner.readBool()
    }

    private mutating func readOptionalString() throws -> String? {
        if try scanner.peek() == .null {
            try scanner.readNull()
            return nil
        }
        return try scanner.readString()
    }

    /// A byte that is no piece needs the unknown token, so that must then be one.
    private func unknown(_ model: ModelFields, _ vocabulary: Vocabulary) throws -> Int32? {
        guard let piece = model.unknownPiece else { return nil }
        let spelling = Array(piece.utf8)
        if let id = vocabulary.id(ofSpelling: spelling, 0..<spelling.count) { return id }
        let lacksBytes = (0..<256).contains { vocabulary.id(of: [UInt8($0)], 0..<1, .bytes) == nil }
        guard lacksBytes else { return nil }
        throw TokenizerError.unexpected(
            field: "model.unk_token", found: "\"\(piece.prefix(80))\"", expected: "a piece of model.vocab",
            file: file)
    }

    private func unsupported(_ field: String, _ found: String, _ supported: String) -> TokenizerError {
        .unsupported(field: field, found: found, supported: supported, file: file)
    }
}

extension VocabularyReader {
    /// Reads an object from pieces to ids.
    /// - Parameter size: length of the file in bytes.
    mutating func readVocabulary(_ scanner: inout JSONScanner, field: String, size: Int) throws {
        var piece: [UInt8] = []
        // An entry takes 5 bytes at least, so higher ids could only leave gaps.
        let greatestID = size / 2 + TokenizerLimits.idGap
        try scanner.beginObject()
        while try scanner.nextKey(into: &piece) {
            let id = try scanner.readInteger()
            try addPiece(piece, 0..<piece.count, id: id, field: field, greatestID: greatestID)
            piece.removeAll(keepingCapacity: true)
        }
        try checkGaps(field: field)
    }
}
