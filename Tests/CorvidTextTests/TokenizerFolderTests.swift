import CorvidText
import TestSupport
import Testing

/// Tokenizers as they lie in model folders, with the small files that describe special tokens.
@Suite struct TokenizerFolderTests {
    private static func load(
        _ files: [String: JSON], copying names: [String] = []
    ) throws -> PipelineTokenizer {
        try PipelineTokenizer.load { name in
            if let json = files[name] { return json.encodedBytes() }
            return names.contains(name) ? try Fixtures.bytes("Tokenizers/gpt2/\(name)") : nil
        }
    }

    private static let gpt2 = ["vocab.json", "merges.txt"]

    @Test("tokenizer.json comes before vocab.json, and the files beside it name the special tokens")
    func tokenizerJSON() throws {
        let tokenizer = try Self.load(
            [
                "tokenizer_config.json": [
                    "bos_token": ["content": "<|endoftext|>", "lstrip": false], "eos_token": "<|endoftext|>",
                    "model_max_length": 1_000_000_000_000_000_019_884_624_838_656.0,
                ],
                "special_tokens_map.json": ["pad_token": "<|endoftext|>"],
                "generation_config.json": ["eos_token_id": [800, 5, 100_000]],
                "config.json": ["eos_token_id": 7],
            ], copying: ["tokenizer.json"] + Self.gpt2)
        #expect(tokenizer.beginningOfSequence == 800)
        #expect(tokenizer.endOfSequence == 800)
        #expect(tokenizer.specialTokens.padding == 800)
        #expect(tokenizer.endOfGeneration == [800, 5, 7])
        #expect(!tokenizer.addsBeginningOfSequence)
        #expect(tokenizer.encode("<|endoftext|>") == [800])
    }

    @Test("ids in config.json serve where no file names the token") func idsOnly() throws {
        let tokenizer = try Self.load(
            ["config.json": ["bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3]], copying: Self.gpt2)
        #expect(tokenizer.beginningOfSequence == 1 && tokenizer.endOfSequence == 2)
        #expect(tokenizer.specialTokens.padding == 3 && tokenizer.endOfGeneration == [2])
    }

    @Test("added_tokens.json and added_tokens_decoder add tokens to a vocabulary") func addedTokens() throws {
        let plain = try Self.load(["added_tokens.json": ["<pad>": 801, "  ": 802]], copying: Self.gpt2)
        #expect(plain.encode("a  <pad>").suffix(2) == [802, 801])
        #expect(!plain.isSpecial(801))
        #expect(plain.decode([802, 801]) == "  <pad>")

        let described = try Self.load(
            [
                "tokenizer_config.json": [
                    "tokenizer_class": "GPT2Tokenizer", "eos_token": "</s>", "bos_token": "<s>",
                    "added_tokens_decoder": [
                        "805": ["content": "<s>", "special": true, "normalized": false],
                        "806": ["content": "</s>", "special": true, "normalized": false, "lstrip": true],
                    ], "add_bos_token": true,
                ]
            ], copying: Self.gpt2)
        #expect(described.addsBeginningOfSequence)
        #expect(described.endOfSequence == 806)
        let letter = try #require(described.id(of: "a"))
        #expect(described.encode("a  </s>") == [805, letter, 806])
        #expect(described.encode("a", addSpecialTokens: false) == [letter])
        #expect(described.decode([805, letter, 806], skipSpecialTokens: true) == "a")
    }

    @Test("add_prefix_space puts a blank before the text") func prefixSpace() throws {
        let tokenizer = try Self.load(
            ["tokenizer_config.json": ["add_prefix_space": true]], copying: Self.gpt2)
        #expect(tokenizer.decode(tokenizer.encode("the")) == " the")
        #expect(tokenizer.decode(tokenizer.encode(" the")) == " the")
    }

    @Test("a merges file may have Windows line ends, blank lines and no last line end") func mergesText()
        throws
    {
        let vocabulary: JSON = ["a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4]
        for text in ["#version: 0.2\na b\nab c\n", "a b\nab c", "#version: 0.2\r\na b\r\n\r\nab c\r\n"] {
            let tokenizer = try PipelineTokenizer(
                vocabularyJSON: vocabulary.encodedBytes(), mergesText: Array(text.utf8))
            #expect(tokenizer.encode("abcab") == [4, 3], "\(text.debugDescription)")
        }
        #expect(throws: TokenizerError.self) {
            try PipelineTokenizer(vocabularyJSON: vocabulary.encodedBytes(), mergesText: Array("a  b\n".utf8))
        }
    }

    @Test("of two merges of one pair the last counts in Hugging Face files and the first in GGUF")
    func repeatedMerges() throws {
        // "abc": with the first "a b" it becomes ab c, with the last one a bc.
        let pieces = ["a", "b", "c", "ab", "bc"]
        let merges = ["a b", "b c", "a b"]
        let vocabulary = JSON.object(
            pieces.enumerated().reduce(into: JSONObject()) { $0[$1.element] = .integer(Int64($1.offset)) })
        let last = try PipelineTokenizer(
            vocabularyJSON: vocabulary.encodedBytes(), mergesText: Array(merges.joined(separator: "\n").utf8))
        #expect(last.encode("abc") == [0, 4])
        let first = try PipelineTokenizer(ggufModel: "gpt2", pre: "gpt-2", tokens: pieces, merges: merges)
        #expect(first.encode("abc") == [3, 2])
    }

    @Test("folders without a readable tokenizer are refused by name") func refused() throws {
        let cases: [(String, () throws -> PipelineTokenizer)] = [
            ("tokenizer.json", { try Self.load([:]) }),
            ("merges.txt", { try Self.load([:], copying: ["vocab.json"]) }),
            ("tokenizer.model", { try Self.load(["tokenizer.model": [:]]) }),
            (
                "CLIPTokenizer",
                {
                    try Self.load(
                        ["tokenizer_config.json": ["tokenizer_class": "CLIPTokenizer"]], copying: Self.gpt2)
                }
            ), ("tokenizer.json", { try Self.load(["tokenizer.json": [1]]) }),
            ("added_tokens.json", { try Self.load(["added_tokens.json": ["x": -1]], copying: Self.gpt2) }),
            (
                "added_tokens_decoder",
                {
                    try Self.load(
                        ["tokenizer_config.json": ["added_tokens_decoder": ["x": [:]]]], copying: Self.gpt2)
                }
            ),
        ]
        for (name, body) in cases {
            let error = #expect(throws: TokenizerError.self) { try body() }
            #expect(error?.description.contains(name) == true, "\(String(describing: error))")
        }
    }
}
