import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@testable import CorvidEvaluation

@Suite struct LogitLensTests {
    static let ids: [Int32] = [5, 9, 31, 7, 40]

    private func model(_ name: String) throws -> Model {
        try Model.load(
            path: Fixtures.path("Models/\(name)"), options: LoadOptions(threads: 2, computeType: .f32))
    }

    @Test(
        "the last stage is the model's own distribution, the others are the head on their residuals",
        arguments: ["gptj", "gpt2", "llama", "opt-350m", "bloom"])
    func stages(name: String) async throws {
        let model = try model(name)
        let lens = try await LogitLens(model, ids: Self.ids, token: 3, top: 4)
        let layers = model.configuration.layers
        #expect(lens.stages.map(\.layer) == [nil] + (0..<layers).map { $0 })
        let rows = Self.ids.enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let run = try await model.run(
            SitePlan(readings: [SiteReading(.output(of: 0))]), Batch(rows: rows, caches: [model.makeCache()]))
        let first = try await model.readOut(run.readings[0].values)
        for position in Self.ids.indices {
            for (logits, stage) in [(run.output.row(position), layers), (first.row(position), 1)] {
                let reading = lens.stages[stage].readings[position]
                let weights = logits.map { Foundation.exp(Double($0)) }
                let sum = weights.reduce(0, +)
                let probabilities = weights.map { $0 / sum }
                #expect(reading.position == position)
                #expect(abs((reading.probability ?? 0) - probabilities[3]) < 1e-9)
                let order = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
                #expect(reading.top.map { Int($0.id) } == Array(order.prefix(4)))
                let entropy = -probabilities.reduce(0) { $0 + $1 * Foundation.log($1) }
                #expect(abs(reading.entropy - entropy) < 1e-6)
            }
            #expect(lens.stages[layers].readings[position].divergence < 1e-9)
            #expect(lens.stages[0].readings[position].divergence > 1e-3)
        }
    }

    @Test("only the positions that are asked for are read") func positions() async throws {
        let model = try model("gptj")
        let all = try await LogitLens(model, ids: Self.ids)
        let some = try await LogitLens(model, ids: Self.ids, positions: .lastOfPrompt)
        for (stage, whole) in zip(some.stages, all.stages) {
            #expect(stage.readings.map(\.position) == [4])
            #expect(stage.readings[0].entropy == whole.readings[4].entropy)
        }
    }

    @Test("a model without a lens, an empty text and an unknown token are refused") func refusals()
        async throws
    {
        let backpack = try model("backpack")
        await #expect(throws: TracingError.noLens(family: "backpack")) {
            try await LogitLens(backpack, ids: Self.ids)
        }
        let gptj = try model("gptj")
        await #expect(throws: TracingError.noTokens) { try await LogitLens(gptj, ids: []) }
        await #expect(throws: TracingError.answer(id: 283, vocabulary: 283)) {
            try await LogitLens(gptj, ids: Self.ids, token: 283)
        }
        await #expect(throws: TracingError.tooLong(tokens: 65, context: 64)) {
            try await LogitLens(gptj, ids: [Int32](repeating: 1, count: 65))
        }
    }
}
