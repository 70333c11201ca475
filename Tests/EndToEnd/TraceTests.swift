import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Where an answer comes from.
    @Suite struct TraceTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private let prompt = ["--prompt", "the sand in one", "--subject", "sand", "--samples", "2"]

        @Test("a trace has an effect for each token and layer, and both ways agree") func fact() async throws
        {
            let drawing = folder.path(of: "effects.svg")
            let fast = try await program.run(
                ["trace", Models.tiny] + prompt + ["--plot", drawing, "--json"])
            #expect(fast.status == 0, "\(fast.errors)")
            let object = try fast.object()
            let tokens = try #require(object["tokens"] as? [String])
            let effects = try #require(object["indirect_effects"] as? [[Double]])
            #expect(effects.count == tokens.count && Set(effects.map(\.count)).count == 1)
            #expect(try String(contentsOfFile: drawing, encoding: .utf8).contains("<svg"))
            let naive = try await program.run(["trace", Models.tiny] + prompt + ["--naive", "--json"])
            #expect(naive.output == fast.output)
            let lines = try await program.run(["trace", "fact", Models.tiny] + prompt)
            #expect(lines.status == 0 && lines.output.contains("total effect"))
        }

        @Test("a lens has a reading for each layer") func lens() async throws {
            let outcome = try await program.run([
                "trace", "lens", Models.tiny, "--prompt", "the sand", "--positions", "all", "--json",
            ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            let stages = try #require(object["stages"] as? [[String: Any]])
            let tokens = try #require(object["tokens"] as? [String])
            for stage in stages { #expect((stage["readings"] as? [Any])?.count == tokens.count) }
        }

        @Test(
            "a subject that is missing, or there twice, and wrong options are refused with their reason",
            arguments: [
                (["--prompt", "a b", "--subject", "c"], 1, "does not occur"),
                (["--prompt", "a a", "--subject", "a"], 1, "more than once"),
                (["--prompt", "a"], 64, "--subject is missing"),
                (["--prompt", "a", "--subject", "a", "--noise", "x"], 64, "--noise"),
                (["--prompt", "a", "--subject", "a", "--kind", "mlp", "--severed", "mlp"], 1, "severed"),
            ] as [([String], Int32, String)])
        func refusals(arguments: [String], status: Int32, reason: String) async throws {
            let outcome = try await program.run(["trace", Models.tiny] + arguments)
            #expect(outcome.status == status)
            #expect(outcome.output == "" && outcome.errors.contains(reason))
        }

        @Test(
            "the default model loses its answer with the subject, and finds it again at the subject's tokens",
            .enabled(if: Models.storeWithDefault != nil))
        func defaultModel() async throws {
            let outcome = try await program.run(
                [
                    "trace", "--prompt", "Paris is the capital of", "--subject", "Paris", "--samples", "2",
                    "--json",
                ],
                environment: ["CORVID_HOME": try #require(Models.storeWithDefault)])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            let clean = try #require(object["clean_probability"] as? Double)
            let corrupted = try #require(object["corrupted_probability"] as? Double)
            #expect(corrupted < clean)
            let effects = try #require(object["indirect_effects"] as? [[Double]])
            let last = try #require(effects.last?.last)
            #expect(abs(last - (clean - corrupted)) < 1e-5)
        }
    }
}
