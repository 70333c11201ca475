import ArgumentParser
import Testing

@testable import CorvidCommands

@Suite struct EnvironmentOptionTests {
    private func completed(_ environment: [String: String], _ arguments: String...) throws -> [String] {
        try EnvironmentOptions(environment).completing(arguments)
    }

    @Test("a variable stands for the option of its name") func option() throws {
        let arguments = try completed(["CORVID_MAX_TOKENS": "7"], "generate", "model", "--prompt", "a")
        #expect(arguments == ["generate", "--max-tokens=7", "model", "--prompt", "a"])
        let command = try #require(try Corvid.parseAsRoot(arguments) as? GenerateCommand)
        #expect(command.maxTokens == 7)
    }

    @Test("the command line comes before the environment", arguments: [["--seed", "1"], ["--seed=1"]])
    func commandLineFirst(given: [String]) throws {
        let arguments = try EnvironmentOptions(["CORVID_SEED": "2"]).completing(["chat"] + given)
        #expect(arguments == ["chat"] + given)
    }

    @Test("an option behind -- is text, and the variable counts") func terminator() throws {
        #expect(
            try completed(["CORVID_SEED": "2"], "chat", "--", "--seed")
                == ["chat", "--seed=2", "--", "--seed"])
    }

    @Test("a flag is switched on and off") func flag() throws {
        #expect(try completed(["CORVID_JSON": "1"], "inspect") == ["inspect", "--json"])
        #expect(try completed(["CORVID_NO_CACHE": "true"], "chat") == ["chat", "--no-cache"])
        #expect(try completed(["CORVID_JSON": "0"], "inspect") == ["inspect"])
        #expect(throws: ValidationError.self) { try completed(["CORVID_JSON": "perhaps"], "inspect") }
    }

    @Test("variables that a command has no option for, empty ones and those of others change nothing")
    func others() throws {
        let environment = ["CORVID_HOME": "/c", "CORVID_TOP_K": "3", "CORVID_SEED": "", "SEED": "1"]
        #expect(try completed(environment, "inspect", "model") == ["inspect", "model"])
        #expect(try completed(environment) == [])
        #expect(try completed(environment, "--help") == ["--help"])
    }
}
