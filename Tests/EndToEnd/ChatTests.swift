import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A talk off the terminal: one line, one turn.
    @Suite struct ChatTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private let options = ["--greedy", "--max-tokens", "4"]

        @Test("each line gets an answer, and commands speak on standard error") func turns() async throws {
            let outcome = try await program.run(
                ["chat", Models.gptj, "--quiet"] + options, input: "a\n\n/params\n/help\nb\n")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("temperature") && outcome.errors.contains("/reset"))
            #expect(!outcome.output.contains("temperature"))
            let one = try await program.run(["chat", Models.gptj, "--quiet"] + options, input: "a\n")
            #expect(outcome.output.hasPrefix(one.output) && outcome.output != one.output)
        }

        @Test("a model without a chat template says how turns are written") func noTemplate() async throws {
            let outcome = try await program.run(["chat", Models.gptj] + options, input: "a\n")
            #expect(outcome.errors.components(separatedBy: "has no chat template").count == 2)
        }

        @Test("a full context is said, and the talk goes on") func fullContext() async throws {
            let input = String(repeating: "the old man and the sea\n", count: 6)
            let outcome = try await program.run(["chat", Models.gptj] + options, input: input)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("the context is full: the oldest"))
        }

        @Test("a turn that cannot fit ends the talk with 1") func longTurn() async throws {
            let input = String(repeating: "word ", count: 400) + "\n"
            let outcome = try await program.run(["chat", Models.gptj, "--quiet"] + options, input: input)
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.errors.contains("context of 64"))
        }

        @Test("a saved talk has its turns and can be gone on with") func save() async throws {
            let path = folder.path(of: "talk.json")
            let saved = try await program.run(
                ["chat", Models.gptj, "--system", "Be kind."] + options,
                input: "hello\n/save \(path)\n/quit\nnot read\n")
            #expect(saved.status == 0)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("Be kind.") && text.contains("hello") && !text.contains("not read"))
            let loaded = try await program.run(
                ["chat", Models.gptj] + options, input: "/load \(path)\n/system\n")
            #expect(loaded.errors.contains("after 2 messages") && loaded.errors.contains("Be kind."))
        }

        @Test("nothing is written to the store off a terminal") func noHistory() async throws {
            _ = try await program.run(
                ["chat", Models.gptj] + options, input: "a\n", environment: ["CORVID_HOME": folder.path])
            #expect(try folder.names() == [])
        }

        @Test("a signal while a talk waits for a line ends it with 130", arguments: [SIGINT, SIGTERM])
        func interrupted(signal: Int32) async throws {
            let outcome = try await program.run(
                ["chat", Models.gptj], signal: signal, after: "has no chat template", keepsInputOpen: true)
            #expect(outcome.status == 130)
            #expect(outcome.output == "")
        }
    }
}
