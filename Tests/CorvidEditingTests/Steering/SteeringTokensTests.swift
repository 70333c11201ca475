import CorvidEditing
import CorvidModels
import CorvidText
import TestSupport
import Testing

@Suite struct SteeringTokensTests {
    private let tokens: SteeringTokens
    private let tokenizer: any Tokenizer

    init() throws {
        tokenizer = try TinyModel("gptj").model.tokenizer
        tokens = try SteeringTokens(tokenizer)
    }

    @Test("the token of the beginning stands before a text once") func beginning() {
        #expect(tokens.ids("ab").first == tokens.beginning)
        #expect(tokens.ids("ab").filter { $0 == tokens.beginning }.count == 1)
        let spelled = tokenizer.decode([tokens.beginning]) + "ab"
        #expect(tokens.ids(spelled) == tokens.ids("ab"))
    }

    @Test("the shorter prompt of a pair is filled with blanks at its end") func filling() throws {
        let pair = try tokens.pair("a b c d", "a")
        #expect(pair.positive.count == pair.negative.count)
        let blank = try #require(tokens.blank)
        #expect(tokenizer.bytes(of: blank) == [32])
        #expect(pair.negative.last == blank)
        #expect(Array(pair.negative.prefix(tokens.ids("a").count)) == tokens.ids("a"))
    }

    @Test("room for a vector is made behind the token of the beginning") func room() throws {
        let ids = tokens.ids("ab")
        let wide = try tokens.makingRoom(in: ids, rows: 3)
        #expect(wide.count == ids.count + 2)
        #expect(wide.first == tokens.beginning)
        #expect(Array(wide.suffix(ids.count - 1)) == Array(ids.dropFirst()))
    }
}
