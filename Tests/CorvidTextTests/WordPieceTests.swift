import CorvidText
import TestSupport
import Testing

/// WordPiece from the files that are not tokenizer.json.
@Suite struct WordPieceTests {
    private static func vocabulary(_ pieces: [String]) -> [UInt8] {
        Array(pieces.joined(separator: "\n").utf8)
    }

    private static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    @Test("vocab.txt gives the same ids as tokenizer.json") func vocabularyText() throws {
        let tokenizer = try PipelineTokenizer(
            wordPieceVocabulary: Fixtures.bytes("Tokenizers/bert/vocab.txt"))
        for row in try #require(try TokenizerFixtures.golden("bert")["rows"]?.array) {
            let text = try #require(row["text"]?.string)
            #expect(
                tokenizer.encode(text) == (try TokenizerFixtures.ids(row["ids"])), "\(text.debugDescription)")
        }
        #expect(tokenizer.specialTokens.unknown == tokenizer.id(of: "[UNK]"))
        #expect(tokenizer.specialTokens.padding == tokenizer.id(of: "[PAD]"))
        #expect(tokenizer.addsBeginningOfSequence && tokenizer.endOfSequence == nil)
    }

    @Test("a folder with vocab.txt is read, with what tokenizer_config.json says about letter case")
    func folder() throws {
        let pieces =
            Self.special + ["Caf\u{E9}", "cafe", "caf\u{E9}", "\u{4E2D}\u{6587}", "\u{4E2D}", "\u{6587}"]
        func encode(_ configuration: JSON) throws -> [String] {
            let tokenizer = try PipelineTokenizer.load { name in
                switch name {
                case "vocab.txt": Self.vocabulary(pieces)
                case "tokenizer_config.json": configuration.encodedBytes()
                default: nil
                }
            }
            return tokenizer.encode("Caf\u{E9} \u{4E2D}\u{6587}", addSpecialTokens: false).map {
                tokenizer.piece(of: $0)
            }
        }
        #expect(try encode([:]) == ["cafe", "\u{4E2D}", "\u{6587}"])
        #expect(try encode(["do_lower_case": false]) == ["Caf\u{E9}", "\u{4E2D}", "\u{6587}"])
        #expect(try encode(["strip_accents": false]) == ["caf\u{E9}", "\u{4E2D}", "\u{6587}"])
        #expect(try encode(["tokenize_chinese_chars": false]) == ["cafe", "\u{4E2D}\u{6587}"])
        for wrong: JSON in [["tokenizer_class": "BertJapaneseTokenizer"], ["do_basic_tokenize": false]] {
            #expect(throws: TokenizerError.self) { try encode(wrong) }
        }
    }

    @Test("MPNet puts two separators between two texts") func mpnet() throws {
        let pieces = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>", "x", "y"]
        let tokenizer = try PipelineTokenizer(
            wordPieceVocabulary: Self.vocabulary(pieces), configuration: ["tokenizer_class": "MPNetTokenizer"]
        )
        let both = tokenizer.encode("x  <mask>", pair: "y z")
        #expect(both.ids == [0, 5, 4, 2, 2, 6, 3, 2])
        #expect(both.types == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(tokenizer.beginningOfSequence == 0 && tokenizer.endOfSequence == 2)
    }

    @Test(
        "vocab.txt may have Windows line ends, and is refused without its special tokens or with a piece twice"
    )
    func lines() throws {
        let pieces = Self.special + ["x", "##y"]
        let windows = try PipelineTokenizer(
            wordPieceVocabulary: Array((pieces.joined(separator: "\r\n") + "\r\n").utf8))
        #expect(windows.encode("xyy x") == [2, 5, 6, 6, 5, 3])
        for wrong in [["x"], pieces + ["x"], Array(pieces.dropFirst(2)), []] {
            #expect(throws: TokenizerError.self) {
                try PipelineTokenizer(wordPieceVocabulary: Self.vocabulary(wrong))
            }
        }
    }

    @Test("a word with no way through, or of more than 100 letters, is unknown as a whole") func unknown()
        throws
    {
        let tokenizer = try PipelineTokenizer(
            wordPieceVocabulary: Self.vocabulary(Self.special + ["a", "##a", "##b"]))
        #expect(tokenizer.encode("aab abz ba a", addSpecialTokens: false) == [5, 6, 7, 1, 1, 5])
        let longest = String(repeating: "a", count: 100)
        #expect(tokenizer.encode(longest, addSpecialTokens: false).count == 100)
        #expect(tokenizer.encode(longest + "a", addSpecialTokens: false) == [1])
    }

    /// Korean, Hindi and musical signs, of which llama.cpp loses parts when it takes accents away.
    private static let lost = ["\u{212B} \u{2126}", "\u{AE4C}", "\u{915}", "\u{1112}", "\u{1D165}"]

    @Test("a GGUF vocabulary gives the ids of llama.cpp, save for letters of which that loses parts")
    func gguf() throws {
        let file = try JSON.parse(Fixtures.bytes("Tokenizers/gguf-bert.json"))
        var vocabulary = GGUFVocabulary(
            model: "bert", tokens: ByteStrings(try TokenizerFixtures.strings(file["tokens"])))
        vocabulary.tokenTypes = try TokenizerFixtures.ids(file["types"])
        vocabulary.beginningOfSequence = file["cls"]?.int
        vocabulary.separator = file["sep"]?.int
        vocabulary.unknown = file["unknown"]?.int
        let tokenizer = try PipelineTokenizer(vocabulary)
        let reference = try TokenizerFixtures.tokenizer("bert")
        let texts = try TokenizerFixtures.strings(file["texts"])
        let golden = try #require(file["golden"]?.array)
        #expect(texts.count > 100 && texts.count == golden.count)
        for (text, ids) in zip(texts, golden) {
            let isLost = Self.lost.contains { text.unicodeScalars.starts(with: $0.unicodeScalars) }
            let expected = isLost ? reference.encode(text) : try TokenizerFixtures.ids(ids)
            #expect(tokenizer.encode(text) == expected, "\(text.debugDescription)")
        }
        let ids = tokenizer.encode("The crow watches, and remembers 12.")
        #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "the crow watches, and remembers 12.")
    }
}
