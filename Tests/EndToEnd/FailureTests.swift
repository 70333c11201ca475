import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What cannot be done ends with 1, one or two lines of reason, and nothing on standard output.
    @Suite struct FailureTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        @Test("a missing file is named", arguments: [false, true]) func missingFile(json: Bool) async throws {
            let outcome = try await program.run(
                ["generate", "no/such/model.gguf", "--prompt", "a"] + (json ? ["--json"] : []))
            expectFailure(outcome, naming: "no/such/model.gguf")
        }

        @Test("an unknown name lists what there is and what may be meant") func unknownName() async throws {
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "models/tiny-llama"), withIntermediateDirectories: true)
            try folder.link("models/tiny-llama/model.gguf", to: Models.tiny)
            let outcome = try await program.run(
                ["tokenize", "tiny-lama", "--text", "a"], environment: ["CORVID_HOME": folder.path])
            expectFailure(
                outcome, naming: "'tiny-lama'", "Did you mean 'tiny-llama'?", "There are: tiny-llama.")
        }

        @Test("a missing default model says how to fetch it") func noDefault() async throws {
            expectFailure(try await program.run(["tokenize", "--text", "a"]), naming: "./corvid chat")
        }

        @Test("names do not lead out of the store", arguments: ["../models/x", "a/../../b", "..", "/"])
        func traversal(name: String) async throws {
            let outcome = try await program.run(["tokenize", name, "--text", "a"])
            #expect(outcome.status == 1)
            #expect(outcome.output == "")
        }

        @Test("half a file is refused", arguments: [0.1, 0.5, 0.9, 0.999]) func halfFile(
            part: Double
        ) async throws {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Models.tiny)))
            let path = try folder.write(Array(bytes.prefix(Int(Double(bytes.count) * part))), to: "half.gguf")
            let outcome = try await program.run(["generate", path, "--prompt", "a", "--json"])
            expectFailure(outcome, naming: "half.gguf")
        }

        @Test("a pickle that calls a program is refused by the name of what it asks for, and calls nothing")
        func pickle() async throws {
            try folder.write(Fixtures.bytes("Models/gptj/config.json"), to: "config.json")
            let mark = folder.path(of: "owned")
            var pickle = PickleBuilder()
            pickle.global("os", "system")
            pickle.text("touch '\(mark)'")
            pickle.add(0x85)
            pickle.add("R")
            for isOld in [false, true] {
                let bytes = PyTorchBuilder(pickle, isOld: isOld).build().bytes
                try folder.write(bytes, to: "pytorch_model.bin")
                for command in [["inspect", folder.path], ["generate", folder.path, "--prompt", "a"]] {
                    let outcome = try await program.run(command)
                    expectFailure(outcome, naming: "pytorch_model.bin", "os.system", "nothing was run")
                }
            }
            #expect(try folder.names() == ["config.json", "pytorch_model.bin"])
        }

        @Test("an empty file is refused") func emptyFile() async throws {
            let path = try folder.write("", to: "empty.gguf")
            expectFailure(try await program.run(["inspect", path]), naming: "empty.gguf", "empty")
        }

        @Test("an unknown family is named, with those that can be run") func unknownFamily() async throws {
            try folder.write(
                #"{"architectures": ["MambaForCausalLM"], "model_type": "mamba"}"#, to: "config.json")
            try FileManager.default.copyItem(
                atPath: Models.gptj + "/model.safetensors", toPath: folder.path(of: "model.safetensors"))
            let outcome = try await program.run(["generate", folder.path, "--prompt", "a"])
            expectFailure(outcome, naming: "config.json", "MambaForCausalLM", "GPTJForCausalLM")
        }

        @Test(
            "an empty prompt is refused",
            arguments: [["--prompt", ""], ["--prompt", "-"], ["--file", "-"]])
        func emptyPrompt(option: [String]) async throws {
            expectFailure(
                try await program.run(["generate", Models.tiny] + option), naming: "prompt is empty")
        }

        @Test("a prompt longer than the context says how long both are") func longPrompt() async throws {
            let prompt = String(repeating: "word ", count: 500)
            let outcome = try await program.run(["generate", Models.tiny, "--prompt", prompt, "--json"])
            expectFailure(outcome, naming: "context of 64", "shorten")
        }

        @Test("a context beyond the model's is refused") func longContext() async throws {
            let outcome = try await program.run(["generate", Models.tiny, "--prompt", "a", "--context", "65"])
            expectFailure(outcome, naming: "65", "64")
        }

        @Test("token ids outside the vocabulary are refused") func unknownToken() async throws {
            let logits = try await program.run(
                ["logits", Models.tiny, "--ids", "1,99999", "--output", folder.path(of: "l.safetensors")])
            expectFailure(logits, naming: "99999")
            #expect(try folder.names() == [], "a failed command leaves a file")
            expectFailure(
                try await program.run(["tokenize", Models.tiny, "--decode", "99999"]), naming: "99999")
        }

        @Test("a file that is no text is refused") func notText() async throws {
            let path = try folder.write([0x61, 0xFF, 0xFE], to: "binary")
            expectFailure(try await program.run(["generate", Models.tiny, "--file", path]), naming: "UTF-8")
        }

        @Test("a text too short to score is refused") func shortText() async throws {
            let path = try folder.write("", to: "empty.txt")
            expectFailure(
                try await program.run(["perplexity", Models.gptj, "--file", path]), naming: "at least 2")
        }

        @Test("an output that cannot be written is named") func unwritable() async throws {
            let outcome = try await program.run(
                ["logits", Models.tiny, "--ids", "1", "--output", folder.path(of: "none/l.safetensors")])
            expectFailure(outcome, naming: "none/l.safetensors")
        }

        @Test("a model without a tokenizer says which file is missing") func noTokenizer() async throws {
            let outcome = try await program.run(["generate", Models.withoutTokenizer, "--prompt", "a"])
            expectFailure(outcome, naming: "tokenizer.json")
        }

        @Test("a benchmark longer than the context is refused", arguments: ["65", "\(Int.max)"])
        func longBench(tokens: String) async throws {
            expectFailure(
                try await program.run(["bench", Models.tiny, "--prompt-tokens", tokens]), naming: "64")
        }

        @Test("control characters of a name do not reach the terminal") func controls() async throws {
            let outcome = try await program.run(["tokenize", "\u{1B}[31mred.gguf", "--text", "a"])
            #expect(outcome.status == 1)
            #expect(!outcome.errors.contains("\u{1B}"))
        }
    }
}
