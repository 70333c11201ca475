import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Models that become others.
    @Suite struct ConvertTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func logits(_ model: String, _ options: [String] = []) async throws -> Data {
            let path = folder.path(of: "\(UUID().uuidString).safetensors")
            let outcome = try await program.run(
                ["logits", model, "--ids", "1,2,3,4,5", "--output", path, "--quiet"] + options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }

        @Test(
            "a converted model gives the bytes of --dtype, and the report says what was written",
            arguments: [("int8", "model"), ("bf16", "model"), ("q8_0", "model.gguf"), ("Q4_K", "model.gguf")])
        func convert(type: String, place: String) async throws {
            let path = folder.path(of: place)
            let outcome = try await program.run(
                ["convert", Models.gptj, path, "--dtype", type, "--json", "--threads", "2"])
            #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
            let object = try outcome.object()
            #expect(
                Set(object.keys) == [
                    "path", "format", "dtype", "bytes", "tensors", "types", "seconds", "peak_memory_bytes",
                ])
            #expect(object["path"] as? String == path && object["dtype"] as? String == type.lowercased())
            #expect((object["bytes"] as? Int ?? 0) > 10_000)
            #expect((object["peak_memory_bytes"] as? Int ?? 0) > 1_000_000)
            #expect(try await logits(path) == logits(Models.gptj, ["--dtype", type]))
        }

        @Test("PyTorch's files become safetensors and GGUF that give the same logits, as they do themselves")
        func pickle() async throws {
            for name in ["config.json", "tokenizer.json"] {
                try folder.write(Fixtures.bytes("Models/gptj/\(name)"), to: name)
            }
            try folder.write(Fixtures.bytes("PyTorch/gptj.bin"), to: "pytorch_model.bin")
            let expected = try await logits(Models.gptj)
            #expect(try await logits(folder.path) == expected)
            for (place, format) in [("safetensors", "safetensors"), ("model.gguf", "gguf")] {
                let path = folder.path(of: place)
                let outcome = try await program.run([
                    "convert", folder.path, path, "--dtype", "f32", "--json",
                ])
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try outcome.object()["format"] as? String == format)
                #expect(try await logits(path) == expected)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "safetensors"))
            #expect(names.sorted() == ["config.json", "model.safetensors", "tokenizer.json"])
        }

        @Test("what is wrong is said in one or two lines, and nothing is written") func refusals()
            async throws
        {
            let file = folder.path(of: "model.gguf")
            for (arguments, name) in [
                ([Models.gptj, file, "--dtype", "int8"], "int8"),
                ([Models.gptj, folder.path(of: "model"), "--dtype", "q4_0"], "q4_0"),
                ([Models.gptj, Models.gptj, "--dtype", "f16", "--force"], "gptj"),
                ([Fixtures.path("Models/opt"), file, "--dtype", "f32"], "opt"),
                ([folder.path(of: "nothing"), file, "--dtype", "f32"], "nothing"),
            ] {
                expectFailure(try await program.run(["convert"] + arguments), status: 1, naming: name)
            }
            #expect(try folder.names().isEmpty)
        }

        @Test("what stands at the destination is replaced only with --force") func force() async throws {
            let file = folder.path(of: "model.gguf")
            let first = try await program.run(["convert", Models.gptj, file, "--dtype", "f32"])
            #expect(first.status == 0 && first.output.contains("f32"))
            expectFailure(
                try await program.run(["convert", Models.gptj, file, "--dtype", "f16"]), status: 1,
                naming: "--force")
            let second = try await program.run(["convert", Models.gptj, file, "--dtype", "f16", "--force"])
            #expect(second.status == 0, "\(second.errors)")
            #expect(try folder.names() == ["model.gguf"])
        }

        @Test("inspect --dtype shows what short rows get instead") func inspect() async throws {
            let outcome = try await program.run(["inspect", Models.gptj, "--dtype", "q4_k", "--json"])
            let converted = try #require(try outcome.object()["converted"] as? [String: Any])
            #expect(converted["dtype"] as? String == "q4_k")
            let types = try #require(converted["types"] as? [[String: Any]]).compactMap {
                $0["type"] as? String
            }
            #expect(types.contains("f16") && !types.contains("q4_k"))
        }
    }
}
