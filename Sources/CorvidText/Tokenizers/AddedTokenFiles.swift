/// The files beside a vocabulary that describe added tokens.
enum AddedTokenFiles {
    /// The added tokens that the files next to the vocabulary describe, each once, the most exact
    /// description first.
    static func tokens(
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
        var keys = SpecialTokenNames.keys
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
