import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

@Suite struct ModelShapeTests {
    @Test("every shape is read as any config is, with the layers it was made for", arguments: ModelShape.all)
    func shapes(shape: ModelShape) throws {
        let whole = try shape.configuration()
        #expect(whole.layers == shape.layers)
        #expect(whole.width == whole.heads * whole.headWidth)
        let part = try shape.configuration(layers: 3)
        #expect(part.layers == 3 && part.windows.count == 3)
        #expect(part.width == whole.width && part.vocabulary == whole.vocabulary)
    }

    /// Parameters as the models' publishers count them. A tied output matrix counts once.
    static let counts: [(String, Int)] = [
        // Without the copies of norms and biases which the published count of GPT-J holds for each processor.
        ("gpt-j-6b", 6_050_882_784),
        ("gpt2", 124_439_808), ("gpt2-medium", 354_823_168), ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
        ("gpt-neo-125m", 125_198_592), ("gpt-neo-1.3b", 1_315_575_808), ("gpt-neo-2.7b", 2_651_307_520),
        ("pythia-70m", 70_426_624), ("pythia-160m", 162_322_944), ("pythia-410m", 405_334_016),
        ("pythia-1b", 1_011_781_632), ("pythia-1.4b", 1_414_647_808), ("pythia-2.8b", 2_775_208_960),
        ("pythia-6.9b", 6_857_302_016), ("pythia-12b", 11_846_072_320), ("gpt-neox-20b", 20_554_567_680),
        ("smollm2-135m", 134_515_008), ("llama-7b", 6_738_415_616), ("llama-13b", 13_015_864_320),
        ("llama-2-7b", 6_738_415_616), ("llama-3-8b", 8_030_261_248),
        ("opt-125m", 125_239_296), ("opt-350m", 331_196_416), ("opt-1.3b", 1_315_758_080),
        ("opt-6.7b", 6_658_473_984),
        ("bloom-560m", 559_214_592), ("bloom-7b1", 7_069_016_064), ("mpt-7b", 6_649_286_656),
    ]

    @Test("a shape has as many parameters as its model", arguments: counts)
    func parameters(name: String, expected: Int) throws {
        let shape = try #require(ModelShape.named(name))
        let configuration = try shape.configuration()
        let list = WeightList(configuration, isGGUF: false, biased: configuration.family.biasedWeights)
        #expect(list.weights.reduce(0) { $0 + $1.shape.reduce(1, *) } == expected)
    }

    @Test("names are found in capital and small letters, and each is there once") func names() {
        #expect(ModelShape.named("GPT-J-6B")?.name == "gpt-j-6b")
        #expect(ModelShape.named("gpt-j") == nil)
        #expect(Set(ModelShape.all.map(\.name)).count == ModelShape.all.count)
        #expect(ModelShape.all.allSatisfy { $0.name == $0.name.lowercased() })
    }

    @Test("every family has a shape") func families() throws {
        let names = try Set(ModelShape.all.map { try $0.configuration(layers: 1).family.name })
        #expect(
            names.isSuperset(of: [
                "gptj", "gpt2", "llama", "gpt-neox", "gpt-neo", "opt", "bloom", "mpt", "codegen",
            ]))
    }

    @Test("a number of layers that no model has is refused", arguments: [0, -1, 4097, Int.max])
    func layers(count: Int) throws {
        let shape = try #require(ModelShape.named("gpt2"))
        #expect(throws: ConfigurationError.self) { try shape.configuration(layers: count) }
    }
}
