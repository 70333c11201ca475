import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// Every family from its files to generated tokens.
@Suite struct FamilyGenerationTests {
    private func generate(
        _ model: some LanguageModel, prompt: [Int32], usesCache: Bool
    ) async throws -> [[Int32]] {
        var request = GenerationRequest(prompt: prompt, maxTokens: 6, samples: 2)
        request.sampling.seed = 11
        request.usesCache = usesCache
        request.prefillChunk = 3
        let generator = Generator(model: model, tokenizer: ByteTokenizer())
        return try await generator.run([request, request])[1].map(\.ids)
    }

    @Test(
        "a model of each family generates the same tokens with a cache and without, or says that it does not",
        arguments: GoldenModel.all)
    func generates(name: String) async throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        let prompt = Array(golden.ids.prefix(7))
        guard model.continuesText else {
            await #expect(throws: GenerationError.continuesNoText) {
                try await generate(model, prompt: prompt, usesCache: true)
            }
            await #expect(throws: GenerationError.continuesNoText) { try await model.perplexity(of: prompt) }
            return
        }
        let with: [[Int32]]
        let without: [[Int32]]
        if let source = golden.source {
            let answering = try await ModelWithSource(model, source: source)
            #expect(answering.startToken == golden.ids[0])
            with = try await generate(answering, prompt: [answering.startToken], usesCache: true)
            without = try await generate(answering, prompt: [answering.startToken], usesCache: false)
        } else {
            with = try await generate(model, prompt: prompt, usesCache: true)
            without = try await generate(model, prompt: prompt, usesCache: false)
        }
        #expect(with == without)
        #expect(with.count == 2)
        #expect(with.allSatisfy { !$0.isEmpty })
    }
}
