import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@Suite struct ContinuationScorerTests {
    private static let vocabulary = 40
    private let shared: [Int32] = (0..<30).map { Int32($0 * 7 % 40) }

    private func prompts(_ count: Int) -> [[Int32]] {
        (0..<count).map { (index: Int) -> [Int32] in
            let own = (0...index % 5).map { (place: Int) -> Int32 in Int32((index * 11 + place * 3) % 40) }
            return shared + own
        }
    }

    /// Labels of one token, and longer ones that share beginnings at several depths.
    private let labels: [[Int32]] = [
        [1], [2, 3], [2, 4, 5], [2, 4, 6, 7], [8, 9, 10, 11], [8, 9, 12], [8, 13], [2, 14, 15], [16, 17],
    ]

    private func model(contextLength: Int = 1_024) -> StandInModel {
        StandInModel.scrambled(vocabularySize: Self.vocabulary, contextLength: contextLength, seed: 3)
    }

    /// log P by the whole softmax in double, token by token, without any cache.
    private func expected(_ label: [Int32], after prompt: [Int32]) async throws -> Double {
        let model = model()
        var sum = 0.0
        for count in label.indices {
            let ids = prompt + label[..<count]
            let rows = ids.indices.map {
                Batch<TokenCache>.Row(
                    token: ids[$0], sequence: 0, position: $0, wantsLogits: $0 == ids.count - 1)
            }
            let logits = try await model.logits(for: Batch(rows: rows, caches: [model.makeCache()])).row(0)
            let powers = logits.map { exp(Double($0)) }
            sum += log(powers[Int(label[count])] / powers.reduce(0, +))
        }
        return sum
    }

    @Test("probabilities of labels of any length are those of the whole softmax, token by token")
    func agrees() async throws {
        let prompts = prompts(7)
        let scorer = try await ContinuationScorer(model(), context: shared)
        let found = try await scorer.logProbabilities(of: ContinuationTree(labels), after: prompts)
        for (prompt, row) in zip(prompts, found) {
            for (label, value) in zip(labels, row) {
                let exact = try await expected(label, after: prompt)
                #expect(abs(exp(value - exact) - 1) < 1e-9, "\(label)")
            }
        }
    }

    @Test(
        "results do not depend on how many prompts run together, nor on what they share",
        arguments: [(1, 1, 1), (2, 5, 3), (64, 512, 64), (3, 1_000, 1)], [0, 10, 30])
    func sameBits(sizes: (sequences: Int, rows: Int, scored: Int), context: Int) async throws {
        var settings = ContinuationScorerSettings()
        (settings.sequences, settings.rows, settings.scoredRows) = sizes
        // Prompts that leave the shared beginning early, in between, and not at all.
        let prompts = prompts(9) + [[5], Array(shared.prefix(12)) + [9], shared, Array(shared.prefix(3))]
        let tree = try ContinuationTree(labels)
        let usual = try await ContinuationScorer(model(), context: []).logProbabilities(
            of: tree, after: prompts)
        let other = try await ContinuationScorer(
            model(), context: Array(shared.prefix(context)), settings: settings
        ).logProbabilities(of: tree, after: prompts)
        #expect(usual == other)
    }

    @Test("the context is run once, a prompt costs its own tokens, and a long label what it does not share")
    func cost() async throws {
        let model = model()
        let prompts = prompts(20)
        let own = prompts.reduce(0) { $0 + $1.count - shared.count }
        let scorer = try await ContinuationScorer(model, context: shared)
        #expect(model.seen.rows == shared.count)
        _ = try await scorer.logProbabilities(of: ContinuationTree([[1], [2], [3]]), after: prompts)
        #expect(model.seen.rows == shared.count + own)
        #expect(model.seen.passes.count == 2)
        let before = model.seen.rows
        // 2 and 2 4 lie before two labels each, 8 and 8 9 before others: 6 inner nodes with 14 and 16.
        _ = try await scorer.logProbabilities(of: ContinuationTree(labels), after: prompts)
        let inner = Set(labels.flatMap { label in label.indices.dropFirst().map { Array(label[..<$0]) } })
        #expect(model.seen.rows - before == own + inner.count * prompts.count)
        let scored = model.seen.passes.map { $0.count(where: \.wantsLogits) }
        #expect(scored.allSatisfy { $0 <= 64 })
    }

    @Test("what prompts have in common ends before the last token of each")
    func commonBeginning() {
        typealias Scorer = ContinuationScorer<StandInModel>
        #expect(Scorer.commonBeginning(of: [[1, 2, 3], [1, 2, 4]]) == [1, 2])
        #expect(Scorer.commonBeginning(of: [[1, 2], [1, 2, 4]]) == [1])
        #expect(Scorer.commonBeginning(of: [[1, 2, 3]]) == [1, 2])
        #expect(Scorer.commonBeginning(of: [[5], []]) == [])
        #expect(Scorer.commonBeginning(of: []) == [])
    }

    @Test("labels that cannot be told apart are refused, in either order") func labelsRefused() throws {
        #expect(throws: ContinuationError.noContinuations) { try ContinuationTree([]) }
        #expect(throws: ContinuationError.empty(index: 1)) { try ContinuationTree([[1], []]) }
        #expect(throws: ContinuationError.begins(shorter: 0, longer: 1)) {
            try ContinuationTree([[1, 2], [1, 2]])
        }
        #expect(throws: ContinuationError.begins(shorter: 0, longer: 1)) {
            try ContinuationTree([[1], [1, 2, 3]])
        }
        #expect(throws: ContinuationError.begins(shorter: 1, longer: 0)) {
            try ContinuationTree([[1, 2, 3], [1]])
        }
    }

    @Test("what does not fit or has no tokens is refused before anything is run") func refused() async throws
    {
        let model = model(contextLength: 34)
        let tree = try ContinuationTree([[1], [2, 3, 4]])
        await #expect(throws: ContinuationError.tooLong(prompt: 0, tokens: 35, contextLength: 34)) {
            _ = try await ContinuationScorer(model, context: shared + [1, 2, 3, 4, 5])
        }
        let scorer = try await ContinuationScorer(model, context: [])
        await #expect(throws: ContinuationError.tooLong(prompt: 1, tokens: 35, contextLength: 34)) {
            try await scorer.logProbabilities(of: tree, after: [shared, shared + [1, 2, 3]])
        }
        await #expect(throws: ContinuationError.emptyPrompt(index: 0)) {
            try await scorer.logProbabilities(of: tree, after: [[]])
        }
        await #expect(throws: GenerationError.promptToken(id: 40, index: 1, vocabularySize: 40)) {
            try await scorer.logProbabilities(of: tree, after: [[1, 40]])
        }
        await #expect(throws: GenerationError.promptToken(id: -1, index: 0, vocabularySize: 40)) {
            try await scorer.logProbabilities(of: ContinuationTree([[-1]]), after: [[1]])
        }
        var settings = ContinuationScorerSettings()
        settings.sequences = 0
        await #expect(
            throws: GenerationError.outOfRange(field: "sequences", found: "0", allowed: "1 or more")
        ) { _ = try await ContinuationScorer(model, context: [], settings: settings) }
        #expect(model.seen.passes.isEmpty)
        #expect(try await scorer.logProbabilities(of: tree, after: []).isEmpty)
    }

    @Test("broken logits are an error") func broken() async throws {
        let model = StandInModel(vocabularySize: 3) { _ in [0, .nan, 1] }
        let scorer = try await ContinuationScorer(model, context: [])
        await #expect(throws: GenerationError.notFinite(position: 0)) {
            try await scorer.logProbabilities(of: ContinuationTree([[1]]), after: [[2]])
        }
    }

    @Test("a real model gives the same bits with and without a shared context, over pages of its cache")
    func realModel() async throws {
        let model = try Model.load(path: Fixtures.path("Models/gguf-q8_0/model.gguf"))
        let context = (0..<40).map { Int32($0 * 13 % 250) }
        let prompts = (0..<12).map { (index: Int) -> [Int32] in
            context + (0...index).map { (place: Int) -> Int32 in Int32((place * 31 + index) % 250) }
        }
        let tree = try ContinuationTree([[5], [6, 7], [6, 8, 9], [10, 11]])
        let whole = try await ContinuationScorer(model, context: []).logProbabilities(
            of: tree, after: prompts)
        var settings = ContinuationScorerSettings()
        settings.sequences = 5
        let shared = try await ContinuationScorer(model, context: context, settings: settings)
            .logProbabilities(of: tree, after: prompts)
        #expect(whole == shared)
        #expect(Set(whole.map { $0[0] }).count == prompts.count)
    }

    @Test("the memory for copies decides how many prompts are under way") func memory() {
        #expect(ContinuationScorerSettings(bytes: 1 << 30, cacheBytesPerPosition: 23_040).sequences == 64)
        #expect(ContinuationScorerSettings(bytes: 1 << 30, cacheBytesPerPosition: 458_752).sequences == 4)
        #expect(ContinuationScorerSettings(bytes: 0, cacheBytesPerPosition: 0).sequences == 1)
        #expect(
            ContinuationScorerSettings(bytes: 1, cacheBytesPerPosition: .max, positions: .max).sequences == 1)
    }
}
