import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The model that comes with the set-up, where it has been fetched.
    @Suite(.enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
    struct DefaultModelTests {
        let program: Program
        let environment: [String: String]
        init() throws {
            program = try Program()
            environment = ["CORVID_HOME": Models.storeWithDefault ?? ""]
        }

        @Test("it knows the capital of France") func capital() async throws {
            let outcome = try await program.run(
                ["generate", "--prompt", "The capital of France is", "--greedy", "--max-tokens", "2"],
                environment: environment)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == " Paris.\n")
        }

        @Test("it answers in its own dialogue format, and says so by ending its turn") func chat()
            async throws
        {
            let outcome = try await program.run(
                ["chat", "--greedy", "--max-tokens", "40", "--quiet"], input: "Say hello.\n",
                environment: environment)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors == "")
            #expect(outcome.output.contains("ello") && !outcome.output.contains("<|im_"))
        }

        @Test("a stop string ends the text before it") func stop() async throws {
            let outcome = try await program.run(
                ["generate", "--prompt", "One, two, three,", "--greedy", "--stop", "six", "--json"],
                environment: environment)
            let object = try outcome.object()
            #expect(object["stop_reason"] as? String == "stop")
            #expect(object["text"] as? String == " four, five, ")
        }

        @Test("Ctrl-C ends a long text with 130; what there is of it stands") func interrupted() async throws
        {
            let outcome = try await program.run(
                ["generate", "--prompt", "Once upon a time", "--seed", "1", "--max-tokens", "5000"],
                environment: environment, signal: SIGINT, after: " ")
            #expect(outcome.status == 130)
            #expect(!outcome.output.isEmpty)
        }

        @Test("SIGTERM with --json gives one object that says cancelled") func cancelledObject() async throws
        {
            // A prompt of some thousand tokens is still being read when the signal comes.
            let prompt = String(repeating: "All work and no play makes Jack a dull boy. ", count: 700)
            let outcome = try await program.run(
                ["generate", "--prompt", "-", "--max-tokens", "500", "--json", "--seed", "1"], input: prompt,
                environment: environment, signal: SIGTERM, delay: .seconds(2))
            #expect(outcome.status == 130)
            #expect(try outcome.object()["stop_reason"] as? String == "cancelled")
        }
    }
}
