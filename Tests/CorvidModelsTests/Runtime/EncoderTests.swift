import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// Passes of encoders and encoder-decoders that differ from a decoder's.
@Suite struct EncoderTests {
    private typealias Row = Batch<KeyValueCache>.Row

    @Test("distances fall into T5's buckets")
    func buckets() throws {
        let buckets = try #require(DistanceBuckets(count: 32, limit: 128))
        func bucket(_ distance: Int, _ sees: Family.Visibility) -> Int {
            buckets.bucket(of: distance, sees: sees)
        }
        // One way: 16 small distances, then 16 steps to 128.
        #expect((0...16).map { bucket(-$0, .earlier) } == Array(0...16))
        #expect(
            [20, 32, 64, 100, 127, 128, 5000].map { bucket(-$0, .earlier) } == [17, 21, 26, 30, 31, 31, 31])
        #expect(bucket(3, .earlier) == 0)
        // Both ways: 8 small distances and 8 steps each, later keys in the second half.
        #expect((0...8).map { bucket(-$0, .wholeSequence) } == Array(0...8))
        #expect((1...8).map { bucket($0, .wholeSequence) } == Array(17...24))
        // The steps themselves, where a rounding would show: 8 · 16^(k/8).
        #expect([16, 32, 64, 128].map { bucket(-$0, .wholeSequence) } == [10, 12, 14, 15])
        #expect([15, 31, 63, 127].map { bucket($0, .wholeSequence) } == [25, 27, 29, 31])
        for distance in -200...200 {
            #expect((0..<32).contains(bucket(distance, .earlier)))
            #expect((0..<32).contains(bucket(distance, .wholeSequence)))
        }
        #expect(DistanceBuckets(count: 32, limit: 16) == nil)
        #expect(DistanceBuckets(count: 3, limit: 16) == nil)
    }

    @Test("an encoder refuses a sequence that does not come at once, and token types that it does not have")
    func refusals() throws {
        let model = try GoldenModel("bert").load()
        let cache = try model.makeCache()
        func run(_ rows: [Row]) throws {
            _ = try model.outputBlocking(.states, for: Batch(rows: rows, caches: [cache]))
        }
        func row(_ position: Int, type: Int = 0) -> Row {
            .init(token: 5, sequence: 0, position: position, wantsLogits: true, tokenType: type)
        }
        #expect(throws: PassError.tokenType(found: 2, count: 2)) { try run([row(0), row(1, type: 2)]) }
        #expect(throws: PassError.tokenType(found: -1, count: 2)) { try run([row(0, type: -1)]) }
        try run([row(0), row(1, type: 1)])
        #expect(throws: PassError.notWhole(position: 2)) { try run([row(2)]) }
        let other = try model.makeCache()
        let apart = [row(0), Row(token: 5, sequence: 1, position: 0, wantsLogits: true), row(1)]
        #expect(throws: PassError.notWhole(position: 1)) {
            try model.outputBlocking(
                .states, for: Batch(rows: apart, caches: [other, try model.makeCache()]))
        }
        let decoder = try GoldenModel("gpt2").load()
        #expect(throws: PassError.tokenType(found: 1, count: 0)) {
            try decoder.logitsBlocking(
                for: Batch(rows: [row(0, type: 1)], caches: [try decoder.makeCache()]))
        }
    }

    @Test("a model refuses outputs that it was not made for, and gives the states before any")
    func outputs() throws {
        let row = Row(token: 5, sequence: 0, position: 0, wantsLogits: true)
        func run(_ name: String, _ output: ModelOutput) throws -> RowValues {
            let model = try GoldenModel(name).load()
            return try model.outputBlocking(output, for: Batch(rows: [row], caches: [try model.makeCache()]))
        }
        for (name, output) in [
            ("bert-sentence", ModelOutput.logits), ("bert-classifier", .logits), ("gpt2", .labels),
            ("gpt2", .pooled), ("t5-encoder", .logits), ("gptj-classifier", .logits),
        ] {
            let error = try #require(throws: OutputError.self) { try run(name, output) }
            guard case .missing(output, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
        for name in ["bert", "bert-classifier", "gpt2", "gptj-classifier", "opt-350m", "mpnet"] {
            #expect(try run(name, .states).rowCount == 1, "\(name)")
        }
    }

    @Test("a sequence of an encoder-decoder needs a source text, and its forks share it")
    func source() throws {
        let golden = try GoldenModel("t5")
        let model = try golden.load()
        let first = Row(token: 0, sequence: 0, position: 0, wantsLogits: true)
        #expect(throws: PassError.noSource(sequence: 0)) {
            try model.logitsBlocking(for: Batch(rows: [first], caches: [try model.makeCache()]))
        }
        #expect(throws: PassError.source(length: 0)) { try model.makeCacheBlocking(source: []) }
        #expect(throws: PassError.token(id: 272, vocabularySize: 272)) {
            try model.makeCacheBlocking(source: [272])
        }
        let decoder = try GoldenModel("gpt2").load()
        #expect(throws: PassError.source(length: 1)) { try decoder.makeCacheBlocking(source: [1]) }

        let cache = try model.makeCacheBlocking(source: try #require(golden.source))
        let fork = try cache.fork()
        let one = try model.logitsBlocking(for: Batch(rows: [first], caches: [cache]))
        let two = try model.logitsBlocking(for: Batch(rows: [first], caches: [fork]))
        #expect(one.row(0) == two.row(0))
        #expect(zip(one.row(0), golden.logits[0]).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test("sequences with different sources in one pass give what each gives alone")
    func sources() throws {
        let golden = try GoldenModel("t5-gated")
        let model = try golden.load()
        let source = try #require(golden.source)
        let sources = [source, Array(source.prefix(7)), Array(source.reversed())]
        func logits(_ sources: [[Int32]]) throws -> [[Float]] {
            let caches = try sources.map(model.makeCacheBlocking)
            var rows: [Row] = []
            for sequence in sources.indices {
                for position in 0..<5 {
                    // Not the same rows of each, so that their places move together.
                    let wants = position == 4 || (sequence == 1 && position == 2)
                    rows.append(
                        .init(
                            token: golden.ids[position], sequence: sequence, position: position,
                            wantsLogits: wants))
                }
            }
            let logits = try model.logitsBlocking(for: Batch(rows: rows, caches: caches))
            return (0..<logits.rowCount).map { Array(logits.row($0)) }
        }
        let together = try logits(sources)
        #expect(together.count == 4)
        #expect(together[0] == (try logits([sources[0]])).last)
        #expect(together[2] == (try logits([sources[1]])).last)
        #expect(together[3] == (try logits([sources[2]])).last)
        #expect(together[0] != together[3])
    }
}
