import CorvidText
import TestSupport
import Testing

/// What a tokenizer file must not be: each fault is a typed error that names the place.
@Suite struct TokenizerRefusalTests {
    /// A right file with one thing changed.
    private static func refuse(
        _ path: [String], _ value: JSON?, sourceLocation: SourceLocation = #_sourceLocation
    ) -> TokenizerError? {
        #expect(throws: TokenizerError.self, sourceLocation: sourceLocation) {
            let right = try JSON.parse(Fixtures.bytes("Tokenizers/gpt2/tokenizer.json"))
            let wrong = right.changing(path[...], to: value)
            _ = try PipelineTokenizer(tokenizerJSON: wrong.encodedBytes())
        }
    }

    @Test("the unchanged file is accepted") func accepted() throws {
        let right = try JSON.parse(Fixtures.bytes("Tokenizers/gpt2/tokenizer.json"))
        let tokenizer = try PipelineTokenizer(tokenizerJSON: right.changing(["none"], to: 1).encodedBytes())
        #expect(tokenizer.encode("x").count == 1)
    }

    @Test(
        "a construct that is not implemented is named",
        arguments: [
            (["model", "type"], "Unigram", "Unigram"), (["model", "byte_fallback"], true, "byte_fallback"),
            (["model", "dropout"], 0.1, "dropout"), (["model", "continuing_subword_prefix"], "##", "##"),
            (["model", "end_of_word_suffix"], "</w>", "</w>"), (["model", "vocab"], [1], "vocab"),
            (["normalizer"], ["type": "Nonsense"], "Nonsense"),
            (
                ["normalizer"], ["type": "Sequence", "normalizers": [["type": "NFC"], ["type": "NFX"]]], "NFX"
            ),
            (
                ["normalizer"], ["type": "Replace", "pattern": ["Regex": "[aeiou]+"], "content": ""],
                "[aeiou]+"
            ),
            (["pre_tokenizer"], nil, "pre_tokenizer"),
            (["pre_tokenizer"], ["type": "Whitespace"], "without ByteLevel"),
            (["pre_tokenizer"], ["type": "Nonsense"], "Nonsense"),
            (["pre_tokenizer"], ["type": "Digits"], "ByteLevel"),
            (
                ["pre_tokenizer"],
                [
                    "type": "Sequence",
                    "pretokenizers": [
                        [
                            "type": "Split", "pattern": ["Regex": "[aeiou]+"], "behavior": "Isolated",
                            "invert": false,
                        ],
                        ["type": "ByteLevel"],
                    ],
                ], "[aeiou]+"
            ),
            (
                ["pre_tokenizer"],
                [
                    "type": "Sequence",
                    "pretokenizers": [
                        [
                            "type": "Split", "pattern": ["Regex": "\\p{N}"], "behavior": "MergedWithNone",
                            "invert": false,
                        ], ["type": "ByteLevel"],
                    ],
                ], "MergedWithNone"
            ),
            (
                ["pre_tokenizer"],
                ["type": "Sequence", "pretokenizers": [["type": "ByteLevel"], ["type": "Digits"]]], "Digits"
            ),
            (["decoder"], ["type": "WordPiece"], "WordPiece"), (["decoder"], nil, "decoder"),
            (["post_processor"], ["type": "Other"], "Other"),
            (
                ["post_processor"],
                [
                    "type": "TemplateProcessing", "single": [["Sequence": [:]], ["Sequence": [:]]],
                    "special_tokens": [:],
                ],
                "2 sequences"
            ),
            (
                ["post_processor"],
                [
                    "type": "Sequence",
                    "processors": [
                        ["type": "RobertaProcessing", "cls": ["a", 1], "sep": ["b", 2]],
                        ["type": "BertProcessing", "cls": ["a", 1], "sep": ["b", 2]],
                    ],
                ], "BertProcessing after another"
            ),
        ] as [([String], JSON, String)])
    func unsupported(_ path: [String], _ value: JSON, _ name: String) {
        let error = Self.refuse(path, value)
        guard case .unsupported = error else {
            Issue.record("\(path): \(String(describing: error))")
            return
        }
        #expect(error?.description.contains(name) == true, "\(String(describing: error))")
    }

    @Test("what is missing is named") func missing() {
        for (path, name) in [
            (["model"], "model"), (["model", "vocab"], "model.vocab"), (["model", "merges"], "model.merges"),
            (["pre_tokenizer", "type"], "pre_tokenizer.type"), (["decoder", "type"], "decoder.type"),
        ] {
            guard case .missing(let field, _) = Self.refuse(path, nil) else {
                Issue.record("\(path)")
                continue
            }
            #expect(field == name)
        }
    }

    @Test("ids out of range, far apart or given twice are refused") func ids() {
        for id: JSON in [-1, 4_194_304, 9_223_372_036_854_775_807] {
            guard case .limit = Self.refuse(["model", "vocab", "a"], id) else {
                Issue.record("\(id)")
                continue
            }
        }
        guard case .limit = Self.refuse(["model", "vocab", "a"], 69_999) else {
            Issue.record("a gap of 69,000 ids")
            return
        }
        guard case .duplicate(_, 5, 5, _) = Self.refuse(["model", "vocab", "new"], 5) else {
            Issue.record("an id given twice")
            return
        }
        guard case .json = Self.refuse(["model", "vocab", "a"], 1.5) else {
            Issue.record("a fraction")
            return
        }
        guard case .limit = Self.refuse(["added_tokens"], [["id": -1, "content": "x y"]]) else {
            Issue.record("an added token with a negative id")
            return
        }
        guard case .duplicate = Self.refuse(["added_tokens"], [["id": 3, "content": "x y"]]) else {
            Issue.record("an added token with the id of another piece")
            return
        }
        guard
            case .duplicate("he", 900, _, _) = Self.refuse(["added_tokens"], [["id": 900, "content": "he"]])
        else {
            Issue.record("an added token that is a piece under another id")
            return
        }
    }

    @Test("a merge that names no pieces is refused with its number") func merges() {
        for (merge, index) in [
            ("t zzzzq", 0), ("zzzzq t", 0), ("q zz", 0), ("th", 0), ("t h e", 0), (" th", 0), ("th ", 0),
            ("", 0),
        ] as [(String, Int)] {
            guard case .merge(index, _, _) = Self.refuse(["model", "merges"], [.string(merge)]) else {
                Issue.record("\(merge)")
                continue
            }
        }
        guard case .merge(1, _, _) = Self.refuse(["model", "merges"], ["h e", ["t"]]) else {
            Issue.record("a pair of one")
            return
        }
        guard case .json = Self.refuse(["model", "merges"], [[1, 2]]) else {
            Issue.record("a pair of numbers")
            return
        }
    }

    @Test("pieces that are too long are refused") func longPieces() {
        let long = String(repeating: "x", count: TokenizerLimits.pieceBytes + 1)
        guard case .limit = Self.refuse(["model", "vocab", long], 820) else {
            Issue.record("a piece of \(long.utf8.count) bytes")
            return
        }
    }

    @Test("a template that names an unknown token is refused") func template() {
        let template: JSON = [
            "type": "TemplateProcessing",
            "single": [["SpecialToken": ["id": "x", "type_id": 0]], ["Sequence": ["id": "A"]]], "pair": [],
            "special_tokens": ["x": ["id": "x", "ids": [100_000], "tokens": ["x"]]],
        ]
        guard case .unexpected = Self.refuse(["post_processor"], template) else {
            Issue.record("id 100000")
            return
        }
    }

    @Test("an unknown token that bytes need must be a piece") func unknown() throws {
        let file = try JSON.parse(Fixtures.bytes("Tokenizers/unknown/tokenizer.json"))
        #expect(throws: TokenizerError.self) {
            try PipelineTokenizer(
                tokenizerJSON: file.changing(["model", "unk_token"], to: "<none>").encodedBytes())
        }
    }

    @Test("a pre-tokeniser of very many steps is refused") func manySteps() {
        let steps = [JSON](repeating: ["type": "Digits"], count: 100_000) + [["type": "ByteLevel"]]
        guard
            case .limit = Self.refuse(
                ["pre_tokenizer"], ["type": "Sequence", "pretokenizers": .array(steps)])
        else {
            Issue.record("100,001 steps")
            return
        }
    }

    @Test("added tokens that are very long together are refused") func longAddedTokens() {
        let long = String(repeating: "x", count: TokenizerLimits.pieceBytes - 8)
        let tokens = (0..<40).map {
            JSON.object(["id": .integer(Int64(900 + $0)), "content": .string("\($0)" + long)])
        }
        guard case .limit = Self.refuse(["added_tokens"], .array(tokens)) else {
            Issue.record("40 tokens of 64 KiB")
            return
        }
    }

    @Test("text that is no JSON, or cut off, is refused") func notJSON() throws {
        let bytes = try Fixtures.bytes("Tokenizers/gpt2/tokenizer.json")
        for count in stride(from: 0, to: bytes.count - 2, by: 997) {
            #expect(throws: TokenizerError.self) {
                try PipelineTokenizer(tokenizerJSON: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: TokenizerError.self) { try PipelineTokenizer(tokenizerJSON: bytes + bytes) }
    }

    @Test("GGUF fields that do not fit each other are refused") func gguf() throws {
        func make(
            model: String = "gpt2", pre: String? = "gpt-2", tokens: [String] = ["a", "b", "ab"],
            types: [Int32]? = nil,
            merges: [String] = ["a b"], bos: Int? = nil
        ) throws -> PipelineTokenizer {
            try PipelineTokenizer(
                ggufModel: model, pre: pre, tokens: tokens, tokenTypes: types, merges: merges,
                beginningOfSequence: bos)
        }
        #expect(try make().encode("ab") == [2])
        let cases: [(String, () throws -> PipelineTokenizer)] = [
            ("rwkv", { try make(model: "rwkv") }), ("scores", { try make(model: "llama") }),
            ("no-such-name", { try make(pre: "no-such-name") }),
            ("token_type", { try make(types: [1]) }), ("\"a\"", { try make(tokens: ["a", "a", "ab"]) }),
            ("\"a\"", { try make(tokens: ["a", "b", "ab", "a"], types: [1, 1, 1, 3]) }),
            ("merge 0", { try make(merges: ["a c"]) }), ("merge 0", { try make(merges: ["b a"]) }),
            ("merge 1", { try make(merges: ["a b", ""]) }), ("bos_token_id", { try make(bos: 3) }),
            ("bos_token_id", { try make(bos: -1) }),
        ]
        for (name, body) in cases {
            let error = #expect(throws: TokenizerError.self) { try body() }
            #expect(error?.description.contains(name) == true, "\(String(describing: error))")
        }
        #expect(make2(pre: "no-such-name").contains("llama-bpe"))
        func make2(pre: String) -> String {
            do { return "\(try make(pre: pre))" } catch { return "\(error)" }
        }
        #expect(try make(tokens: [], merges: []).encode("ab") == [])
        #expect(try make(bos: 0xFFFF_FFFF).beginningOfSequence == nil)
    }

    @Test("mutated files are read or refused, and what is read can be used") func mutants() throws {
        let seed: UInt64 = 1_000
        var random = SeededGenerator(seed: seed)
        let families = ["gpt2", "llama3", "added", "unknown"]
        let inputs = try families.map { try TokenizerRefusalTests.small($0) }
        let mutators = inputs.map(TokenMutator.json)
        var accepted = 0
        for round in 0..<2_000 {
            let choice = random.index(below: inputs.count)
            let bytes =
                round % 2 == 0
                ? mutators[choice].mutate(using: &random)
                : ByteMutator.mutate(inputs[choice], others: inputs, using: &random)
            guard let tokenizer = try? PipelineTokenizer(tokenizerJSON: bytes) else { continue }
            accepted += 1
            let ids = tokenizer.encode("The crow's 12 <|endoftext|> caf\u{E9} \u{1F600}\n\n x")
            #expect(tokenizer.decode(ids).utf8.count < 1_000_000, "seed \(seed), round \(round)")
        }
        #expect(accepted > 20)
    }

    /// A fixture with most of its pieces left out, so that more of the damage hits its structure.
    static func small(_ family: String) throws -> [UInt8] {
        let file = try JSON.parse(Fixtures.bytes("Tokenizers/\(family)/tokenizer.json"))
        let vocabulary = try #require(file["model"]?["vocab"]?.object)
        var kept = JSONObject()
        for (piece, id) in vocabulary where piece.unicodeScalars.count == 1 || piece.hasPrefix("<") {
            kept[piece] = id
        }
        kept["th"] = 700
        return file.changing(["model", "vocab"], to: .object(kept))
            .changing(["model", "merges"], to: [["t", "h"]]).changing(
                ["added_tokens"],
                to: [
                    ["id": 710, "content": "<|endoftext|>", "special": true, "normalized": false],
                    ["id": 711, "content": "<|begin_of_text|>", "special": true, "normalized": false],
                    ["id": 712, "content": "crow", "single_word": true, "lstrip": true, "rstrip": true],
                ]
            ).changing(["post_processor"], to: ["type": "ByteLevel"]).encodedBytes()
    }
}

extension JSON {
    /// The same tree with the value at a path set, or with nil removed.
    fileprivate func changing(_ path: ArraySlice<String>, to value: JSON?) -> JSON {
        guard let first = path.first, var object = self.object else { return value ?? self }
        if path.count == 1 {
            object[first] = value
        } else {
            object[first] = (object[first] ?? [:]).changing(path.dropFirst(), to: value)
        }
        return .object(object)
    }
}
