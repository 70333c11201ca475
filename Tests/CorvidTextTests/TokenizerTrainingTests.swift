import CorvidText
import TestSupport
import Testing

/// Tokenizers learned from text.
@Suite struct TokenizerTrainingTests {
    private static func prose() throws -> [UInt8] { try Fixtures.bytes("prose.txt") }

    private static func train(
        _ model: TokenizerTrainer.Model, _ size: Int, _ text: [UInt8], pieces: Int = .max
    ) throws -> TrainedTokenizer {
        var trainer = TokenizerTrainer(model, vocabularySize: size)
        var start = 0
        while start < text.count {
            let end = min(text.count, start + min(pieces, text.count))
            trainer.read(Array(text[start..<end]))
            start = end
        }
        return try trainer.train()
    }

    @Test("the merges are those of Hugging Face tokenizers, also where many pairs are equally frequent")
    func merges() throws {
        let golden = try JSON.parse(Fixtures.bytes("Tokenizers/training.json"))
        let trained = try Self.train(.bytePairs, 900, Self.prose())
        #expect(trained.json["model"]?["merges"] == golden["merges"])
        #expect(trained.json["model"]?["vocab"] == golden["vocab"])
        #expect(trained.vocabularySize == 900)
        #expect((golden["merges"]?.array?.count ?? 0) > 600)
    }

    @Test(
        "what was learned can be read, and any text comes back from its ids",
        arguments: TokenizerTrainer.Model.allCases)
    func roundTrip(_ model: TokenizerTrainer.Model) throws {
        let trained = try Self.train(model, 600, Self.prose())
        let tokenizer = try PipelineTokenizer(tokenizerJSON: trained.json.encodedBytes())
        #expect(tokenizer.vocabularySize == trained.vocabularySize && trained.vocabularySize <= 600)
        for row in try #require(try TokenizerFixtures.golden("gpt2")["rows"]?.array) {
            let text = try #require(row["text"]?.string)
            // The mark for blanks, and what spells a byte.
            if text.contains("\u{2581}") || text.contains("<0x") { continue }
            let ids = tokenizer.encode(text, parseSpecial: false)
            #expect(
                tokenizer.decode(ids).unicodeScalars.elementsEqual(text.unicodeScalars),
                "\(text.debugDescription)")
        }
        let end = try #require(tokenizer.id(of: "<|endoftext|>"))
        #expect(tokenizer.isSpecial(end) && tokenizer.encode("x<|endoftext|>").last == end)
        let prose = try Self.prose()
        #expect(
            tokenizer.encode(bytes: prose, addSpecialTokens: false, parseSpecial: false).count < prose.count
                / 2)
    }

    @Test(
        "the same text gives the same tokenizer, in however many pieces it comes",
        arguments: TokenizerTrainer.Model.allCases)
    func repeated(_ model: TokenizerTrainer.Model) throws {
        let text = try Self.prose()
        let whole = try Self.train(model, 500, text).json.encodedBytes()
        for pieces in [1, 7, 1_000] {
            #expect(try Self.train(model, 500, text, pieces: pieces).json.encodedBytes() == whole)
        }
    }

    @Test("frequent words are pieces") func words() throws {
        let text = Array(String(repeating: "the crow and the keeper\n", count: 200).utf8)
        for (model, mark) in [(TokenizerTrainer.Model.bytePairs, "\u{120}"), (.unigram, "\u{2581}")] {
            let trained = try Self.train(model, 300, text)
            let tokenizer = try PipelineTokenizer(tokenizerJSON: trained.json.encodedBytes())
            for word in ["crow", "keeper"] {
                #expect(tokenizer.id(of: mark + word) != nil, "\(model) \(word)")
            }
        }
    }

    @Test(
        "a text that has no more to learn from gives a smaller vocabulary",
        arguments: TokenizerTrainer.Model.allCases)
    func small(_ model: TokenizerTrainer.Model) throws {
        let trained = try Self.train(model, 5_000, Array("abab abab\nabab".utf8))
        #expect(trained.vocabularySize < 300)
        _ = try PipelineTokenizer(tokenizerJSON: trained.json.encodedBytes())
    }

    @Test(
        "an empty text and a vocabulary without room for the bytes are refused",
        arguments: TokenizerTrainer.Model.allCases)
    func refused(_ model: TokenizerTrainer.Model) throws {
        #expect(throws: TrainingError.emptyText) { try Self.train(model, 1_000, []) }
        for size in [-1, 0, 200, .max] {
            let error = #expect(throws: TrainingError.self) { try Self.train(model, size, Array("a b".utf8)) }
            #expect(error?.description.contains("\(size)") == true)
        }
    }

    @Test(
        "a text that spells special tokens and the names of bytes gives a tokenizer that can be read",
        arguments: TokenizerTrainer.Model.allCases)
    func spelled(_ model: TokenizerTrainer.Model) throws {
        let line = "a<|endoftext|> b<unk> c<0x41> <|endoftext|> <unk> <0x41> <0x41>\n"
        var text = try Self.prose()
        for _ in 0..<2_000 { text += Array(line.utf8) }
        for end in ["<|endoftext|>", "a"] {
            var trainer = TokenizerTrainer(model, vocabularySize: 500, specialTokens: [end])
            trainer.read(text)
            let tokenizer = try PipelineTokenizer(tokenizerJSON: try trainer.train().json.encodedBytes())
            #expect(tokenizer.id(of: end).map(tokenizer.isSpecial) == true)
            #expect(tokenizer.decode(tokenizer.encode("b crow")) == "b crow")
        }
    }

    @Test("text that is no UTF-8 does no harm", arguments: TokenizerTrainer.Model.allCases)
    func damaged(_ model: TokenizerTrainer.Model) throws {
        var random = SeededGenerator(seed: 4)
        let bytes = (0..<5_000).map { _ in UInt8(random.index(below: 256)) }
        let trained = try Self.train(model, 400, bytes)
        let tokenizer = try PipelineTokenizer(tokenizerJSON: trained.json.encodedBytes())
        #expect(!tokenizer.encode("abc").isEmpty)
    }
}
