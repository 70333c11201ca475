import Testing

extension EndToEnd {
    @Suite struct UsageTests {
        let program: Program
        init() throws { program = try Program() }

        static let commands = [
            "chat", "generate", "embed", "classify", "tokenize", "logits", "perplexity", "inspect", "convert",
            "bench", "families", "tokenizer", "runs",
        ]

        @Test("without arguments the commands are listed") func noArguments() async throws {
            let outcome = try await program.run([])
            #expect(outcome.status == 0)
            for command in Self.commands { #expect(outcome.output.contains("  \(command) ")) }
            #expect(outcome.errors == "")
        }

        @Test("the version is a number with two dots") func version() async throws {
            let outcome = try await program.run(["--version"])
            #expect(outcome.status == 0)
            #expect(outcome.output.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
        }

        @Test("each command's help has an example which begins as one types it", arguments: commands)
        func help(command: String) async throws {
            let outcome = try await program.run([command, "--help"])
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("Example:"))
            #expect(outcome.output.contains("corvid \(command)"))
        }

        @Test("the help of bench says that no token is drawn") func benchHelp() async throws {
            let outcome = try await program.run(["bench", "--help"])
            let words = outcome.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("no token is drawn"))
        }

        @Test("the families are listed, and whether GGUF has them") func families() async throws {
            let outcome = try await program.run(["families"])
            #expect(outcome.status == 0)
            let lines = outcome.output.split(separator: "\n").map {
                $0.split(separator: " ").joined(separator: " ")
            }
            for beginning in [
                "gptj decoder gptj GPTJForCausalLM", "llama decoder llama LlamaForCausalLM",
                "opt decoder - OPT", "bert encoder ", "t5 encoder-decoder ",
            ] {
                #expect(lines.contains { $0.hasPrefix(beginning) }, "\(beginning)")
            }
        }

        @Test("an unknown option is named and refused with 64", arguments: commands)
        func unknownOption(command: String) async throws {
            let outcome = try await program.run([command, "--frobnicate"])
            expectFailure(outcome, status: 64, naming: "--frobnicate", "corvid \(command) --help")
        }

        @Test("an unknown command is refused with 64") func unknownCommand() async throws {
            expectFailure(try await program.run(["sing"]), status: 64, naming: "sing")
        }

        @Test(
            "a value outside its range is refused with 64",
            arguments: [
                ["generate", "--prompt", "a", "--top-p", "1.5"],
                ["generate", "--prompt", "a", "--temperature", "-1"],
                ["generate", "--prompt", "a", "--temperature", "nan"],
                ["generate", "--prompt", "a", "--top-k", "-1"],
                ["generate", "--prompt", "a", "--max-tokens", "-1"],
                ["generate", "--prompt", "a", "--samples", "0"],
                ["generate", "--prompt", "a", "--stop", ""], ["generate", "--prompt", "a", "--threads", "0"],
                ["generate", "--prompt", "a", "--context", "0"],
                ["generate", "--prompt", "a", "--dtype", "f8"], ["convert", "a", "b", "--dtype", "f8"],
                ["convert", "a", "b"], ["convert", "a", "--dtype", "f32"], ["convert", "--dtype", "f32"],
                ["generate", "--prompt", "a", "--kv-dtype", "bf16"],
                ["generate", "--prompt", "a", "--seed", "-1"],
                ["generate", "--prompt", "a", "--prefill-chunk", "0"],
                ["generate", "--prompt", "a", "--greedy", "--temperature", "1"],
                ["generate", "--prompt", "a", "--logit-bias", "x"], ["generate"],
                ["generate", "--prompt", "a", "--file", "b"], ["tokenize"], ["tokenize", "--decode", "1,x"],
                ["classify"], ["classify", "--text", "a", "--file", "b"],
                ["embed"], ["embed", "--text", "a", "--file", "b"], ["embed", "--text", "a", "--top", "0"],
                ["logits", "--ids", "1"], ["logits", "--output", "x"],
                ["logits", "--ids", "", "--output", "x"],
                ["perplexity"],
                ["perplexity", "--file", "x", "--stride", "513"], ["bench", "--repeat", "0"],
                ["bench", "--prompt-tokens", "0", "--generate-tokens", "0"], ["chat", "--max-tokens", "0"],
            ])
        func wrongValue(arguments: [String]) async throws {
            let outcome = try await program.run(arguments)
            expectFailure(outcome, status: 64, naming: "--help")
        }

        @Test("a wrong value of a command within a command is answered with both names") func nested()
            async throws
        {
            let outcome = try await program.run(
                [
                    "tokenizer", "train", "--vocabulary", "400", "--file", "a", "--output", "b",
                    "--end-token", "",
                ])
            expectFailure(outcome, status: 64, naming: "corvid tokenizer train --help")
        }
    }
}
