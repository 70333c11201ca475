import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Heads that are chosen, masked and taken out.
    @Suite struct PruneTests {
        let program: Program
        let folder: TemporaryFolder
        private let model = Fixtures.path("Models/gptj")

        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
            let texts = ["I am a baker.", "I am a miller.", "We like bakers.", "We like millers."]
            let list = texts.map { "\"\($0)\"" }.joined(separator: ", ")
            try folder.write(
                "{\"trade\": {\"prompts\": [\(list)], \"buckets\": [\"bake\", \"mill\", \"bake\", \"mill\"]}}",
                to: "prompts.json")
            try folder.write("a\t0.5\ni\t0.2\n", to: "words.tsv")
            try folder.write(
                String(repeating: "the cat sat on a mat and saw us\n", count: 8), to: "text.txt")
        }

        private func prune(_ arguments: String...) async throws -> Program.Outcome {
            try await program.run(["prune", "heads", model] + arguments)
        }

        private func perplexity(_ arguments: String...) async throws -> Double {
            let outcome = try await program.run(
                ["perplexity"] + arguments
                    + ["--file", folder.path(of: "text.txt"), "--context", "32", "--dtype", "f32", "--json"])
            return try #require(try outcome.object()["perplexity"] as? Double, "\(outcome.errors)")
        }

        @Test("FASP's heads go into a patch and out of a written model, which both say the same")
        func fasp() async throws {
            let arguments = [
                "prune", "heads", model, "--prompts", folder.path(of: "prompts.json"), "--axis", "trade",
                "--scorer", folder.path(of: "words.tsv"), "--text", folder.path(of: "text.txt"), "--seed",
                "1",
                "--ratio", "0.25", "--protect", "0.25", "--scores", folder.path(of: "scores.json"),
                "--output", folder.path(of: "fair.patch"), "--plot", folder.path(of: "heads.svg"), "--json",
            ]
            let first = try await program.run(arguments + ["--export", folder.path(of: "fair")])
            #expect(first.status == 0, "\(first.errors)")
            let object = try first.object()
            let heads = try #require(object["heads"] as? [[String: Int]])
            #expect(!heads.isEmpty && object["total_heads"] as? Int == 4)
            let export = try #require(object["export"] as? [String: Any])
            let (before, after) = (export["parameters_before"] as? Int, export["parameters_after"] as? Int)
            #expect(try #require(before) - (try #require(after)) == heads.count * 4 * 10 * 20)
            let patched = try await perplexity(model, "--with", folder.path(of: "fair.patch"))
            let written = try await perplexity(folder.path(of: "fair"))
            #expect(abs(patched / written - 1) < 1e-5)
            #expect(try await perplexity(model) != patched)
            let svg = try String(contentsOfFile: folder.path(of: "heads.svg"), encoding: .utf8)
            #expect(svg.contains("<svg"))
            // From the scores that were kept the same heads are chosen.
            let again = try await program.run(arguments)
            #expect(try again.object()["heads"] as? [[String: Int]] == heads)
        }

        @Test("what is missing or out of range is named before any work") func usage() async throws {
            let cases: [(arguments: [String], words: String)] = [
                (["--output", "x"], "--prompts"), (["--method", "magnitude"], "--output"),
                (["--method", "perplexity", "--output", "x"], "--text"),
                (["--method", "random", "--ratio", "2", "--output", "x"], "--ratio"),
                (["--method", "random", "--window", "few", "--output", "x"], "--window"),
                (["--prompts", "p", "--axis", "a", "--text", "t", "--output", "x"], "--scorer"),
            ]
            for (arguments, words) in cases {
                let outcome = try await program.run(["prune", "heads", model] + arguments)
                #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
                #expect(outcome.errors.contains(words), "\(outcome.errors)")
            }
            let missing = try await prune(
                "--prompts", folder.path(of: "prompts.json"), "--axis", "faith", "--scorer",
                folder.path(of: "words.tsv"), "--method", "bias", "--output", folder.path(of: "x.patch"))
            #expect(missing.status == 1 && missing.errors.contains("'faith'"))
        }
    }
}
