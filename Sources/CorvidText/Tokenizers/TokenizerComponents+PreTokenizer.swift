extension TokenizerComponents {
    private static let knownPatterns: [String: PreTokenizer.Step] = [
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
        #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
        llama3Pattern(digits: #"\p{N}{1,3}"#): .llama3(digits: 3, foldsLongS: true),
        llama3Pattern(digits: #"\p{N}"#): .llama3(digits: 1, foldsLongS: true),
    ]

    private static func llama3Pattern(digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The expression of LLaMA-3 (3 digits in a part) or Qwen 2 (1).
    static func llama3Pattern(upToDigits digits: Int) -> String {
        llama3Pattern(digits: digits == 1 ? #"\p{N}"# : #"\p{N}{1,3}"#)
    }

    private static let separators: [String: Separator] = [
        #"\p{N}"#: .number, #"\p{N}+"#: .numberRun, #"\s+"#: .blankRun,
    ]

    /// The steps of a pre-tokeniser, and whether they end with `ByteLevel`, so that pieces are bytes.
    func preTokenizer(_ json: JSON) throws(TokenizerError) -> (steps: PreTokenizer, isByteLevel: Bool) {
        let field = "pre_tokenizer"
        if json.isNull { return (PreTokenizer(steps: []), false) }
        var steps: [PreTokenizer.Step] = []
        var isByteLevel = false
        for item in try members(of: json, "pretokenizers", field: field) {
            let type = try type(of: item, field: field)
            if isByteLevel { throw unsupported(field, "\(type) after ByteLevel", "ByteLevel as the last") }
            if type == "ByteLevel" {
                isByteLevel = true
                if try flag(item, "add_prefix_space", default: true, field: field) {
                    steps.append(.prefixSpace)
                }
                if try flag(item, "use_regex", default: true, field: field) { steps.append(.gpt2) }
            } else {
                steps.append(try preTokenizerStep(item, type))
            }
        }
        return (PreTokenizer(steps: steps), isByteLevel)
    }

    private func preTokenizerStep(_ json: JSON, _ type: String) throws(TokenizerError) -> PreTokenizer.Step {
        let field = "pre_tokenizer.\(type)"
        switch type {
        case "Digits":
            let individual = try flag(json, "individual_digits", default: false, field: field)
            return individual ? .eachNumber : .numberRuns
        case "Split": return try split(json)
        case "Whitespace": return .wordsAndSymbols
        case "WhitespaceSplit": return .words
        case "BertPreTokenizer": return .bert
        case "Punctuation": return .split(at: .punctuation, try behavior(json, field), inverted: false)
        case "Metaspace":
            let (mark, prefix) = try metaspace(json, field)
            let splits = try flag(json, "split", default: true, field: field)
            return .metaspace(mark: mark, prefix: prefix, splits: splits)
        case let other:
            throw unsupported(
                "pre_tokenizer.type", other,
                "ByteLevel, Metaspace, BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, Split, Sequence"
            )
        }
    }

    /// What `Metaspace` says as a pre-tokeniser and as a decoder.
    func metaspace(
        _ json: JSON, _ field: String
    ) throws(TokenizerError) -> (mark: [UInt8], prefix: PreTokenizer.MetaspacePrefix) {
        let mark = Array(try text(json, "replacement", field: field).utf8)
        guard !mark.isEmpty else { throw unsupported("\(field).replacement", "\"\"", "one character") }
        let addsPrefix = try flag(json, "add_prefix_space", default: true, field: field)
        switch try text(json, "prepend_scheme", default: "always", field: field) {
        case "always": return (mark, addsPrefix ? .always : .never)
        case "first": return (mark, .first)
        case "never": return (mark, .never)
        case let other:
            throw unsupported("\(field).prepend_scheme", "\"\(other)\"", "\"always\", \"first\", \"never\"")
        }
    }

    private func behavior(_ json: JSON, _ field: String) throws(TokenizerError) -> SplitBehavior {
        let name = try text(json, "behavior", default: "Isolated", field: field)
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw unsupported(
                "\(field).behavior", name,
                "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous")
        }
        return behavior
    }

    private func split(_ json: JSON) throws(TokenizerError) -> PreTokenizer.Step {
        let field = "pre_tokenizer.Split"
        let behavior = try behavior(json, field)
        let inverted = try flag(json, "invert", default: false, field: field)
        if let text = json["pattern"]?["String"]?.string, !text.isEmpty {
            return .split(at: .text(Array(text.utf8)), behavior, inverted: inverted)
        }
        guard let pattern = json["pattern"]?["Regex"]?.string else {
            throw unsupported(
                "\(field).pattern", json["pattern"]?.encoded() ?? "missing", "a String, a known Regex")
        }
        if let separator = Self.separators[pattern] {
            if behavior == .isolated, !inverted, separator == .number { return .eachNumber }
            if behavior == .isolated, !inverted, separator == .numberRun { return .numberRuns }
            return .split(at: separator, behavior, inverted: inverted)
        }
        guard let step = Self.knownPatterns[pattern] else {
            throw unsupported(
                "\(field).pattern", "the regular expression \(pattern)",
                "those of GPT-2, LLaMA-3 and Qwen 2, \\p{N}, \\p{N}+, \\s+")
        }
        // For these expressions, which match everywhere, removing what they do not match changes nothing.
        guard behavior == .isolated && !inverted || behavior == .removed && inverted else {
            throw unsupported("\(field).behavior", "\(behavior.rawValue), invert \(inverted)", "Isolated")
        }
        return step
    }
}
