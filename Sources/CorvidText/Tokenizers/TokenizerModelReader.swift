/// Reads the member `model` of `tokenizer.json`: the pieces and how they are found.
struct TokenizerModelReader {
    private let file: String
    private(set) var scanner: JSONScanner
    private let size: Int
    private let isByteLevel: Bool
    /// What has been read of the vocabulary.
    var pieces: VocabularyReader

    private var type: String?
    private var vocabulary: JSONScanner?  // where it begins
    private var merges: JSONScanner?
    private var hasReadVocabulary = false
    private var hasReadMerges = false
    private var flags: [String: Bool] = [:]
    private var texts: [String: String] = [:]
    private var mostCharacters: Int?
    private var unknownIndex: Int64?

    /// - Parameters:
    ///   - scanner: at the member.
    ///   - size: the length of the file in bytes.
    ///   - isByteLevel: whether pieces are spelled in the byte-level alphabet.
    init(_ scanner: JSONScanner, size: Int, isByteLevel: Bool, file: String) {
        self.scanner = scanner
        self.size = size
        self.isByteLevel = isByteLevel
        self.file = file
        // About 48 bytes of a file belong to a piece and its merge, both on lines of their own.
        pieces = VocabularyReader(file: file, pieces: size / 48, isByteLevel: isByteLevel)
    }

    mutating func read() throws -> SubwordModel {
        try readMembers()
        // Files of old versions do not name the type; only byte-pair encoding has merges.
        let type = type ?? (merges == nil && mostCharacters != nil ? "WordPiece" : "BPE")
        if isByteLevel, type != "BPE" {
            throw unsupported("model.type", "\"\(type.prefix(80))\" with ByteLevel", "\"BPE\" with it")
        }
        guard let vocabulary else { throw TokenizerError.missing(field: "model.vocab", file: file) }
        switch type {
        case "BPE":
            try readVocabulary(vocabulary)
            return isByteLevel ? try bytePairs() : try characterPairs()
        case "WordPiece":
            try readVocabulary(vocabulary)
            return try wordPiece()
        case "Unigram": return try unigram(vocabulary)
        default:
            throw unsupported(
                "model.type", "\"\(type.prefix(80))\"", "\"BPE\", \"WordPiece\", \"Unigram\"")
        }
    }

    // MARK: Members

