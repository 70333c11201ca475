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

        @Test("what was learned is used at once: its folder, or its file", arguments: ["bpe", "unigram"])
        func used(_ model: String) async throws {
            let folder = try TemporaryFolder()
            let output = folder.path + "/words"
            let trained = try await program.run([
                "tokenizer", "train", "--model", model, "--vocabulary", "400", "--file",
                Fixtures.path("prose.txt"), "--output", output,
            ])
            #expect(trained.status == 0, "\(trained.errors)")
            let text = "The lighthouse keeper."
            var found: [String] = []
            for path in [output, output + "/tokenizer.json"] {
                let outcome = try await program.run(["tokenize", path, "--text", text, "--json"])
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try outcome.object()["text"] as? String == text)
                found.append(outcome.output)
            }
            #expect(found[0] == found[1])
        }

        @Test("a tokenizer's file of any kind can be named, and a folder without one is answered by name")
        func files() async throws {
            for file in ["t5/spiece.model", "bert/vocab.txt", "gpt2/tokenizer.json", "llama/tokenizer.model"]
            {
                let path = Fixtures.path("Tokenizers/" + file)
                guard FileManager.default.fileExists(atPath: path) else { continue }
                let outcome = try await program.run(["tokenize", path, "--text", "a b", "--json"])
                #expect(outcome.status == 0, "\(file) \(outcome.errors)")
            }
            let empty = try TemporaryFolder()
            expectFailure(try await program.run(["tokenize", empty.path, "--text", "a"]), naming: empty.path)
            let notes = try empty.write("{}", to: "notes.json")
            expectFailure(try await program.run(["tokenize", notes, "--text", "a"]), naming: "notes.json")
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
