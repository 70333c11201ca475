/// Understands the small parts of `tokenizer.json`: normaliser, pre-tokeniser, post-processor, decoder,
/// added tokens. What is not understood is an error that names it.
struct TokenizerComponents {
    let file: String

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
    func members(of json: JSON, _ key: String, field: String) throws(TokenizerError) -> [JSON] {
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

    func type(of json: JSON, field: String) throws(TokenizerError) -> String {
        guard let type = json["type"] else { throw .missing(field: "\(field).type", file: file) }
        guard let name = type.string else { throw unexpected("\(field).type", type, "a string") }
        return name
    }

    func flag(
        _ json: JSON, _ key: String, default value: Bool, field: String
    ) throws(TokenizerError) -> Bool {
        guard let flag = json[key], !flag.isNull else { return value }
        guard let flag = flag.bool else { throw unexpected("\(field).\(key)", flag, "a boolean") }
        return flag
    }

    func int32(_ json: JSON, field: String) throws(TokenizerError) -> Int32 {
        guard case .integer(let value) = json else { throw unexpected(field, json, "an integer") }
        guard value >= 0, value < TokenizerLimits.pieces else {
            throw .limit(field: field, found: Int(value), limit: TokenizerLimits.pieces - 1, file: file)
        }
        return Int32(value)
    }

    func unexpected(_ field: String, _ json: JSON, _ expected: String) -> TokenizerError {
        .unexpected(field: field, found: json.kindName, expected: expected, file: file)
    }

    func unsupported(_ field: String, _ found: String, _ supported: String) -> TokenizerError {
        .unsupported(field: field, found: String(found.prefix(300)), supported: supported, file: file)
    }

    /// The text under a key, or the value that stands for a missing one.
    func text(
        _ json: JSON, _ key: String, default value: String? = nil, field: String
    ) throws(TokenizerError) -> String {
        guard let text = json[key], !text.isNull else {
            if let value { return value }
            throw .missing(field: "\(field).\(key)", file: file)
        }
        guard let text = text.string else { throw unexpected("\(field).\(key)", text, "a string") }
        return text
    }

    /// A count from 0 to 1,000 under a key.
    func count(_ json: JSON, _ key: String, field: String) throws(TokenizerError) -> Int {
        guard let number = json[key] else { throw .missing(field: "\(field).\(key)", file: file) }
        guard let value = number.int else { throw unexpected("\(field).\(key)", number, "an integer") }
        guard (0...1_000).contains(value) else {
            throw .limit(field: "\(field).\(key)", found: value, limit: 1_000, file: file)
        }
        return value
    }
}
