import CorvidModels
import CorvidText
import TestSupport
import Testing

/// Positions as a user writes them.
@Suite struct PositionQueryTests {
    /// A tokenizer of each kind that the golden files have: byte-level BPE with and without merges over words,
    /// SentencePiece with byte fallback and with a token at the beginning, WordPiece.
    static let folders = ["gptj", "gpt2-old", "gguf-q8_0", "gguf-q4_1"]

    private func tokenizer(_ name: String) throws -> any Tokenizer {
        let path = Fixtures.path("Models/\(name)")
        let model = try Model.load(path: name.hasPrefix("gguf") ? path + "/model.gguf" : path)
        return try model.tokenizer
    }

    @Test("the words name the positions that they say") func words() throws {
        let tokenizer = ByteTokens()
        let text = "abcdefgh"
        func resolved(_ query: String) throws -> Positions {
            try PositionQuery(parsing: query).resolved(
                text: text, ids: tokenizer.encode(text), tokenizer: tokenizer)
        }
        #expect(try resolved("all") == .all)
        #expect(try resolved("prompt") == .range(0..<8))
        #expect(try resolved("generated") == .generated)
        #expect(try resolved("last") == .lastOfPrompt)
        #expect(try resolved("3") == .at(3))
        #expect(try resolved("2-5") == .range(2..<6))
        #expect(try resolved("4-") == .from(4))
        #expect(try resolved("-2") == .at(6))
        #expect(try resolved("1,3-4, 7") == Positions([1..<2, 3..<5, 7..<8]))
        #expect(try resolved("after:cd") == .at(3))
        #expect(try resolved("tokens:cd") == .range(2..<4))
    }

    @Test(
        "what names no positions is refused",
        arguments: [
            "", "x", "3.5", "-0", "--2", "5-2", "1,,2", "after:", "tokens:", "٣", "99999999999999999999",
        ])
    func unreadable(text: String) {
        #expect(throws: SiteError.positions(text)) { try PositionQuery(parsing: text) }
    }

    @Test(
        "a query is written as it was read",
        arguments: ["all", "last", "3", "-2", "2-5", "4-", "1,3-4", "after:a b"])
    func description(text: String) throws {
        #expect(try PositionQuery(parsing: text).description == text)
    }

    @Test("positions outside the text, and pieces that occur never or twice, are refused") func outside()
        throws
    {
        let tokenizer = ByteTokens()
        func resolve(_ query: String, _ text: String) throws {
            _ = try PositionQuery(parsing: query).resolved(
                text: text, ids: tokenizer.encode(text), tokenizer: tokenizer)
        }
        #expect(throws: SiteError.position(4, tokens: 4)) { try resolve("4", "abcd") }
        #expect(throws: SiteError.position(-5, tokens: 4)) { try resolve("-5", "abcd") }
        #expect(throws: SiteError.position(9, tokens: 4)) { try resolve("2-9", "abcd") }
        #expect(throws: SiteError.position(Int.max, tokens: 4)) { try resolve("\(Int.max)", "abcd") }
        #expect(throws: SiteError.substring("x")) { try resolve("after:x", "abcd") }
        #expect(throws: SiteError.substringTwice("aa")) { try resolve("after:aa", "aaa") }
        #expect(throws: SiteError.substring("a")) { try resolve("after:a", "") }
    }

    /// Prompts with the piece that is looked for: after a text, at the beginning, at the end, in several bytes.
    static let pieces = [
        ("The Space Needle is in the city of", "Space Needle"), ("Tokyo is in", "Tokyo"),
        ("He was born in Zürich", "Zürich"), ("das schöne 東京 bei Nacht", "東京"), ("go 👩‍🚀 on", "👩‍🚀"),
        ("Eiffel Tower", "Eiffel Tower"), ("x\n\ny z", "y"),
    ]

    @Test("the last token of a piece decodes to the piece's end", arguments: folders, pieces)
    func decoding(folder: String, pair: (text: String, piece: String)) throws {
        let tokenizer = try tokenizer(folder)
        let ids = tokenizer.encode(pair.text)
        let range = try TokenSpans(ids, of: pair.text, tokenizer: tokenizer).tokens(of: pair.piece)
        try #require(!range.isEmpty && range.upperBound <= ids.count)
        // The tokens up to the last one spell the text up to the piece's end, those before the first do not reach
        // its beginning.
        let end = Array(pair.text.utf8.prefix { _ in true })
        let place = try #require(pair.text.range(of: pair.piece))
        let upTo = Array(pair.text[..<place.upperBound].utf8)
        let before = Array(pair.text[..<place.lowerBound].utf8)
        let spelled = tokenizer.decodeBytes(ids[..<range.upperBound], skipSpecialTokens: true)
        #expect(spelled == upTo && end.starts(with: upTo))
        let earlier = tokenizer.decodeBytes(ids[..<range.lowerBound], skipSpecialTokens: true)
        #expect(before.starts(with: earlier) && before.count - earlier.count <= 1)
    }

    @Test("a token at the beginning moves all positions by one") func beginning() throws {
        let tokenizer = ByteTokens(begins: true)
        let text = "ab cd"
        let ids = tokenizer.encode(text)
        #expect(ids.count == 6)
        #expect(try TokenSpans(ids, of: text, tokenizer: tokenizer).tokens(of: "cd") == 4..<6)
    }

    @Test("a tokenizer that lowers case is followed by what it makes of the text") func lowered() throws {
        let tokenizer = ByteTokens(begins: true, lowers: true)
        let text = "US and us, Paris"
        let spans = TokenSpans(tokenizer.encode(text), of: text, tokenizer: tokenizer)
        #expect(try spans.tokens(of: "US") == 1..<3)
        #expect(try spans.tokens(of: "us") == 8..<10)
        #expect(try spans.tokens(of: "Paris") == 12..<17)
    }
}

/// One token for each byte; 256 begins a sequence.
private struct ByteTokens: Tokenizer {
    var begins = false
    var lowers = false

    let vocabularySize = 257
    var specialTokens: SpecialTokens { SpecialTokens(beginningOfSequence: begins ? 256 : nil) }
    var addsBeginningOfSequence: Bool { begins }

    func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        let bytes = lowers ? Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8) : bytes
        return (begins && addSpecialTokens ? [256] : []) + bytes.map { Int32($0) }
    }
    func appendBytes(of id: Int32, to output: inout [UInt8]) {
        if let byte = UInt8(exactly: id) { output.append(byte) }
    }
    func piece(of id: Int32) -> String { "\(id)" }
    func id(of piece: String) -> Int32? { Int32(piece) }
    func isSpecial(_ id: Int32) -> Bool { id == 256 }
}
