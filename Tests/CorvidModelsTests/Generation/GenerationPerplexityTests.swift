import CorvidModels
import CorvidTensors
import Foundation
import Testing

@Suite struct GenerationPerplexityTests {
    /// Each token is followed by the next one with logit 1, others have logit 0; so p = e / (e + V - 1).
    private func successor(_ vocabularySize: Int, contextLength: Int = 512) -> StandInModel {
        StandInModel(vocabularySize: vocabularySize, contextLength: contextLength) { tokens in
            var logits = [Float](repeating: 0, count: vocabularySize)
            logits[(Int(tokens.last ?? 0) + 1) % vocabularySize] = 1
            return logits
        }
    }

    @Test("a model that knows nothing has the perplexity of its vocabulary")
    func uniform() async throws {
        let model = StandInModel(vocabularySize: 50) { _ in [Float](repeating: -3, count: 50) }
        let result = try await model.perplexity(of: [1, 2, 3, 4])
        #expect(result.tokens == 3)
        #expect(abs(result.perplexity - 50) < 1e-9)
    }

    @Test(
        "each token after the first is scored once, whatever the windows",
        arguments: [
            (512, 512), (10, 10), (10, 3), (1, 1), (7, 6), (64, 64), (200, 1),
        ])
    func windows(context: Int, stride: Int) async throws {
        let ids: [Int32] = (0..<150).map { (i: Int) -> Int32 in i * i % 10 == 4 ? 0 : Int32(i % 10) }
        let model = successor(10)
        let result = try await model.perplexity(
            of: ids, settings: PerplexitySettings(context: context, stride: stride))
        #expect(result.tokens == 149)
        var expected = 0.0
        for (before, id) in zip(ids, ids.dropFirst()) {
            let logit: Double = id == (before + 1) % 10 ? 1 : 0
            expected += log(exp(1.0) + 9) - logit
        }
        #expect(abs(result.negativeLogLikelihood - expected) < 1e-9)
    }

    @Test("a token has the context that its window gives it")
    func context() async throws {
        // The logit of the right token is the number of tokens fed so far.
        let model = StandInModel(vocabularySize: 2) { [0, Float($0.count)] }
        let result = try await model.perplexity(
            of: [Int32](repeating: 1, count: 12), settings: PerplexitySettings(context: 5, stride: 3))
        // Windows begin at 0, 3, 6: they count the targets 1...5, 6...8, 9...11, with 1...5 tokens fed in the
        // first, 3...5 in the others.
        let fed = [1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5]
        let expected = fed.reduce(0.0) { $0 + log(1 + exp(-Double($1))) }
        #expect(result.tokens == 11)
        #expect(abs(result.negativeLogLikelihood - expected) < 1e-9)
    }

    @Test("no pass has more rows of logits than allowed, and none without need")
    func rows() async throws {
        let model = successor(10)
        var settings = PerplexitySettings(context: 100, stride: 30)
        settings.scoredChunk = 16
        settings.prefillChunk = 40
        let seen = Collector<Int>()
        let result = try await model.perplexity(of: (0..<301).map { Int32($0 % 10) }, settings: settings) {
            done, total in
            seen.append(done)
            #expect(total == 300)
        }
        let wanted = model.seen.passes.map { $0.count(where: \.wantsLogits) }
        #expect(wanted.reduce(0, +) == 300)
        #expect(wanted.allSatisfy { $0 <= 16 })
        #expect(model.seen.passes.allSatisfy { $0.count <= 40 })
        #expect(seen.all.last == 300 && seen.all == seen.all.sorted())
        #expect(result.tokens == 300)
    }

    @Test("the chunks do not change the result")
    func chunks() async throws {
        let model = StandInModel.scrambled(vocabularySize: 30, seed: 9)
        let ids = (0..<100).map { Int32($0 * 7 % 30) }
        var results: Set<Double> = []
        for (scored, prefill) in [(64, 512), (1, 1), (7, 3), (Int.max, Int.max)] {
            var settings = PerplexitySettings(context: 40, stride: 25)
            settings.scoredChunk = scored
            settings.prefillChunk = prefill
            results.insert(try await model.perplexity(of: ids, settings: settings).negativeLogLikelihood)
        }
        #expect(results.count == 1)
    }

    @Test("what cannot be scored is refused")
    func refusals() async throws {
        let model = successor(10, contextLength: 20)
        for ids in [[], [1]] as [[Int32]] {
            await #expect(throws: GenerationError.nothingToScore(tokens: ids.count)) {
                try await model.perplexity(of: ids, settings: PerplexitySettings(context: 10, stride: 10))
            }
        }
        await #expect(throws: GenerationError.promptToken(id: 10, index: 2, vocabularySize: 10)) {
            try await model.perplexity(of: [0, 1, 10], settings: PerplexitySettings(context: 10, stride: 10))
        }
        await #expect(throws: GenerationError.outOfRange(field: "context", found: "512", allowed: "1 to 20"))
        {
            try await model.perplexity(of: [0, 1])
        }
        await #expect(throws: GenerationError.outOfRange(field: "stride", found: "11", allowed: "1 to 10")) {
            try await model.perplexity(of: [0, 1], settings: PerplexitySettings(context: 10, stride: 11))
        }
        #expect(model.seen.passes.isEmpty)
    }

    @Test("broken logits are an error, a token of probability 0 an infinite perplexity")
    func broken() async throws {
        for value in [Float.nan, .infinity] {
            let model = StandInModel(vocabularySize: 3) { _ in [0, value, 1] }
            await #expect(throws: GenerationError.notFinite(position: 0)) {
                try await model.perplexity(of: [0, 1])
            }
        }
        let nothing = StandInModel(vocabularySize: 3) { _ in [Float](repeating: -.infinity, count: 3) }
        await #expect(throws: GenerationError.notFinite(position: 0)) {
            try await nothing.perplexity(of: [0, 1])
        }
        let model = StandInModel(vocabularySize: 3) { _ in [0, -.infinity, 1] }
        #expect(try await model.perplexity(of: [0, 1]).perplexity == .infinity)
    }
}
