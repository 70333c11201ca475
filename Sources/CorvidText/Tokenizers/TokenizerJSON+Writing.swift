extension PipelineTokenizer {
    /// The tokenizer as `tokenizer.json`, the file of Hugging Face `tokenizers`.
    /// - Throws: ``TokenizerError/unsupported(field:found:supported:file:)`` for a pre-tokeniser that only
    ///   GGUF has.
    public func tokenizerJSON(file: String) throws(TokenizerError) -> JSON {
        guard case .bytePairs(let model) = parts.model, parts.normalizer.steps.isEmpty else {
            throw .unsupported(
                field: "the tokenizer", found: "of another kind",
                supported: "byte-level BPE without normaliser", file: file)
        }
        var vocabulary = JSONObject()
        // Unused tokens at the end only fill up the model's rows.
        let used = (0..<vocabularySize).last { !parts.silent.contains(Int32($0)) } ?? -1
        for id in 0..<used + 1 where parts.vocabulary.form(of: id) != .absent {
            vocabulary[piece(of: Int32(id))] = .integer(Int64(id))
        }
        let merges = model.merges.pairs.map { JSON.string(piece(of: $0.left) + " " + piece(of: $0.right)) }
        let added = parts.addedTokens.sorted { $0.id < $1.id }.map { token -> JSON in
            [
                "id": .integer(Int64(token.id)),
                "content": .string(String(decoding: token.content, as: UTF8.self)),
                "single_word": .bool(token.singleWord), "lstrip": .bool(token.stripsLeft),
                "rstrip": .bool(token.stripsRight), "normalized": .bool(token.isNormalized),
                "special": .bool(token.isSpecial),
            ]
        }
        return [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added),
            "normalizer": .null,
            "pre_tokenizer": try preTokenizerJSON(file: file), "post_processor": postProcessorJSON,
            "decoder": [
                "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true,
            ],
            "model": [
                "type": "BPE", "dropout": .null,
                "unk_token": model.unknown.map { .string(piece(of: $0)) } ?? .null,
                "continuing_subword_prefix": .null,
                "end_of_word_suffix": .null, "fuse_unk": .bool(model.fusesUnknown), "byte_fallback": false,
                "ignore_merges": .bool(model.ignoresMerges), "vocab": .object(vocabulary),
                "merges": .array(merges),
            ],
        ]
    }

    /// The roles of tokens as `tokenizer_config.json` names them.
    /// - Parameter chatTemplate: the source of the template; nil leaves it out.
    public func tokenizerConfiguration(chatTemplate: String?) -> JSON {
        var object: JSONObject = [
            "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false,
            "add_bos_token": .bool(addsBeginningOfSequence),
        ]
        let roles: [(String, Int32?)] = [
            ("bos_token", specialTokens.beginningOfSequence), ("eos_token", specialTokens.endOfSequence),
            ("unk_token", specialTokens.unknown), ("pad_token", specialTokens.padding),
        ]
        for (key, id) in roles {
            if let id { object[key] = .string(piece(of: id)) }
        }
        if let chatTemplate { object["chat_template"] = .string(chatTemplate) }
        return .object(object)
    }

    private func preTokenizerJSON(file: String) throws(TokenizerError) -> JSON {
        var members: [JSON] = []
        var addsPrefixSpace = false
        var usesExpression = false
        for step in parts.preTokenizer.steps {
            switch step {
            case .prefixSpace: addsPrefixSpace = true
            case .gpt2: usesExpression = true
            case .eachNumber: members.append(["type": "Digits", "individual_digits": true])
            case .numberRuns: members.append(["type": "Digits", "individual_digits": false])
            case .llama3(let digits, _):
                let pattern = TokenizerComponents.llama3Pattern(upToDigits: digits)
                members.append([
                    "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated",
                    "invert": false,
                ])
            case .split(at: .number, .isolated, inverted: false):
                members.append(["type": "Digits", "individual_digits": true])
            default:
                throw .unsupported(
                    field: "the pre-tokeniser", found: "\"default\" of GGUF",
                    supported: "those of GPT-2, SmolLM2, LLaMA-3 and Qwen 2", file: file)
            }
        }
        members.append([
            "type": "ByteLevel", "add_prefix_space": .bool(addsPrefixSpace), "trim_offsets": true,
            "use_regex": .bool(usesExpression),
        ])
        return members.count == 1 ? members[0] : ["type": "Sequence", "pretokenizers": .array(members)]
    }

    private var postProcessorJSON: JSON {
        let byteLevel: JSON = [
            "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true,
        ]
        let (prefix, suffix) = parts.postProcessor.around
        guard !prefix.isEmpty || !suffix.isEmpty else { return byteLevel }
        func token(_ id: Int32) -> JSON {
            ["SpecialToken": ["id": .string(piece(of: id)), "type_id": 0]]
        }
        func sequence(_ name: String, _ type: Int64) -> JSON {
            ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
        }
        let before = prefix.map(token)
        let after = suffix.map(token)
        var special = JSONObject()
        for id in prefix + suffix {
            let name = piece(of: id)
            special[name] = [
                "id": .string(name), "ids": [.integer(Int64(id))], "tokens": [.string(name)],
            ]
        }
        return [
            "type": "TemplateProcessing", "single": .array(before + [sequence("A", 0)] + after),
            "pair": .array(before + [sequence("A", 0)] + after + before + [sequence("B", 1)] + after),
            "special_tokens": .object(special),
        ]
    }
}
