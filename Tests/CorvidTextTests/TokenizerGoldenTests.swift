import CorvidText
import TestSupport
import Testing

/// Ids against those of the reference libraries; Scripts/make-tokenizer-fixtures.py made them.
@Suite struct TokenizerGoldenTests {
    static let byteLevel = ["gpt2", "llama3", "qwen2", "smollm2", "neox", "prefixed", "added", "unknown"]
    /// Kinds with byte fallback, whose references decode bytes that are no UTF-8 in another way.
    static let byteFallback = ["llama", "bytes-unigram"]
    static let families =
        byteLevel + byteFallback + [
            "bert", "bert-cased", "t5", "xlm-roberta", "metaspace", "suffixed", "words", "nmt",
        ]

    @Test("tokenizer.json gives the ids of Hugging Face tokenizers", arguments: families)
    func tokenizerJSON(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        let rows = try #require(try TokenizerFixtures.golden(family)["rows"]?.array)
        #expect(rows.count > 100)
        for row in rows {
            let text = try #require(row["text"]?.string)
            let ids = try TokenizerFixtures.ids(row["ids"])
            let plain = try row["withoutAdded"].map(TokenizerFixtures.ids) ?? ids
            let spelled = try row["withoutParsing"].map(TokenizerFixtures.ids) ?? plain
            #expect(tokenizer.encode(text) == ids, "\(family): \(text.debugDescription)")
            #expect(
                tokenizer.encode(text, addSpecialTokens: false) == plain,
                "\(family): \(text.debugDescription)")
            #expect(
                tokenizer.encode(text, addSpecialTokens: false, parseSpecial: false) == spelled,
                "\(family), special tokens as text: \(text.debugDescription)")
        }
    }

    @Test("two texts get the ids and types of Hugging Face tokenizers", arguments: families)
    func pairs(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        let rows = try #require(try TokenizerFixtures.golden(family)["pairs"]?.array)
        #expect(rows.count > 5)
        for row in rows {
            let (first, second) = (try #require(row["first"]?.string), try #require(row["second"]?.string))
            let both = tokenizer.encode(first, pair: second)
            #expect(both.ids == (try TokenizerFixtures.ids(row["ids"])), "\(family): \(first) | \(second)")
            #expect(
                both.types == (try TokenizerFixtures.ids(row["types"])), "\(family): \(first) | \(second)")
            let plain = tokenizer.encode(first, pair: second, addSpecialTokens: false)
            #expect(plain.ids == (try TokenizerFixtures.ids(row["plainIds"])))
            #expect(plain.types == (try TokenizerFixtures.ids(row["plainTypes"])))
        }
    }

    @Test("vocab.json with merges.txt gives the same ids as tokenizer.json")
    func vocabularyAndMerges() throws {
        let tokenizer = try PipelineTokenizer(
            vocabularyJSON: Fixtures.bytes("Tokenizers/gpt2/vocab.json"),
            mergesText: Fixtures.bytes("Tokenizers/gpt2/merges.txt"), addedTokens: ["<|endoftext|>": 800])
        for row in try #require(try TokenizerFixtures.golden("gpt2")["rows"]?.array) {
            let text = try #require(row["text"]?.string)
            let ids = try TokenizerFixtures.ids(row["ids"])
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
        }
        #expect(tokenizer.endOfSequence == 800 && tokenizer.beginningOfSequence == 800)
        #expect(tokenizer.isSpecial(800) && !tokenizer.isSpecial(799))
    }

    static let preNames = [
        "default", "gpt-2", "roberta-bpe", "mpt", "olmo", "smollm", "starcoder", "llama-bpe", "dbrx", "qwen2",
    ]

    @Test("a GGUF vocabulary gives the ids of llama.cpp under each pre-tokeniser name", arguments: preNames)
    func gguf(_ pre: String) throws {
        let file = try TokenizerFixtures.ggufVocabulary()
        let tokenizer = try TokenizerFixtures.ggufTokenizer(pre)
        let texts = try #require(file["texts"]?.array)
        let golden = try #require(file["golden"]?[pre]?.array)
        #expect(texts.count == golden.count && texts.count > 100)
        for (text, ids) in zip(texts, golden) {
            let text = try #require(text.string)
            #expect(
                tokenizer.encode(text) == (try TokenizerFixtures.ids(ids[0])),
                "\(pre): \(text.debugDescription)")
            #expect(
                tokenizer.encode(text, addSpecialTokens: false, parseSpecial: false)
                    == (try TokenizerFixtures.ids(ids[1])),
                "\(pre), special tokens as text: \(text.debugDescription)")
        }
        #expect(tokenizer.addsBeginningOfSequence == (pre == "llama-bpe"))
    }

    @Test("a GGUF file without a pre-tokeniser name is split as GPT-2 does")
    func ggufWithoutPre() throws {
        let named = try TokenizerFixtures.ggufTokenizer("gpt-2")
        let unnamed = try TokenizerFixtures.ggufTokenizer(nil)
        for text in ["Hello  world 123", "it's\n\n x"] { #expect(named.encode(text) == unnamed.encode(text)) }
    }
}

/// Reads the committed tokenizers and golden ids.
enum TokenizerFixtures {
    static func tokenizer(_ family: String) throws -> PipelineTokenizer {
        try PipelineTokenizer(tokenizerJSON: Fixtures.bytes("Tokenizers/\(family)/tokenizer.json"))
    }

    static func golden(_ family: String) throws -> JSON {
        try JSON.parse(Fixtures.bytes("Tokenizers/\(family)/golden.json"))
    }

    static func ggufVocabulary() throws -> JSON {
        try JSON.parse(Fixtures.bytes("Tokenizers/gguf-vocabulary.json"))
    }

    static func ggufTokenizer(_ pre: String?) throws -> PipelineTokenizer {
        let file = try ggufVocabulary()
        return try PipelineTokenizer(
            ggufModel: "gpt2", pre: pre, tokens: strings(file["tokens"]), tokenTypes: ids(file["types"]),
            merges: strings(file["merges"]), beginningOfSequence: file["bos"]?.int,
            endOfSequence: file["eos"]?.int)
    }

    static func ids(_ json: JSON?) throws -> [Int32] {
        try #require(json?.array).map { Int32(try #require($0.int)) }
    }

    static func strings(_ json: JSON?) throws -> [String] {
        try #require(json?.array).map { try #require($0.string) }
    }
}

extension PipelineTokenizer {
    /// The tokenizer of a GGUF file with these fields.
    convenience init(
        ggufModel model: String, pre: String?, tokens: [String], tokenTypes: [Int32]? = nil,
        merges: [String], beginningOfSequence: Int? = nil, endOfSequence: Int? = nil
    ) throws(TokenizerError) {
        var vocabulary = GGUFVocabulary(model: model, pre: pre, tokens: ByteStrings(tokens))
        vocabulary.tokenTypes = tokenTypes
        vocabulary.merges = ByteStrings(merges)
        vocabulary.beginningOfSequence = beginningOfSequence
        vocabulary.endOfSequence = endOfSequence
        try self.init(vocabulary)
    }
}
