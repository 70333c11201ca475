import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `CORVID_ISA`: what is promised across instruction sets. The choice holds for a whole process, so each is
    /// a child.
    @Suite struct InstructionSetTests {
        let program: Program
        init() throws { program = try Program() }

        /// Logits of 41 tokens on one instruction set, or nil where this processor does not have it.
        private func logits(
            _ model: String, _ set: InstructionSet, _ options: [String]
        ) async throws -> [Float]? {
            guard InstructionSet.detected.rank >= set.rank else { return nil }
            let folder = try TemporaryFolder()
            let output = folder.path + "/logits.safetensors"
            let ids = (0..<41).map { String(($0 * 7 + 3) % 50) }.joined(separator: ",")
            let outcome = try await program.run(
                ["logits", Fixtures.path("Models/\(model)"), "--ids", ids, "--output", output] + options,
                environment: ["CORVID_ISA": set.rawValue])
            try #require(outcome.status == 0, "\(outcome.errors)")
            return try SafetensorsFile(path: output).tensor(named: "logits")?.floats()
        }

        @Test(
            "models have the same bits on every instruction set, unless they compute in bf16",
            arguments: [
                ("gguf-q4_0", []), ("gguf-q4_1", []), ("gguf-q8_0", []), ("gguf-k", []),
                ("gptj", ["--dtype", "f32"]), ("gpt2", ["--dtype", "f32"]), ("llama", ["--dtype", "f32"]),
                ("gguf-k", ["--dtype", "f32"]), ("gptj-f16", ["--dtype", "f16"]),
            ])
        func sameBits(model: String, options: [String]) async throws {
            let reference = try #require(try await logits(model, .portable, options))
            for set in [InstructionSet.avx2, .avx512] {
                guard let found = try await logits(model, set, options) else { continue }
                #expect(found.map(\.bitPattern) == reference.map(\.bitPattern), "\(set)")
            }
        }

        @Test("a bf16 model stays within a tenth of the range of its logits on the portable set")
        func bounded() async throws {
            let options = ["--dtype", "bf16"]
            let reference = try #require(try await logits("llama-bf16", .portable, options))
            let spread = Double((reference.max() ?? 0) - (reference.min() ?? 0))
            for set in [InstructionSet.avx2, .avx512] {
                guard let found = try await logits("llama-bf16", set, options) else { continue }
                let difference = zip(found, reference).map { abs(Double($0 - $1)) }.max() ?? .infinity
                #expect(difference <= 0.1 * spread, "\(set): \(difference / spread) of the range")
            }
        }

        @Test(
            "on each instruction set a model has the same bits on any number of threads and in any chunks",
            arguments: [
                ("gptj", "f32"), ("gpt2", "f32"), ("gpt2", "bf16"), ("llama-bf16", "bf16"),
                ("gptj-f16", "f16"),
                ("gguf-k", "f32"),
            ])
        func sameBitsInAnyDivision(model: String, type: String) async throws {
            for set in InstructionSet.allCases {
                let options = ["--dtype", type, "--threads"]
                guard let reference = try await logits(model, set, options + ["1"]) else { continue }
                for division in [["2", "--prefill-chunk", "7"], ["3", "--prefill-chunk", "1"]] {
                    let found = try await logits(model, set, options + division)
                    #expect(
                        found?.map(\.bitPattern) == reference.map(\.bitPattern), "\(set), \(division)")
                }
            }
        }

        @Test("an unknown instruction set is refused with the known ones") func unknown() async throws {
            let outcome = try await program.run(
                ["inspect", Fixtures.path("Models/gpt2")], environment: ["CORVID_ISA": "sse9"])
            #expect(outcome.status == 64)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("sse9") && outcome.errors.contains("portable, avx2, avx512"))
        }
    }
}

extension InstructionSet {
    /// Higher sets include the lower ones.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
