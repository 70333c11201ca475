import CorvidEditing
import CorvidText
import TestSupport
import Testing

@Suite struct InContextPromptTests {
    private static let pairs = [
        InContextPair(input: "a→b", output: "b"), InContextPair(input: "→", output: "→c"),
        InContextPair(input: "cold", output: "big"),
    ]

    private static func builder(
        _ template: InContextTemplate = .init(), tokenisation: InContextPromptBuilder.Tokenisation = .whole,
        sink: InContextPromptBuilder.Sink = .automatic, context: Int = 1_000
    ) throws -> InContextPromptBuilder {
        try InContextPromptBuilder(
            goldenTokenizer("gpt2"), template: template, tokenisation: tokenisation, sink: sink,
            contextLength: context)
    }

    @Test(
        "arrows come from building the prompt, whatever inputs and outputs contain",
        arguments: InContextPromptBuilder.Tokenisation.allCases)
    func arrows(tokenisation: InContextPromptBuilder.Tokenisation) throws {
        let builder = try Self.builder(tokenisation: tokenisation)
        let prompt = try builder.prompt(Self.pairs, query: "x→y")
        #expect(prompt.arrows.count == Self.pairs.count + 1)
        #expect(prompt.demonstrations == 3)
        for arrow in prompt.arrows {
            #expect(builder.tokenizer.decode(prompt.tokens[arrow]) == "→")
        }
        #expect(prompt.arrows.last?.upperBound == prompt.tokens.count)
        // Before each arrow stands the whole input.
        let before = prompt.arrows.map { builder.tokenizer.decode(prompt.tokens[1..<$0.lowerBound]) }
        #expect(before[0] == "a→b")
        #expect(before[1].hasSuffix("→b\n\n→"))
        #expect(before[2].hasSuffix("→→c\n\ncold"))
        #expect(before[3].hasSuffix("→big\n\nx→y"))
    }

    @Test("an arrow of several tokens has them all") func severalTokens() throws {
        // The small vocabulary knows no arrow: it is three bytes.
        let prompt = try Self.builder().prompt(Self.pairs, query: "q")
        #expect(prompt.arrows.allSatisfy { $0.count == 3 })
        let words = try Self.builder(InContextTemplate(beforeInput: "Q: ", arrow: "\nA: ", separator: "\n\n"))
        let long = try words.prompt(Self.pairs, query: "q")
        #expect(words.tokenizer.decode(long.tokens[1...]).hasPrefix("Q: a→b\nA: b\n\nQ: "))
        for arrow in long.arrows {
            #expect(words.tokenizer.decode(long.tokens[arrow]).contains("\nA:"))
        }
    }

    @Test("pieces give the tokens of growing texts, cut by length") func pieces() throws {
        // A line break and four blanks are one token at the end of a text; before a word they are a token of three
        // blanks and the word with the fourth. Growing texts so keep one blank more.
        let template = InContextTemplate(arrow: ">", separator: "\n    ")
        let pair = InContextPair(input: "cold", output: "big")
        let whole = try Self.builder(template)
        let text = "cold>big\n    cold>"
        #expect(whole.tokenizer.decode(try whole.prompt([pair], query: "cold").tokens[1...]) == text)
        let pieces = try Self.builder(template, tokenisation: .pieces).prompt([pair], query: "cold")
        #expect(whole.tokenizer.decode(pieces.tokens[1...]) == "cold>big\n     cold>")
        #expect(pieces.arrows.count == 2)
    }

    @Test("a token stands before the text, or there is a warning") func sink() throws {
        let builder = try Self.builder()
        #expect(builder.sink == builder.tokenizer.id(of: "<|endoftext|>"))
        #expect(builder.sink != nil && builder.warnings.isEmpty)
        let prompt = try builder.prompt([], query: "cold")
        #expect(prompt.tokens.first == builder.sink)
        let bare = try Self.builder(sink: .none)
        #expect(bare.warnings == [.noSink])
        #expect(try bare.prompt([], query: "cold").tokens == Array(prompt.tokens.dropFirst()))
        #expect(throws: InContextError.sink("<nowhere>")) { try Self.builder(sink: .token("<nowhere>")) }
    }

    @Test("text that spells a special token stays text") func special() throws {
        let builder = try Self.builder()
        let prompt = try builder.prompt([], query: "<|endoftext|>")
        #expect(prompt.tokens.count { $0 == builder.sink } == 1)
    }

    @Test("demonstrations that do not fit are left out from the end") func overflow() throws {
        let all = try Self.builder().prompt(Self.pairs, query: "q")
        for context in 1..<all.tokens.count {
            let builder = try Self.builder(context: context)
            let query = try Self.builder().prompt([], query: "q").tokens.count
            guard context >= query else {
                #expect(throws: InContextError.context(tokens: query, contextLength: context)) {
                    try builder.prompt(Self.pairs, query: "q")
                }
                continue
            }
            let prompt = try builder.prompt(Self.pairs, query: "q")
            #expect(prompt.tokens.count <= context)
            let kept = Array(Self.pairs.prefix(prompt.demonstrations))
            #expect(prompt == (try Self.builder().prompt(kept, query: "q")))
        }
        let together = try Self.builder(context: all.tokens.count).prompts(
            Self.pairs, queries: ["q", "a longer query"])
        #expect(together.map(\.demonstrations) == [2, 2])
    }

    @Test("an answer is known by its first token behind the query") func answers() throws {
        let builder = try Self.builder()
        let token = try builder.answerToken(query: "cold", answer: "big")
        let ids = builder.tokenizer.encode("cold→big", addSpecialTokens: false)
        let asked = builder.tokenizer.encode("cold→", addSpecialTokens: false)
        #expect(token == ids[asked.count])
        #expect(throws: InContextError.emptyAnswer(query: "cold")) {
            try builder.answerToken(query: "cold", answer: "")
        }
        #expect(throws: InContextError.emptyTemplate) { try Self.builder(InContextTemplate(arrow: "")) }
    }
}
