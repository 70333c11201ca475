import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What the commands find out, as programs read it.
    @Suite struct ReportTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func object(_ arguments: [String]) async throws -> [String: Any] {
            let outcome = try await program.run(arguments + ["--json"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.last == "\n" && outcome.output.dropLast().contains("\n") == false)
            return try outcome.object()
        }

        @Test("generate reports text, ids, prompt and speed") func generate() async throws {
            let object = try await object([
                "generate", Models.tiny, "--prompt", "the", "--greedy", "--max-tokens", "5",
            ])
            #expect(
                Set(object.keys) == [
                    "model", "seed", "prompt_ids", "prompt_tokens", "text", "ids", "stop_reason",
                    "prefill_tokens_per_second", "decode_tokens_per_second",
                ])
            let ids = try #require(object["ids"] as? [Int])
            #expect(ids.count == 5 && object["stop_reason"] as? String == "length")
            #expect((object["prompt_ids"] as? [Int])?.count == object["prompt_tokens"] as? Int)
        }

        @Test("a folder with pytorch_model.bin is inspected and generates like one with safetensors")
        func pickle() async throws {
            for name in ["config.json", "tokenizer.json"] {
                try folder.write(Fixtures.bytes("Models/gptj/\(name)"), to: name)
            }
            try folder.write(Fixtures.bytes("PyTorch/gptj-old.bin"), to: "pytorch_model.bin")
            var reports: [[String: Any]] = []
            for model in [folder.path, Models.gptj] { reports.append(try await object(["inspect", model])) }
            #expect(reports.map { $0["format"] as? String } == ["pytorch", "safetensors"])
            #expect(reports.allSatisfy { $0["can_run"] as? Bool == true })
            for key in ["parameters", "tensor_count", "tensor_bytes"] {
                #expect(reports[0][key] as? Int == reports[1][key] as? Int, "\(key)")
            }
            let lines = try await program.run(["inspect", folder.path])
            #expect(lines.output.contains("pytorch; corvid convert makes safetensors"))
            let file = try await object(["inspect", folder.path(of: "pytorch_model.bin"), "--tensors"])
            #expect(file["can_run"] as? Bool == false && (file["tensors"] as? [Any])?.count == 25)

            var texts: [String?] = []
            for model in [folder.path, Models.gptj] {
                let arguments = ["generate", model, "--prompt", "the", "--seed", "4", "--max-tokens", "12"]
                texts.append(try await object(arguments)["text"] as? String)
            }
            #expect(texts[0] != nil && texts[0] == texts[1])
        }

        @Test("--samples puts as many answers into samples") func samples() async throws {
            let object = try await object([
                "generate", Models.gptj, "--prompt", "the", "--samples", "3", "--max-tokens", "4", "--seed",
                "1",
                "--temperature", "5", "--top-k", "0", "--top-p", "1",
            ])
            let samples = try #require(object["samples"] as? [[String: Any]])
            #expect(samples.count == 3)
            for sample in samples {
                #expect((sample["ids"] as? [Int])?.count ?? 0 <= 4)
                #expect(sample["text"] is String && sample["stop_reason"] is String)
            }
            let texts = Set(samples.compactMap { $0["ids"] as? [Int] })
            #expect(texts.count > 1, "all samples are alike")
        }

        @Test("the text of --json is what is printed without it") func textIsPrinted() async throws {
            let arguments = ["generate", Models.gptj, "--prompt", "the", "--greedy", "--max-tokens", "8"]
            let printed = try await program.run(arguments)
            let object = try await object(arguments)
            #expect(printed.output == (object["text"] as? String).map { $0 + "\n" })
        }

        @Test(
            "the text depends on the seed, not on threads, chunks or cache",
            arguments: [
                ["--threads", "1"], ["--threads", "2"], ["--threads", "4"], ["--prefill-chunk", "1"],
                ["--prefill-chunk", "7"], ["--no-cache"],
            ])
        func sameText(options: [String]) async throws {
            let arguments = [
                "generate", Models.tiny, "--prompt", "the old man and the sea", "--seed", "7", "--max-tokens",
                "16",
                "--temperature", "2",
            ]
            let reference = try await object(arguments)
            let other = try await object(arguments + options)
            #expect(reference["ids"] as? [Int] == other["ids"] as? [Int])
        }

        @Test("as many tokens as a number holds end at the context", arguments: [["--samples", "2"], []])
        func mostTokens(options: [String]) async throws {
            let object = try await object(
                ["generate", Models.tiny, "--prompt", "the", "--greedy", "--max-tokens", "\(Int.max)"]
                    + options)
            #expect(["length", "eos"].contains(object["stop_reason"] as? String))
        }

        @Test("a prompt is read from a file and from standard input") func promptSources() async throws {
            let path = try folder.write("the sea", to: "prompt.txt")
            let options = ["--greedy", "--max-tokens", "6"]
            let given = try await program.run(["generate", Models.gptj, "--prompt", "the sea"] + options)
            let file = try await program.run(["generate", Models.gptj, "--file", path] + options)
            let input = try await program.run(
                ["generate", Models.gptj, "--prompt", "-"] + options, input: "the sea")
            #expect(given.status == 0 && given.output == file.output && given.output == input.output)
        }

        @Test(
            "tokens turn back into the text", arguments: ["Hello, world", "naïve 世界 🙂\n\ttwo  blanks", "a"])
        func tokenize(text: String) async throws {
            let object = try await object(["tokenize", Models.gptj, "--text", text])
            #expect(object["text"] as? String == text)
            let ids = try #require(object["ids"] as? [Int])
            #expect((object["tokens"] as? [String])?.count == ids.count)
            let list = ids.map(String.init).joined(separator: ",")
            let back = try await program.run(["tokenize", Models.gptj, "--decode", list])
            #expect(back.output == text + "\n")
        }

        @Test("logits are written as [tokens, rows] f32, the same for every chunk") func logits() async throws
        {
            var files: [[UInt8]] = []
            for chunk in ["1", "3", "64"] {
                let path = folder.path(of: "logits-\(chunk).safetensors")
                let object = try await object([
                    "logits", Models.gptj, "--ids", "5,6,7,8,9", "--output", path, "--prefill-chunk", chunk,
                ])
                #expect(object["shape"] as? [Int] == [5, 283])
                files.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
            }
            #expect(files[0] == files[1] && files[1] == files[2])
            let header = String(decoding: files[0].dropFirst(8).prefix(80), as: UTF8.self)
            #expect(header.contains(#""logits":{"dtype":"F32","shape":[5,283]"#))
            #expect(files[0].count > 5 * 283 * 4)
        }

        @Test("perplexity is exp of the mean loss, and each token after the first counts once")
        func perplexity() async throws {
            let path = try folder.write(String(repeating: "the old man and the sea. ", count: 20), to: "text")
            let tokens = try await object(["tokenize", Models.gptj, "--file", path])
            let count = try #require((tokens["ids"] as? [Int])?.count)
            for stride in [5, 16, 32] {
                let object = try await object([
                    "perplexity", Models.gptj, "--file", path, "--context", "32", "--stride", "\(stride)",
                ])
                #expect(object["tokens"] as? Int == count - 1)
                let loss = try #require(object["nll"] as? Double)
                let perplexity = try #require(object["perplexity"] as? Double)
                #expect(abs(perplexity - exp(loss / Double(count - 1))) < 1e-9 * perplexity)
            }
        }

        @Test("inspect tells family, sizes, tensors and memory") func inspect() async throws {
            let object = try await object(["inspect", Models.gptj, "--tensors", "--context", "32"])
            #expect(object["family"] as? String == "gptj" && object["can_run"] as? Bool == true)
            #expect(object["layers"] as? Int == 2 && object["width"] as? Int == 20)
            #expect(object["parameters"] as? Int == 21_523)
            let tensors = try #require(object["tensors"] as? [[String: Any]])
            #expect(tensors.count == 25 && object["tensor_count"] as? Int == 25)
            #expect(tensors.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == object["tensor_bytes"] as? Int)
            // 2 (keys, values) x 2 layers x 20 values x 2 bytes x 32 positions
            #expect((object["memory"] as? [String: Any])?["cache_bytes"] as? Int == 5120)
        }

        @Test("inspect lists a file that no family knows") func inspectUnknown() async throws {
            let object = try await object(["inspect", Models.gptj + "/model.safetensors", "--tensors"])
            #expect(object["can_run"] as? Bool == false && object["problem"] is String)
            #expect((object["tensors"] as? [Any])?.count == 25)
        }

        @Test("models are found by name in the store and in the Hugging Face cache") func names() async throws
        {
            let manager = FileManager.default
            try manager.createDirectory(atPath: folder.path(of: "models"), withIntermediateDirectories: true)
            try folder.link("models/small", to: Models.gptj)
            let repository = "hub/models--lab--small"
            try manager.createDirectory(
                atPath: folder.path(of: repository + "/refs"), withIntermediateDirectories: true)
            try manager.createDirectory(
                atPath: folder.path(of: repository + "/snapshots"), withIntermediateDirectories: true)
            try folder.write("abc123\n", to: repository + "/refs/main")
            try folder.link(repository + "/snapshots/abc123", to: Models.gptj)
            let environment = ["CORVID_HOME": folder.path, "HF_HOME": folder.path]
            for name in ["small", "lab/small"] {
                let outcome = try await program.run(
                    ["inspect", name, "--json"], environment: environment)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try outcome.object()["name"] as? String == name)
            }
        }
    }
}
