import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The default model against transformers' logits for its exactly dequantised weights.
    @Suite(.enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
    struct DefaultModelReferenceTests {
        /// What `make-fixtures.py --smollm2` writes.
        private struct Golden: Decodable {
            struct Row: Decodable {
                let position: Int
                let minimum, maximum: Double
                let top_ids: [Int]
                let top_values, values: [Double]
            }
            let ids: [Int32]
            let columns: [Int]
            let rows: [Row]
            let negative_log_likelihood: [Double]
        }

        private func model(_ type: DType?) throws -> Model {
            let store = try #require(Models.storeWithDefault)
            return try Model.load(
                path: store + "/models/SmolLM2-135M-Instruct",
                options: LoadOptions(threads: 2, computeType: type))
        }

        private func golden() throws -> Golden {
            try JSONDecoder().decode(Golden.self, from: Data(try Fixtures.bytes("smollm2-logits.json")))
        }

        private func logits(_ model: Model, _ ids: [Int32]) throws -> Logits {
            let rows = ids.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }
            return try model.logitsBlocking(for: Batch(rows: rows, caches: [try model.makeCache()]))
        }

        @Test("with --dtype f32 its logits are the reference's to 1e-4 of their range") func logitsMatch()
            throws
        {
            let golden = try golden()
            let logits = try logits(try model(.f32), golden.ids)
            for row in golden.rows {
                let found = Array(logits.row(row.position))
                let tolerance = 1e-4 * (row.maximum - row.minimum)
                for (column, value) in zip(golden.columns + row.top_ids, row.values + row.top_values) {
                    #expect(abs(Double(found[column]) - value) <= tolerance, "position \(row.position)")
                }
                #expect(abs(Double(found.max() ?? 0) - row.maximum) <= tolerance)
                #expect(abs(Double(found.min() ?? 0) - row.minimum) <= tolerance)
                #expect(found.firstIndex(of: found.max() ?? 0) == row.top_ids.first)
            }
        }

        @Test("its surprise at each token of the golden text is the reference's") func surprise() async throws
        {
            let golden = try golden()
            let result = try await model(.f32).perplexity(
                of: golden.ids, settings: PerplexitySettings(context: 512, stride: 512))
            let expected = golden.negative_log_likelihood.reduce(0, +)
            #expect(result.tokens == golden.negative_log_likelihood.count)
            #expect(abs(result.negativeLogLikelihood - expected) <= 1e-4 * expected)
        }

        @Test("the fast path keeps the perplexity of English prose within 0.5 %") func prose() async throws {
            let text = String(decoding: try Fixtures.bytes("prose.txt"), as: UTF8.self)
            let exact = try model(.f32)
            let ids = try exact.tokenizer.encode(text)
            let settings = PerplexitySettings(context: 512, stride: 512)
            let reference = try await exact.perplexity(of: ids, settings: settings)
            let fast = try await model(nil).perplexity(of: ids, settings: settings)
            #expect(
                abs(fast.perplexity / reference.perplexity - 1) <= 0.005,
                "\(fast.perplexity) for \(reference.perplexity)")
        }

        @Test("the same bits over threads, chunks, cache and what runs beside it") func sameBits() throws {
            let ids = try golden().ids
            let wanted = Array(try logits(try model(nil), ids).row(ids.count - 1)).map(\.bitPattern)
            for threads in [1, 2, 4] {
                let store = try #require(Models.storeWithDefault)
                let model = try Model.load(
                    path: store + "/models/SmolLM2-135M-Instruct", options: LoadOptions(threads: threads))
                for (batch, chunk) in [(1, 1), (3, 7), (8, 64)] {
                    var found: [Float] = []
                    let caches = try (0..<batch).map { _ in try model.makeCache() }
                    for start in stride(from: 0, to: ids.count, by: chunk) {
                        let places = start..<min(ids.count, start + chunk)
                        let rows = (0..<batch).flatMap { sequence in
                            places.map { position in
                                Batch<KeyValueCache>.Row(
                                    token: sequence == batch - 1
                                        ? ids[position] : ids[ids.count - 1 - position],
                                    sequence: sequence, position: position,
                                    wantsLogits: sequence == batch - 1 && position == ids.count - 1)
                            }
                        }
                        let logits = try model.logitsBlocking(for: Batch(rows: rows, caches: caches))
                        if logits.rowCount == 1 { found = Array(logits.row(0)) }
                    }
                    #expect(
                        found.map(\.bitPattern) == wanted,
                        "threads \(threads), batch \(batch), chunk \(chunk)")
                }
            }
        }
    }
}
