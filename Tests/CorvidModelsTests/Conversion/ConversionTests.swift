import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// A converted model computes what `--dtype` computes on the source.
@Suite struct ConversionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Those that continue text.
    private static let decoders: [String] = GoldenModel.all.filter { name in
        guard let golden = try? GoldenModel(name),
            let files = try? ModelFiles(path: Fixtures.path("Models/\(name)"))
        else { return false }
        return !golden.logits.isEmpty && golden.source == nil
            && (try? files.modelConfiguration().sees) == .earlier
    }
    private static let folderNames: [String] = decoders.filter { !$0.hasPrefix("gguf") }
    private static let ggufNames: [String] = decoders.filter { $0.hasPrefix("gguf") }
    private static let blocks: [DType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K]

    private func convert(_ name: String, to type: DType, at place: String) throws -> String {
        try convert(path: Fixtures.path("Models/\(name)"), to: type, at: place)
    }

    @discardableResult
    private func convert(path: String, to type: DType, at place: String) throws -> String {
        let target = folder.path(of: place)
        let conversion = try ModelConversion(ModelFiles(path: path), to: type, at: target)
        _ = try conversion.write(pool: WorkerPool(threads: 2))
        return target
    }

    private func bits(_ model: Model, _ golden: GoldenModel) throws -> [[UInt32]] {
        try Schedule(threads: 2).logits(model, golden.ids).map { $0.map(\.bitPattern) }
    }

    /// Logits of a converted model, with the cache that `--dtype` on the source has.
    private func bits(at path: String, _ type: DType, _ golden: GoldenModel) throws -> [[UInt32]] {
        let options = LoadOptions(threads: 2, cacheType: type == .f32 ? .f32 : .f16)
        return try bits(try Model.load(path: path, options: options), golden)
    }

    @Test("a folder converted to a folder gives the bits of --dtype", arguments: folderNames)
    func folderToFolder(name: String) throws {
        let golden = try GoldenModel(name)
        for type in [DType.f32, .f16, .bf16, .i8] {
            let path = try convert(name, to: type, at: "\(type)")
            #expect(try bits(at: path, type, golden) == bits(try golden.load(as: type), golden), "\(type)")
        }
    }

    @Test("a GGUF file converted to another gives the bits of --dtype", arguments: ggufNames)
    func ggufToGGUF(name: String) throws {
        let golden = try GoldenModel(name)
        for type in Self.blocks + [.f32, .f16, .bf16] {
            let path = try convert(name, to: type, at: "\(type).gguf")
            #expect(try bits(at: path, type, golden) == bits(try golden.load(as: type), golden), "\(type)")
        }
    }

    @Test(
        "GPT-J and GPT-2 folders converted to GGUF give the bits of --dtype",
        arguments: ["gptj", "gptj-f16", "gpt2", "gpt2-old"])
    func ggufFromFolder(name: String) throws {
        let golden = try GoldenModel(name)
        for type in Self.blocks + [.f32, .f16, .bf16] {
            let path = try convert(name, to: type, at: "\(type).gguf")
            #expect(try bits(at: path, type, golden) == bits(try golden.load(as: type), golden), "\(type)")
        }
    }

    @Test(
        "LLaMA's rows change order on the way to GGUF; its logits stay",
        arguments: ["llama", "llama-tied", "llama-bf16", "llama-rope-llama3", "llama-rope-linear"])
    func llama(name: String) throws {
        let golden = try GoldenModel(name)
        let path = try convert(name, to: .f32, at: "model.gguf")
        let found = try Schedule(threads: 2).logits(
            try Model.load(path: path, options: LoadOptions(threads: 2, computeType: .f32)), golden.ids)
        let all = golden.logits.flatMap { $0 }
        let bound = 1e-4 * ((all.max() ?? 0) - (all.min() ?? 0))
        for (row, expected) in zip(found, golden.logits) {
            for (a, b) in zip(row, expected) { #expect(abs(a - b) <= bound) }
        }
    }

    @Test(
        "a folder that went through GGUF and back has the tensors that it had",
        arguments: ["gptj", "gpt2", "llama", "llama-tied", "llama-rope-linear"])
    func roundTrip(name: String) throws {
        let file = try convert(name, to: .f32, at: "model.gguf")
        let back = try convert(path: file, to: .f32, at: "back")
        let before = try SafetensorsFile(path: Fixtures.path("Models/\(name)/model.safetensors"))
        let after = try SafetensorsFile(path: back + "/model.safetensors")
        #expect(Set(after.names).isSubset(of: Set(before.names)))
        #expect(after.names.count > 10)
        for tensor in after.names {
            let found = try #require(try after.tensor(named: tensor))
            let expected = try #require(try before.tensor(named: tensor))
            #expect(found.shape == expected.shape, "\(tensor)")
            #expect(found.bytes.array == expected.bytes.array, "\(tensor)")
        }
        let golden = try GoldenModel(name)
        #expect(try bits(at: back, .f32, golden) == bits(try golden.load(as: .f32), golden))
    }

    @Test("a file that has the type already is copied byte for byte", arguments: ggufNames)
    func copies(name: String) throws {
        let source = try ModelFiles(path: Fixtures.path("Models/\(name)"))
        for type in [DType.q4_0, .q8_0, .f32] {
            let copy = try ModelFiles(path: try convert(name, to: type, at: "\(type).gguf"))
            let again = try ModelFiles(path: try convert(path: copy.path, to: type, at: "\(type)-2.gguf"))
            for tensor in copy.tensors.names {
                let expected = try #require(try copy.tensors.tensor(named: tensor))
                let found = try #require(try again.tensors.tensor(named: tensor))
                #expect(found.type == expected.type)
                #expect(found.bytes.array == expected.bytes.array, "\(tensor)")
            }
            #expect(Set(copy.tensors.names) == Set(source.tensors.names))
        }
    }

    @Test("int8 folders hold integers with outputs as rows, and a scale for each")
    func int8Layout() throws {
        let path = try convert("gpt2", to: .i8, at: "int8")
        let before = try SafetensorsFile(path: Fixtures.path("Models/gpt2/model.safetensors"))
        let after = try SafetensorsFile(path: path + "/model.safetensors")
        let name = "transformer.h.0.mlp.c_fc.weight"
        let stored = try #require(try before.tensor(named: name))
        let integers = try #require(try after.tensor(named: name))
        let scales = try #require(try after.tensor(named: name + ".scale"))
        #expect(integers.type == .i8)
        #expect(integers.shape == stored.shape.reversed())
        #expect(scales.type == .f32)
        #expect(scales.shape == [integers.rows])
        let weights = try integers.scaled(byRows: Vector(scales)).floats()
        let values = try stored.floats()
        for output in 0..<integers.rows {
            let scale = try scales.floats()[output]
            for input in 0..<integers.columns {
                let exact = values[input * stored.columns + output]
                #expect(abs(weights[output * integers.columns + input] - exact) <= scale * 0.50001)
            }
        }
        // Norms and tables of positions stay.
        #expect(after.entry(named: "transformer.wpe.weight")?.type == .f32)
        #expect(after.entry(named: "transformer.wte.weight")?.type == .i8)
        #expect(after.entry(named: "transformer.ln_f.weight")?.type == .f32)
    }

    @Test("an int8 folder converts on to other types", arguments: ["gpt2", "gptj", "llama"])
    func fromInt8(name: String) throws {
        let golden = try GoldenModel(name)
        let int8 = try convert(name, to: .i8, at: "int8")
        let asked = try Model.load(path: int8, options: LoadOptions(threads: 2, computeType: .f32))
        let back = try convert(path: int8, to: .f32, at: "f32")
        #expect(try bits(at: back, .f32, golden) == bits(asked, golden))
        let file = try convert(path: int8, to: .q8_0, at: "q8.gguf")
        #expect(try ModelFiles(path: file).tensors.entries.allSatisfy { $0.type != .i8 })
    }

    @Test(
        "models of every other kind convert within their format, and still load", arguments: GoldenModel.all)
    func others(name: String) throws {
        guard !Self.decoders.contains(name) else { return }
        for type in [DType.f16, name.hasPrefix("gguf") ? .q8_0 : .i8] {
            let place = name.hasPrefix("gguf") ? "\(type).gguf" : "\(type)"
            let path = try convert(name, to: type, at: place)
            let before = try ModelFiles(path: Fixtures.path("Models/\(name)")).modelConfiguration()
            let model = try Model.load(path: path, options: LoadOptions(threads: 1))
            #expect(model.configuration.family.name == before.family.name)
        }
    }
}
