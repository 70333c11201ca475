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

    @Test(
        "every type computes close to the reference, and closer with more bits",
        arguments: ["gguf-f32", "gguf-gpt2", "llama", "gpt2", "gptj"])
    func everyType(name: String) throws {
        let golden = try GoldenModel(name)
        let all = golden.logits.flatMap { $0 }
        let range = Double((all.max() ?? 0) - (all.min() ?? 0))
        func deviation(_ type: DType) throws -> Double {
            let found = try Schedule(threads: 2).logits(try golden.load(as: type), golden.ids).flatMap { $0 }
            try #require(found.count == all.count)
            let squares = zip(found, all).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            return (squares / Double(all.count)).squareRoot() / range
        }
        let bounds: [(DType, Double)] = [
            (.f32, 1e-5), (.bf16, 0.03), (.f16, 0.005), (.i8, 0.05), (.q8_0, 0.03), (.q6_K, 0.05),
            (.q5_K, 0.08), (.q5_1, 0.08), (.q5_0, 0.1), (.q4_K, 0.15), (.q4_1, 0.15), (.q4_0, 0.15),
        ]
        for (type, bound) in bounds {
            let found = try deviation(type)
            #expect(found <= bound, "\(type)")
        }
    }

    @Test("weights that a type cannot hold are refused by name when the model is loaded")
    func refused() throws {
        let golden = try GoldenModel("gptj")
        var model = try tensors("gptj")
        let name = "transformer.h.0.attn.q_proj.weight"
        model.tensors[name]?.values[3] = .infinity
        let folder = try TemporaryFolder()
        try folder.write(try Fixtures.bytes("Models/gptj/config.json"), to: "config.json")
        try folder.write(model.safetensors(), to: "model.safetensors")
        for type in [DType.i8, .q4_0, .q6_K] {
            let error = #expect(throws: WeightError.self) {
                try Model.load(path: folder.path, options: LoadOptions(threads: 1, computeType: type))
            }
            guard case .conversion(_, name, _) = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
        }
        #expect(throws: ConfigurationError.self) { try golden.load(as: .i32) }
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
