/// Understands the small parts of `tokenizer.json`: normaliser, pre-tokeniser, post-processor, decoder,
/// added tokens.
struct TokenizerComponents {
    let file: String

    // MARK: Normaliser

    /// Whether text is brought into form C; anything else than that or nothing is an error.
    func normalizesToFormC(_ json: JSON) throws(TokenizerError) -> Bool {
        if json.isNull { return false }
        var result = false
        for item in try members(of: json, "normalizers", field: "normalizer") {
            switch try type(of: item, field: "normalizer") {
            case "NFC": result = true
            case let other: throw unsupported("normalizer.type", other, "NFC, Sequence")
            }
        }
        return result
    }

    // MARK: Pre-tokeniser

    private static let knownPatterns: [String: PreTokenizer.Step] = [
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
        #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
        llama3Pattern(digits: #"\p{N}{1,3}"#): .llama3(digits: 3, foldsLongS: true),
        llama3Pattern(digits: #"\p{N}"#): .llama3(digits: 1, foldsLongS: true),
        #"\p{N}"#: .eachNumber,
        #"\p{N}+"#: .numberRuns,
    ]

    private static func llama3Pattern(digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The steps of a pre-tokeniser, which must end with `ByteLevel`.
    func preTokenizer(_ json: JSON) throws(TokenizerError) -> PreTokenizer {
        let field = "pre_tokenizer"
        let supported = "ByteLevel, Digits, Split with a known pattern, Sequence of these with ByteLevel last"
        if json.isNull { throw unsupported(field, "null", supported) }
        var steps: [PreTokenizer.Step] = []
        var isByteLevel = false
        for item in try members(of: json, "pretokenizers", field: field) {
            let type = try type(of: item, field: field)
            if isByteLevel { throw unsupported(field, "\(type) after ByteLevel", supported) }
            switch type {
            case "ByteLevel":
                isByteLevel = true
                if try flag(item, "add_prefix_space", default: true, field: field) {
                    steps.append(.prefixSpace)
                }
                if try flag(item, "use_regex", default: true, field: field) { steps.append(.gpt2) }
            case "Digits":
                let individual = try flag(item, "individual_digits", default: false, field: field)
                steps.append(individual ? .eachNumber : .numberRuns)
            case "Split": steps.append(try split(item))
            case let other: throw unsupported("\(field).type", other, supported)
            }
        }
        guard isByteLevel else { throw unsupported(field, "without ByteLevel", supported) }
        return PreTokenizer(steps: steps)
    }

    private func split(_ json: JSON) throws(TokenizerError) -> PreTokenizer.Step {
        let field = "pre_tokenizer.Split"
        guard let pattern = json["pattern"]?["Regex"]?.string else {
            throw unsupported("\(field).pattern", json["pattern"]?.encoded() ?? "missing", "a known Regex")
        }
        guard let step = Self.knownPatterns[pattern] else {
            throw unsupported(
                "\(field).pattern", "the regular expression \(pattern)",
                "those of GPT-2, LLaMA-3 and Qwen 2, \\p{N}, \\p{N}+")
        }
        // For these expressions, which match everywhere, removing what they do not match changes nothing.
        let behavior = json["behavior"]?.string ?? "missing"
        let invert = try flag(json, "invert", default: false, field: field)
        let matchesEverywhere = step != .eachNumber && step != .numberRuns
        guard behavior == "Isolated" || (behavior == "Removed" && invert && matchesEverywhere) else {
            throw unsupported("\(field).behavior", "\(behavior), invert \(invert)", "Isolated")
        }
        return step
    }

    // MARK: Post-processor

    /// What goes before and after a single text.
    func template(_ json: JSON) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        var prefix: [Int32] = []
        var suffix: [Int32] = []
        if json.isNull { return (prefix, suffix) }
        for item in try members(of: json, "processors", field: "post_processor") {
            switch try type(of: item, field: "post_processor") {
            case "ByteLevel": break  // it only moves offsets
            case "TemplateProcessing":
                let (before, after) = try singleTemplate(item)
                prefix = before + prefix
                suffix += after
            case "RobertaProcessing", "BertProcessing":
                prefix.insert(try pairID(item, "cls"), at: 0)
                suffix.append(try pairID(item, "sep"))
            case let other:
                throw unsupported(
                    "post_processor.type", other,
                    "ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing, Sequence")
            }
        }
        return (prefix, suffix)
    }

    private func singleTemplate(_ json: JSON) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        let field = "post_processor.single"
        guard let items = json["single"]?.array else { throw .missing(field: field, file: file) }
        var before: [Int32] = []
        var after: [Int32] = []
        var texts = 0
        for item in items {
            if item["Sequence"] != nil {
                texts += 1
                continue
            }
            guard let name = item["SpecialToken"]?["id"]?.string else {
                throw unsupported(field, item.encoded(), "Sequence and SpecialToken")
            }
            guard let ids = json["special_tokens"]?[name]?["ids"]?.array else {
                throw .missing(field: "post_processor.special_tokens.\(name.prefix(80)).ids", file: file)
            }
            for id in ids {
                let id = try int32(id, field: "post_processor.special_tokens")
                if texts == 0 { before.append(id) } else { after.append(id) }
            }
        }
        guard texts == 1 else { throw unsupported(field, "with \(texts) sequences", "exactly one") }
        return (before, after)
    }

    private func pairID(_ json: JSON, _ key: String) throws(TokenizerError) -> Int32 {
        guard let id = json[key]?[1] else { throw .missing(field: "post_processor.\(key)", file: file) }
        return try int32(id, field: "post_processor.\(key)")
    }

    // MARK: Decoder

    /// Only the byte-level decoder is known.
    func checkDecoder(_ json: JSON) throws(TokenizerError) {
        if json.isNull { throw unsupported("decoder", "null", "ByteLevel") }
        for item in try members(of: json, "decoders", field: "decoder") {
            switch try type(of: item, field: "decoder") {
            case "ByteLevel", "Fuse": break
            case let other: throw unsupported("decoder.type", other, "ByteLevel")
            }
        }
    }

    // MARK: Added tokens

    /// The added tokens, in the order of the file.
    func addedTokens(_ json: JSON) throws(TokenizerError) -> [AddedToken] {
        if json.isNull { return [] }
        guard let items = json.array else { throw unexpected("added_tokens", json, "an array") }
        var tokens: [AddedToken] = []
        for (index, item) in items.enumerated() {
            let field = "added_tokens[\(index)]"
            guard let id = item["id"] else { throw .missing(field: "\(field).id", file: file) }
            tokens.append(try addedToken(item, id: try int32(id, field: "\(field).id"), field: field))
        }
        return tokens
    }

    /// An added token from an object with its content and options.
    func addedToken(_ json: JSON, id: Int32, field: String) throws(TokenizerError) -> AddedToken {
        guard let content = json["content"] else { throw .missing(field: "\(field).content", file: file) }
        guard let text = content.string else { throw unexpected("\(field).content", content, "a string") }
        let isSpecial = try flag(json, "special", default: false, field: field)
        return AddedToken(
            id: id, content: Array(text.utf8),
            singleWord: try flag(json, "single_word", default: false, field: field),
            stripsLeft: try flag(json, "lstrip", default: false, field: field),
            stripsRight: try flag(json, "rstrip", default: false, field: field),
            isNormalized: try flag(json, "normalized", default: !isSpecial, field: field),
            isSpecial: isSpecial)
    }

    // MARK: Helpers

    /// The members of a `Sequence`, at any depth, or the thing itself.
    private func members(of json: JSON, _ key: String, field: String) throws(TokenizerError) -> [JSON] {
        guard json.object != nil else { throw unexpected(field, json, "an object") }
        guard json["type"]?.string == "Sequence" else { return [json] }
        guard let items = json[key]?.array else { throw .missing(field: "\(field).\(key)", file: file) }
        var result: [JSON] = []
        for item in items { result += try members(of: item, key, field: field) }
        guard result.count <= TokenizerLimits.sequence else {
            throw .limit(
                field: "the number of members of \(field)", found: result.count,
                limit: TokenizerLimits.sequence,
                file: file)
        }
        return result
    }

    private func type(of json: JSON, field: String) throws(TokenizerError) -> String {
        guard let type = json["type"] else { throw .missing(field: "\(field).type", file: file) }
        guard let name = type.string else { throw unexpected("\(field).type", type, "a string") }
        return name
    }

    private func flag(
        _ json: JSON, _ key: String, default value: Bool, field: String
    ) throws(TokenizerError) -> Bool {
        guard let flag = json[key], !flag.isNull else { return value }
        guard let flag = flag.bool else { throw unexpected("\(field).\(key)", flag, "a boolean") }
        return flag
    }

    private func int32(_ json: JSON, field: String) throws(TokenizerError) -> Int32 {
        guard case .integer(let value) = json else { throw unexpected(field, json, "an integer") }
        guard value >= 0, value < TokenizerLimits.pieces else {
            throw .limit(field: field, found: Int(value), limit: TokenizerLimits.pieces - 1, file: file)
        }
        return Int32(value)
    }

    private func unexpected(_ field: String, _ json: JSON, _ expected: String) -> TokenizerError {
        .unexpected(field: field, found: json.kindName, expected: expected, file: file)
    }

    private func unsupported(_ field: String, _ found: String, _ supported: String) -> TokenizerError {
        .unsupported(field: field, found: String(found.prefix(300)), supported: supported, file: file)
    }
}
