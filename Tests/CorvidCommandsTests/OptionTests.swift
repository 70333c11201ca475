import CorvidModels
import Testing

@testable import CorvidCommands

@Suite struct OptionTests {
    private func generate(_ options: String...) throws -> GenerateCommand {
        try #require(try Corvid.parseAsRoot(["generate", "--prompt", "a"] + options) as? GenerateCommand)
    }

    @Test("without options the library's settings stand") func defaults() throws {
        let command = try generate()
        #expect(command.sampling.settings(seed: 3).topK == SamplingSettings().topK)
        var expected = SamplingSettings()
        expected.seed = 3
        #expect(command.sampling.settings(seed: 3) == expected)
        #expect(command.model.run.loading == LoadOptions())
    }

    @Test("every sampling option reaches its setting") func sampling() throws {
        let command = try generate(
            "--temperature", "0.5", "--top-k", "3", "--top-p", "0.25", "--min-p", "0.125",
            "--repetition-penalty", "2",
            "--frequency-penalty=-1", "--presence-penalty", "1.5", "--logit-bias", "7=-5", "--logit-bias",
            "8=2.5")
        var expected = SamplingSettings()
        expected.temperature = 0.5
        expected.topK = 3
        expected.topP = 0.25
        expected.minP = 0.125
        expected.repetitionPenalty = 2
        expected.frequencyPenalty = -1
        expected.presencePenalty = 1.5
        expected.logitBias = [7: -5, 8: 2.5]
        #expect(command.sampling.settings(seed: 0) == expected)
    }

    @Test("--greedy is temperature 0") func greedy() throws {
        #expect(try generate("--greedy").sampling.settings(seed: 0).isGreedy)
    }

    @Test("every run option reaches the loader") func loading() throws {
        let command = try generate(
            "--threads", "3", "--dtype", "f32", "--context", "99", "--kv-dtype", "f16", "--seed", "5")
        let expected = LoadOptions(threads: 3, computeType: .f32, contextLength: 99, cacheType: .f16)
        #expect(command.model.run.loading == expected)
        #expect(command.model.run.chosenSeed() == 5)
    }

    @Test(
        "token ids are read with commas and blanks",
        arguments: [("1", [1]), ("1,2,3", [1, 2, 3]), (" 1, 2 ", [1, 2]), ("2147483647", [2_147_483_647])])
    func identifiers(text: String, expected: [Int32]) {
        #expect(TokenIdentifiers(argument: text)?.ids == expected)
    }

    @Test(
        "what is no list of token ids is refused",
        arguments: ["", ",", "a", "1,b", "-1", "2147483648", "1.5"])
    func notIdentifiers(text: String) {
        #expect(TokenIdentifiers(argument: text) == nil)
    }

    @Test("a bias is id=number", arguments: ["", "1", "=1", "1=", "a=1", "-1=1", "1=nan", "1=inf", "1=2=3"])
    func notBias(text: String) {
        #expect(TokenBias(argument: text) == nil)
    }
}