    /// Large members are passed over, unless all that they depend on is known.
    private mutating func readMembers() throws {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "type": type = try scanner.readString()
            case "vocab":
                guard vocabulary == nil else { throw scanner.error("the key \"vocab\" occurs twice") }
                vocabulary = scanner
                if type == "BPE" { scanner = try readVocabulary(scanner) } else { try scanner.skipValue() }
            case "merges":
                guard merges == nil else { throw scanner.error("the key \"merges\" occurs twice") }
                merges = scanner
                if hasReadVocabulary, isByteLevel {
                    scanner = try readMerges(scanner)
                } else {
                    try scanner.skipValue()
                }
            case "ignore_merges", "fuse_unk", "byte_fallback": flags[key] = try readFlag()
            case "dropout":
                let value = try scanner.readValue()
                if !value.isNull, value.double != 0 {
                    throw unsupported("model.dropout", value.encoded(), "null or 0")
                }
            case "unk_token", "continuing_subword_prefix", "end_of_word_suffix":
                texts[key] = try readOptionalString()
            case "unk_id":
                if try scanner.peek() == .null {
                    try scanner.readNull()
                } else {
                    unknownIndex = try scanner.readInteger()
                }
            case "max_input_chars_per_word": mostCharacters = Int(clamping: try scanner.readInteger())
            default: try scanner.skipValue()
            }
        }
    }

    /// Reads the vocabulary from where it begins, once; answers where it ends.
    @discardableResult
    private mutating func readVocabulary(_ start: JSONScanner) throws -> JSONScanner {
        var scanner = start
        if hasReadVocabulary { return scanner }
        guard try scanner.peek() == .object else {
            throw unsupported("model.vocab", "not an object", "the object of a BPE or WordPiece model")
        }
        try pieces.readVocabulary(&scanner, field: "model.vocab", size: size)
        hasReadVocabulary = true
        return scanner
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

    /// Reads the merges from where they begin, once; answers where they end.
    @discardableResult
    private mutating func readMerges(_ start: JSONScanner) throws -> JSONScanner {
        var scanner = start
        if hasReadMerges { return scanner }
        hasReadMerges = true
        let prefix = texts["continuing_subword_prefix"]?.utf8.count ?? 0
        var text: [UInt8] = []
        var index = 0
        try scanner.beginArray()
        while try scanner.nextElement() {
            text.removeAll(keepingCapacity: true)
            if try scanner.peek() == .string {
                try scanner.readString(into: &text)
                try pieces.addMerge(line: text, 0..<text.count, index: index, prefix: prefix)
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
                        index: index, reason: "expected two pieces, found \(count)", file: file)
                }
                try pieces.addMerge(text, 0..<middle, middle..<text.count, index: index, prefix: prefix)
            }
            index += 1
        }
        return scanner
    }

    // MARK: Models

    private mutating func bytePairs() throws -> SubwordModel {
        guard let merges else { throw TokenizerError.missing(field: "model.merges", file: file) }
        if flags["byte_fallback"] == true { throw unsupported("model.byte_fallback", "true", "false") }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let text = texts[key], !text.isEmpty {
                throw unsupported("model.\(key)", "\"\(text.prefix(80))\"", "null or \"\"")
            }
        }
        try readMerges(merges)
        var model = BytePairs(merges: pieces.merges, vocabulary: pieces.vocabulary)
        model.ignoresMerges = flags["ignore_merges"] ?? false
        model.fusesUnknown = flags["fuse_unk"] ?? false
        // A byte that is no piece needs the unknown token, so that must then be one.
        model.unknown = try unknown(isNeeded: model.byteIDs.contains { $0 < 0 })
        return .bytePairs(model)
    }

    private mutating func characterPairs() throws -> SubwordModel {
        guard let merges else { throw TokenizerError.missing(field: "model.merges", file: file) }
        try readMerges(merges)
        var model = CharacterPairs(merges: pieces.merges)
        model.ignoresMerges = flags["ignore_merges"] ?? false
        model.fusesUnknown = flags["fuse_unk"] ?? false
        model.continuingPrefix = Array((texts["continuing_subword_prefix"] ?? "").utf8)
        model.endSuffix = Array((texts["end_of_word_suffix"] ?? "").utf8)
        if flags["byte_fallback"] == true { model.byteIDs = ByteTokens.ids(in: pieces.vocabulary) }
        model.unknown = try unknown(isNeeded: model.byteIDs == nil)
        return .characterPairs(model)
    }

    /// Reads the pieces with their scores; the place of a piece in the list is its id.
    private mutating func unigram(_ start: JSONScanner) throws -> SubwordModel {
        var scanner = start
        guard try scanner.peek() == .array else {
            throw unsupported("model.vocab", "not an array", "the array of a Unigram model")
        }
        var scores: [Double] = []
        var piece: [UInt8] = []
        try scanner.beginArray()
        while try scanner.nextElement() {
            piece.removeAll(keepingCapacity: true)
            try scanner.beginArray()
            guard try scanner.nextElement() else { throw scanner.error("a piece without text") }
            try scanner.readString(into: &piece)
            guard try scanner.nextElement() else { throw scanner.error("a piece without a score") }
            scores.append(try scanner.readDouble())
            guard try !scanner.nextElement() else { throw scanner.error("more than a piece and its score") }
            try pieces.addPiece(piece, 0..<piece.count, id: Int64(scores.count - 1), field: "model.vocab")
        }
        if let unknownIndex, !(0..<Int64(scores.count)).contains(unknownIndex) {
            throw TokenizerError.limit(
                field: "model.unk_id", found: Int(clamping: unknownIndex), limit: scores.count - 1, file: file
            )
        }
        let byteIDs = flags["byte_fallback"] == true ? ByteTokens.ids(in: pieces.vocabulary) : nil
        let model = try Unigram(
            pieces.vocabulary, scores: scores, lowest: scores.min() ?? 0,
            unknown: unknownIndex.map { Int32(truncatingIfNeeded: $0) }, byteIDs: byteIDs, roundsSums: false,
            file: file
        ) { _ in true }
        return .unigram(model)
    }

    private func wordPiece() throws -> SubwordModel {
        let prefix = texts["continuing_subword_prefix"] ?? "##"
        if texts["unk_token"] == nil { throw TokenizerError.missing(field: "model.unk_token", file: file) }
        let model = try WordPiece(
            pieces.vocabulary, continuingPrefix: Array(prefix.utf8), unknown: try unknown(isNeeded: true),
            mostCharacters: mostCharacters ?? 100, file: file)
        return .wordPiece(model)
    }

    private func unknown(isNeeded: Bool) throws -> Int32? {
        guard let piece = texts["unk_token"] else { return nil }
        let spelling = Array(piece.utf8)
        if let id = pieces.vocabulary.id(ofSpelling: spelling, 0..<spelling.count) { return id }
        if !isNeeded { return nil }
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
