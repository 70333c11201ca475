import CorvidText
import TestSupport
import Testing

@testable import CorvidEvaluation

/// Which tokens are probed, and which stay together.
@Suite struct ProbeVocabularyTests {
    /// Twelve pieces as a byte-level vocabulary spells them.
    static let pieces = [
        "Ġcat", "cat", "cats", "Cat", "Ġdog", "dogs", "Ġa", "a", "x1", "Ġ", "Ġfish", "ćat",
    ]

    static func english(_ pieces: [String]) throws -> ProbeVocabulary {
        try ProbeVocabulary.english(
            pieces: pieces.enumerated().map { (Int32($0), $1) }, size: pieces.count)
    }

    @Test("tokens of letters with at most one mark are kept, longer than one character with it")
    func byteLevel() throws {
        let tokens = try Self.english(Self.pieces).tokens
        #expect(tokens.map(\.piece) == ["Ġcat", "cat", "cats", "Cat", "Ġdog", "dogs", "Ġa", "Ġfish"])
        #expect(tokens.map(\.id) == [0, 1, 2, 3, 4, 5, 6, 10])
        #expect(tokens.map(\.word) == ["cat", "cat", "cats", "Cat", "dog", "dogs", "a", "fish"])
    }

    @Test("SentencePiece and WordPiece have marks of their own, and word lists none") func marks() throws {
        #expect(try Self.english(["▁the", "▁of", "ing", "Ġthe"]).tokens.map(\.word) == ["the", "of", "ing"])
        let wordPiece = try Self.english(["the", "##ing", "##s", "[PAD]", "▁no"])
        #expect(wordPiece.tokens.map(\.word) == ["the", "ing", "s"])
        #expect(try Self.english(["the", "s", "no-one"]).tokens.map(\.word) == ["the"])
    }

    @Test("special tokens, pieces for bytes and gaps are no tokens of letters") func tokenizer() throws {
        let vocabulary = try ProbeVocabulary.english(ListedTokenizer(["▁ab", "<s>", "<0x41>", "", "cd"]))
        #expect(vocabulary.tokens.map(\.piece) == ["▁ab", "cd"])
        #expect(vocabulary.size == 5)
    }

    @Test("a script's tokens are those whose text is written in it, blanks aside") func scripts() throws {
        let tokenizer = ListedTokenizer(["▁мир", "Мир", "mир", "▁ab", "हिन्दी", "ひらがな"])
        func words(_ script: TokenScript) throws -> [String] {
            try ProbeVocabulary.written(in: script, tokenizer).tokens.map(\.word)
        }
        #expect(try words(.cyrillic) == ["мир", "Мир"])
        #expect(try words(.latin) == ["ab"])
        #expect(try words(.devanagari) == ["हिन्दी"])
        #expect(try words(.hiragana) == ["ひらがな"])
        let cyrillic = try ProbeVocabulary.written(in: .cyrillic, tokenizer)
        #expect(cyrillic.letters(in: .cyrillic, fewest: 2) == ["и", "м", "р"])
        #expect(cyrillic.letters(in: .cyrillic, fewest: 3).isEmpty)
    }

    @Test("a vocabulary without text, or without letters of a script, is refused") func refused() {
        #expect(throws: CharacterProbeError.noText) {
            try ProbeVocabulary.english(ListedTokenizer(["", ""]))
        }
        #expect(throws: CharacterProbeError.noTokens(alphabet: "Latin", vocabulary: 2)) {
            try ProbeVocabulary.english(ListedTokenizer(["12", "##"]))
        }
        #expect(throws: CharacterProbeError.noTokens(alphabet: "Arabic", vocabulary: 1)) {
            try ProbeVocabulary.written(in: .arabic, ListedTokenizer(["ab"]))
        }
    }

    @Test("plurals have the lemma of their singular, if that is a word of the vocabulary") func lemmas() {
        let words = [
            "cat", "city", "box", "class", "church", "leaf", "knife", "potato", "fireman", "bus", "New",
        ]
        let lemmas = NounLemmas(words: words, table: ["went": "go"])
        let cases = [
            "cats": "cat", "cities": "city", "boxes": "box", "classes": "class", "churches": "church",
            "leaves": "leaf", "knives": "knife", "potatoes": "potato", "firemen": "fireman", "mice": "mouse",
            "class": "class", "bus": "bus", "dogs": "dogs", "News": "New", "went": "go", "this": "this",
        ]
        for (word, lemma) in cases { #expect(lemmas.lemma(of: word) == lemma, "\(word)") }
    }

    @Test("a file of lemmas has a word, a tab and a lemma in each line") func lemmaFile() throws {
        #expect(try NounLemmas.table("went\tgo\r\n\nran\trun", file: "f") == ["went": "go", "ran": "run"])
        #expect(throws: CharacterProbeError.lemmaLine(file: "f", line: 2)) {
            try NounLemmas.table("went\tgo\nran run\n", file: "f")
        }
    }
}

/// A vocabulary that is a list of pieces; those in angle brackets are special.
struct ListedTokenizer: Tokenizer {
    let pieces: [String]
    let specialTokens = SpecialTokens()
    let addsBeginningOfSequence = false
    var vocabularySize: Int { pieces.count }

    init(_ pieces: [String]) { self.pieces = pieces }

    /// Whole words of the list alone.
    func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        let text = String(decoding: bytes, as: UTF8.self)
        return id(of: text).map { [$0] } ?? []
    }
    func appendBytes(of id: Int32, to output: inout [UInt8]) {
        output += Array(piece(of: id).replacing("▁", with: " ").utf8)
    }
    func piece(of id: Int32) -> String { pieces.indices.contains(Int(id)) ? pieces[Int(id)] : "" }
    func id(of piece: String) -> Int32? { pieces.firstIndex(of: piece).map(Int32.init) }
    func isSpecial(_ id: Int32) -> Bool { piece(of: id).hasPrefix("<") && piece(of: id).hasSuffix("s>") }
}
