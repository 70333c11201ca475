import CorvidText
import TestSupport
import Testing

@Suite struct TokenizerDecodingTests {
    @Test(
        "ids decode to the text that Hugging Face tokenizers gives", arguments: TokenizerGoldenTests.families)
    func decoding(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        let rows = try #require(try TokenizerFixtures.golden(family)["decoded"]?.array)
        #expect(rows.count == 24)
        var count = 0
        for row in rows {
            let ids = try TokenizerFixtures.ids(row["ids"])
            // Of bytes one of which is no UTF-8 the reference shows none; here the others stay.
            let isDamaged = row["text"]?.string?.unicodeScalars.contains("\u{FFFD}") ?? true
            if isDamaged && TokenizerGoldenTests.byteFallback.contains(family) { continue }
            count += 1
            #expect(tokenizer.decode(ids) == row["text"]?.string, "\(family): \(ids)")
            #expect(
                tokenizer.decode(ids, skipSpecialTokens: true) == row["withoutSpecial"]?.string,
                "\(family): \(ids)")
        }
        #expect(count > 5)
    }

    @Test("any bytes come back from their ids, valid UTF-8 or not", arguments: ["gpt2", "llama3", "smollm2"])
    func roundTripOfBytes(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        #expect(tokenizer.coversAllBytes)
        let seed: UInt64 = 11
        var random = SeededGenerator(seed: seed)
        for round in 0..<500 {
            var bytes = (0..<random.index(below: 60)).map { _ in UInt8(random.index(below: 256)) }
            if round % 3 == 0 { bytes += Array("漢字 é😀".utf8).prefix(random.index(below: 14)) }
            let ids = tokenizer.encode(bytes: bytes, addSpecialTokens: false, parseSpecial: round % 2 == 0)
            #expect(tokenizer.decodeBytes(ids) == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test("bytes that are no valid UTF-8 are cut where U+FFFD would be") func invalidBytes() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let broken: [UInt8] = Array("the ".utf8) + [0xFF, 0xC3] + Array(" boats".utf8)
        let ids = tokenizer.encode(bytes: broken, addSpecialTokens: false, parseSpecial: true)
        let whole = tokenizer.encode("the", addSpecialTokens: false)
        let rest = tokenizer.encode(" boats", addSpecialTokens: false)
        #expect(ids.starts(with: whole))
        #expect(ids.suffix(rest.count) == ArraySlice(rest))
        #expect(tokenizer.decode(ids) == "the \u{FFFD}\u{FFFD} boats")
    }

    @Test(
        "text that streams token by token is the text decoded at once",
        arguments: TokenizerGoldenTests.families)
    func streaming(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        let seed: UInt64 = 5
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var ids = (0..<random.index(below: 40)).map { _ in
                Int32(random.index(below: tokenizer.vocabularySize + 3))
            }
            if round % 2 == 0 {
                ids += tokenizer.encode("😀 漢 é\u{1F469}\u{200D}\u{1F467}").dropLast(random.index(below: 3))
            }
            for skips in [false, true] {
                var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: skips)
                var text = ""
                for id in ids { text += decoder.append(id) }
                text += decoder.finish()
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                #expect(
                    text.unicodeScalars.elementsEqual(whole.unicodeScalars), "seed \(seed), round \(round)")
            }
        }
    }

    @Test("a code point that is cut between tokens is kept back until it is whole") func incomplete() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let ids = try "\u{10FFFF}".utf8.map { byte in
            try #require(tokenizer.encode(bytes: [byte], addSpecialTokens: false, parseSpecial: false).first)
        }
        var decoder = StreamingDecoder(tokenizer)
        #expect(ids.dropLast().map { decoder.append($0) } == ["", "", ""])
        #expect(decoder.hasPending)
        #expect(decoder.append(ids[3]) == "\u{10FFFF}")
        #expect(!decoder.hasPending && decoder.finish() == "")

        #expect(decoder.append(ids[0]) == "")
        #expect(decoder.finish() == "\u{FFFD}")
    }

    @Test("pieces, ids and bytes agree with each other", arguments: TokenizerGoldenTests.families)
    func pieces(_ family: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(family)
        var known = 0
        for id in 0..<Int32(tokenizer.vocabularySize) where !tokenizer.piece(of: id).isEmpty {
            known += 1
            #expect(tokenizer.id(of: tokenizer.piece(of: id)) == id)
            #expect(!tokenizer.bytes(of: id).isEmpty)
        }
        #expect(known > 100)
        for id in [-1, Int32(tokenizer.vocabularySize), .max, .min] {
            #expect(
                tokenizer.piece(of: id) == "" && tokenizer.bytes(of: id) == [] && !tokenizer.isSpecial(id))
        }
        #expect(tokenizer.id(of: "no such piece") == nil)
    }

    @Test("a million equal letters, blanks or digits come back, which a quadratic search would not allow")
    func longParts() throws {
        for family in ["gpt2", "llama3", "neox"] {
            let tokenizer = try TokenizerFixtures.tokenizer(family)
            for letter in ["a", " ", "\n", "7", "="] {
                let text = String(repeating: letter, count: 1_000_000)
                let ids = tokenizer.encode(text, addSpecialTokens: false)
                #expect(tokenizer.decodeBytes(ids).count == 1_000_000, "\(family) \(letter.debugDescription)")
            }
        }
    }

    @Test("added tokens of blanks that take blanks along stay fast in a million blanks") func manyBlanks()
        throws
    {
        let vocabulary: JSON = ["\u{120}": 0, "a": 1]
        for option in ["lstrip", "rstrip"] {
            let file: JSON = [
                "added_tokens": [["id": 2, "content": " ", option: true]],
                "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
                "decoder": ["type": "ByteLevel"],
                "model": ["type": "BPE", "vocab": vocabulary, "merges": []],
            ]
            let tokenizer = try PipelineTokenizer(tokenizerJSON: file.encodedBytes())
            let ids = tokenizer.encode("a" + String(repeating: " ", count: 1_000_000) + "a")
            #expect(ids.first == 1 && ids.last == 1 && ids.contains(2))
        }
    }

    @Test("GGUF pieces that are empty or unused stand for no text") func silentPieces() throws {
        let tokenizer = try PipelineTokenizer(
            ggufModel: "gpt2", pre: nil, tokens: ["a", "", "", "[PAD3]", "<x>"], tokenTypes: [1, 1, 1, 5, 3],
            merges: [])
        #expect(tokenizer.decode([0, 1, 2, 3, 4, 0]) == "a<x>a")
        #expect(tokenizer.decode([0, 4], skipSpecialTokens: true) == "a")
        #expect(tokenizer.vocabularySize == 5 && tokenizer.piece(of: 3) == "[PAD3]")
    }

    @Test("long parts are merged exactly as short ones are") func longAndShort() throws {
        // A part of more than 64 bytes takes another way through the merges than a shorter one.
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let seed: UInt64 = 3
        var random = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let letters = (0..<120).map { _ in Array("aehnrst".utf8)[random.index(below: 7)] }
            let ids = tokenizer.encode(bytes: letters, addSpecialTokens: false, parseSpecial: false)
            #expect(ids == Self.mergedPlainly(letters, tokenizer), "seed \(seed), round \(round)")
        }
    }

    /// Byte-pair encoding by its definition: in each round the first of the merges that applies, everywhere.
    private static func mergedPlainly(_ letters: [UInt8], _ tokenizer: PipelineTokenizer) -> [Int32] {
        var pieces = letters.map { String(UnicodeScalar($0)) }
        let merges = (try? Fixtures.bytes("Tokenizers/gpt2/merges.txt")) ?? []
        let pairs = String(decoding: merges, as: UTF8.self).split(separator: "\n").dropFirst()
            .map { $0.split(separator: " ").map(String.init) }
        while let pair = pairs.first(where: { pair in
            zip(pieces, pieces.dropFirst()).contains { $0 == pair[0] && $1 == pair[1] }
        }) {
            var next: [String] = []
            for piece in pieces {
                if piece == pair[1], next.last == pair[0], !next.isEmpty {
                    next[next.count - 1] = pair[0] + pair[1]
                } else {
                    next.append(piece)
                }
            }
            pieces = next
        }
        return pieces.compactMap { tokenizer.id(of: $0) }
    }
}
