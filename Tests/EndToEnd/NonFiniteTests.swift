import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Weights that are NaN or infinite: 1, and one line that names the file and the tensor.
    @Suite struct NonFiniteTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        /// Copies the folder of a model, with one value of a tensor changed.
        /// - Returns: the path of the changed file.
        private func copy(
            _ model: String, weights: String = "model.safetensors", changing tensor: String, to value: Float
        ) throws -> String {
            for name in try FileManager.default.contentsOfDirectory(atPath: model) {
                try FileManager.default.copyItem(atPath: model + "/" + name, toPath: folder.path(of: name))
            }
            let file = try SafetensorsFile(path: model + "/" + weights)
            let tensors = try file.names.map { name in
                let found = try #require(try file.tensor(named: name))
                guard name == tensor else { return (name, found) }
                var values = try found.floats()
                values[values.count / 2] = value
                return (name, try Tensor(values, shape: found.shape))
            }
            #expect(file.names.contains(tensor))
            let path = folder.path(of: weights)
            try SafetensorsWriter.write(tensors, to: path)
            return path
        }

        /// Copies a GGUF file, with the 16 bits at `offset` in a tensor changed.
        private func copy(
            gguf model: String, changing tensor: String, at offset: Int, to bits: UInt16
        ) throws -> String {
            let bytes = try #require(try GGUFFile(path: model).tensor(named: tensor)).bytes.array
            var file = try Data(contentsOf: URL(fileURLWithPath: model))
            let place = try #require(file.range(of: Data(bytes)))
            file[place.lowerBound + offset] = UInt8(truncatingIfNeeded: bits)
            file[place.lowerBound + offset + 1] = UInt8(truncatingIfNeeded: bits >> 8)
            return try folder.write([UInt8](file), to: "model.gguf")
        }

        private func logits(_ path: String, _ options: String...) async throws -> Program.Outcome {
            try await program.run(
                ["logits", path, "--ids", "1,2,3", "--output", folder.path(of: "logits")] + options)
        }

        private static let commands = [
            ["logits", "--ids", "1,2,3", "--output", "PATH"], ["generate", "--prompt", "the the"],
            ["perplexity", "--file", "-"],
        ]

        @Test("every command that runs the model names file and tensor", arguments: commands)
        func naming(arguments: [String]) async throws {
            let tensor = "transformer.h.1.mlp.fc_in.weight"
            let file = try copy(Models.gptj, changing: tensor, to: .nan)
            let options = arguments.dropFirst().map { $0 == "PATH" ? folder.path(of: "logits") : $0 }
            let outcome = try await program.run(
                [arguments[0], folder.path] + options, input: "the the the\n")
            expectFailure(outcome, naming: file + ": ", tensor, "NaN")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }

        @Test("of a split model the part is named, and no logits are left") func part() async throws {
            let tensor = "model.layers.0.self_attn.v_proj.weight"
            let model = Fixtures.path("Models/llama-sharded")
            let part = try #require(
                try ModelFiles(path: model).tensors.entry(named: tensor)?.file.split(separator: "/").last)
            let file = try copy(model, weights: String(part), changing: tensor, to: .infinity)
            expectFailure(try await logits(folder.path), naming: file + ": ", tensor)
            #expect(try !folder.names().contains("logits"))
        }

        @Test(
            "scales and minima of blocks count as weights",
            arguments: [
                ("gguf-q8_0", "blk.0.ffn_up.weight", 34), ("gguf-q4_0", "blk.0.ffn_down.weight", 18),
                ("gguf-q4_1", "blk.1.attn_output.weight", 20 + 2), ("gguf-k", "blk.0.attn_q.weight", 2),
                ("gguf-k", "blk.0.ffn_up.weight", 0), ("gguf-k", "blk.0.attn_v.weight", 208),
                ("gguf-mixed", "blk.0.attn_v.weight", 22), ("gguf-mixed", "blk.0.attn_output.weight", 24 + 2),
                ("gguf-mixed", "blk.0.ffn_up.weight", 2),
            ])
        func blocks(model: String, tensor: String, offset: Int) async throws {
            for bits: UInt16 in [0x7E00, 0x7C00] {
                let file = try copy(
                    gguf: Fixtures.path("Models/\(model)/model.gguf"), changing: tensor, at: offset, to: bits)
                expectFailure(try await logits(file), naming: file + ": ", tensor)
            }
        }

        @Test("weights that overflow in --dtype are not called damaged") func overflow() async throws {
            _ = try copy(Models.gptj, changing: "transformer.h.1.mlp.fc_in.weight", to: 1e5)
            let outcome = try await logits(folder.path, "--dtype", "f16")
            expectFailure(outcome, naming: "--dtype")
            #expect(!outcome.errors.contains("fc_in"))
            #expect(try !folder.names().contains("logits"))
            #expect(try await logits(folder.path, "--dtype", "f32").status == 0)
        }
    }
}
