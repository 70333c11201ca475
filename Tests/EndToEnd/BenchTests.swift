import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Measuring, as programs read it.
    @Suite struct BenchTests {
        let program: Program
        init() throws { program = try Program() }

        private func object(_ arguments: [String]) async throws -> [String: Any] {
            let outcome = try await program.run(["bench"] + arguments + ["--json"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try outcome.object()
        }

        private func expectRates(_ value: Any?, count: Int, _ name: String) {
            let rates = value as? [Double]
            #expect(rates?.count == count && rates?.allSatisfy { $0 > 0 } == true, "\(name)")
        }

        @Test("a file has a rate for each repetition, and shares of the machine") func file() async throws {
            let object = try await object([
                Models.tiny, "--prompt-tokens", "16", "--generate-tokens", "8", "--repeat", "2",
            ])
            for key in [
                "prefill_tokens_per_second", "prefill_operations_per_second", "decode_tokens_per_second",
                "decode_bytes_per_second",
            ] {
                expectRates(object[key], count: 2, key)
            }
            for key in ["load_seconds", "bandwidth_fraction", "peak_fraction", "peak_memory_bytes"] {
                let value = try #require(object[key] as? Double, "\(key)")
                #expect(value > 0)
            }
            #expect(object["random_weights"] as? Bool == false && object["profile"] is NSNull)
        }

        @Test("a shape is measured without a file: batches, threads and a profile")
        func shape() async throws {
            let object = try await object([
                "--shape", "pythia-70m", "--layers", "1", "--dtype", "Q8_0", "--prompt-tokens", "8",
                "--generate-tokens", "2", "--repeat", "1", "--threads", "1,2", "--batch", "1,3", "--profile",
            ])
            #expect(object["model"] as? String == "pythia-70m" && object["layers"] as? Int == 1)
            #expect(object["type"] as? String == "Q8_0")
            #expect(object["random_weights"] as? Bool == true && object["arithmetic"] as? String == "int8")
            #expect(object["threads"] as? Int == 2)
            let scaling = try #require(object["scaling"] as? [[String: Any]])
            #expect(scaling.map { $0["threads"] as? Int } == [1, 2])
            for figure in scaling {
                expectRates(figure["prefill_tokens_per_second"], count: 1, "prefill")
                let batches = try #require(figure["batch"] as? [[String: Any]])
                #expect(batches.map { $0["sequences"] as? Int } == [1, 3])
                for batch in batches { expectRates(batch["decode_tokens_per_second"], count: 1, "batch") }
            }
            let profile = try #require(object["profile"] as? [String: [String: Any]])
            for (name, tokens) in [("prefill", 8), ("decode", 2)] {
                let phase = try #require(profile[name])
                #expect(phase["tokens"] as? Int == tokens)
                let parts = try #require(phase["parts"] as? [[String: Any]])
                var seconds: [String: Double] = [:]
                for part in parts {
                    seconds[try #require(part["part"] as? String)] = part["seconds"] as? Double
                }
                for part in [
                    "norms", "rounding", "query_key_value", "rotary", "cache", "attention",
                    "attention_output",
                    "mlp_up", "mlp_down", "head", "other",
                ] {
                    #expect((seconds[part] ?? 0) > 0, "\(part)")
                }
                #expect((seconds["sampling"] ?? 0 > 0) == (name == "decode"))
                // What is outside is the rest.
                let whole = try #require(phase["seconds"] as? Double)
                #expect(abs(seconds.values.reduce(0, +) - whole) < 1e-9 + 1e-9 * whole)
            }
        }

        @Test("GPT-2 runs in blocks, too, and --layers and --context hold") func gpt2() async throws {
            let object = try await object([
                "--shape", "distilgpt2", "--layers", "2", "--dtype", "q4_K", "--context", "40",
                "--prompt-tokens", "30", "--generate-tokens", "4", "--repeat", "1", "--prefill-chunk", "7",
            ])
            #expect(object["layers"] as? Int == 2 && object["type"] as? String == "Q4_K")
            expectFailure(
                try await program.run([
                    "bench", "--shape", "distilgpt2", "--layers", "2", "--context", "40", "--prompt-tokens",
                    "41",
                ]), naming: "40")
        }

        @Test("weights that do not fit in memory are refused with need and have") func memory() async throws {
            // The limit stands for a small machine.
            let outcome = try await program.run(
                script: "ulimit -v 20000000; exec '\(Program.path)' bench --shape opt-66b --dtype f32",
                input: "",
                environment: [:])
            expectFailure(outcome, naming: "opt-66b needs 26", "GB for its weights", "are free", "--layers")
        }

        @Test("an unknown shape, type or instruction set names those that exist") func unknown() async throws
        {
            expectFailure(
                try await program.run(["bench", "--shape", "gpt-5"]), status: 64, naming: "gpt-5", "gpt-j-6b",
                "llama-7b", "codegen-16b")
            expectFailure(
                try await program.run(["bench", "--shape", "gpt2", "--dtype", "q9"]), status: 64,
                naming: "q9",
                "q4_0", "q6_k", "int8", "bf16")
            let environment = ["CORVID_ISA": "sse9"]
            expectFailure(
                try await program.run(["bench", "--shape", "gpt2"], environment: environment), status: 64,
                naming: "sse9", "portable", "avx2", "avx512")
        }

        @Test(
            "options that do not go together are refused",
            arguments: [
                (["model", "--shape", "gpt2"], "two models"), (["--layers", "2"], "--shape"),
                (["--shape", "gpt2", "--layers", "0"], "--layers is 0"),
                (["--shape", "gpt2", "--layers", "5000"], "gpt2 has 12"), (["--threads", "1,,2"], "1,2,4"),
                (["--threads", "0"], "1 to 1024"), (["--batch", "a"], "1 to 1024"),
                (["--batch", "2", "--generate-tokens", "0"], "--generate-tokens"),
            ])
        func together(arguments: [String], word: String) async throws {
            expectFailure(try await program.run(["bench"] + arguments), status: 64, naming: word, "--help")
        }

        @Test("the table for people has a line for each kind of work") func table() async throws {
            let outcome = try await program.run([
                "bench", "--shape", "pythia-70m", "--layers", "1", "--dtype", "f32", "--prompt-tokens", "8",
                "--generate-tokens", "2", "--repeat", "1", "--batch", "2", "--profile",
            ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            for word in [
                "pythia-70m  F32, 1 layer", "prefill 8", "decode 2 x 2", "Gop/s", "GB/s", "mlp up",
                "attention",
                "read bandwidth", "prefill profile", "decode profile", "threads idle",
            ] {
                #expect(outcome.output.contains(word), "\(word)\n\(outcome.output)")
            }
        }
    }
}
