import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// Computing as another type than the file's.
@Suite struct ComputeTypeTests {
    /// The tensors of a golden model.
    private func tensors(_ name: String) throws -> ModelBuilder {
        let file = try SafetensorsFile(path: Fixtures.path("Models/\(name)/model.safetensors"))
        return try ModelBuilder(
            file.names.map { name in
                (name, try #require(try file.tensor(named: name)))
            })
    }

    @Test("--dtype f16 gives the bits of a checkpoint whose matrices, embeddings among them, were converted")
    func sameAsConverted() throws {
        let golden = try GoldenModel("gpt2")
        let asked = try Schedule().logits(try golden.load(as: .f16), golden.ids)
        var model = try tensors("gpt2")
        model.halves = Set(model.tensors.filter { $0.value.shape.count == 2 }.keys)
        #expect(model.halves.contains { $0.hasSuffix("wte.weight") })
        let folder = try TemporaryFolder()
        try folder.write(
            String(decoding: try Fixtures.bytes("Models/gpt2/config.json"), as: UTF8.self), to: "config.json")
        try folder.write(model.safetensors(), to: "model.safetensors")
        let converted = try Model.load(path: folder.path, options: LoadOptions(threads: 2))
        #expect(try Schedule().logits(converted, golden.ids) == asked)
    }
}
