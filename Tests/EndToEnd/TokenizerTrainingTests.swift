import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct TokenizerTrainTests {
        let program: Program
        init() throws { program = try Program() }

        @Test("a tokenizer is learned from a file and written into a folder", arguments: ["bpe", "unigram"])
        func train(_ model: String) async throws {
            let folder = try TemporaryFolder()
            let output = folder.path + "/new/words"
            let outcome = try await program.run([
                "tokenizer", "train", "--model", model, "--vocabulary", "400", "--file",
                Fixtures.path("prose.txt"), "--output", output, "--json",
            ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let report = try outcome.object()
            #expect(report["vocabulary"] as? Int == 400 && report["model"] as? String == model)
            for (name, key) in [("tokenizer.json", "model"), ("tokenizer_config.json", "eos_token")] {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: output + "/" + name))
                let file = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
                #expect(file?[key] != nil, "\(name)")
            }
        }

        @Test("a vocabulary that is too small is wrong usage, a file that is not there is a failure")
        func refused() async throws {
            let small = try await program.run([
                "tokenizer", "train", "--vocabulary", "10", "--file", "x", "--output", "y",
            ])
            #expect(small.status == 64 && small.output == "" && small.errors.contains("257"))
            let missing = try await program.run([
                "tokenizer", "train", "--vocabulary", "400", "--file", "/nowhere/x", "--output", "y",
            ])
            #expect(missing.status == 1 && missing.output == "" && missing.errors.contains("/nowhere/x"))
        }
    }
}
