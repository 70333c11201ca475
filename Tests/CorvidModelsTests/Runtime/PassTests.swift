import CorvidModels
import CorvidTensors
import TestSupport
import Testing

/// Rows that cannot be run, and cancellation.
@Suite struct PassTests {
    private func row(_ token: Int32, _ position: Int, sequence: Int = 0) -> Batch<KeyValueCache>.Row {
        .init(token: token, sequence: sequence, position: position, wantsLogits: true)
    }

    @Test("a row outside the vocabulary, the order or the context is refused and changes nothing")
    func refusals() throws {
        let golden = try GoldenModel("gpt2")
        let model = try golden.load()
        let cache = try model.makeCache()
        func run(_ rows: [Batch<KeyValueCache>.Row]) throws {
            _ = try model.logitsBlocking(for: Batch(rows: rows, caches: [cache]))
        }
        let size = model.vocabularySize
        #expect(throws: PassError.token(id: -1, vocabularySize: size)) { try run([row(-1, 0)]) }
        #expect(throws: PassError.token(id: Int32(size), vocabularySize: size)) {
            try run([row(Int32(size), 0)])
        }
        #expect(throws: PassError.position(found: 1, expected: 0)) { try run([row(0, 1)]) }
        #expect(throws: PassError.position(found: 0, expected: 1)) { try run([row(0, 0), row(0, 0)]) }
        #expect(throws: PassError.sequence(index: 1, count: 1)) { try run([row(0, 0, sequence: 1)]) }
        #expect(throws: PassError.sequence(index: -1, count: 1)) { try run([row(0, 0, sequence: -1)]) }
        let tooMany = (0...model.contextLength).map { row(1, $0) }
        let error = PassError.contextFull(
            positions: model.contextLength + 1, contextLength: model.contextLength)
        #expect(throws: error) { try run(tooMany) }
        #expect(cache.count == 0)
        try run([row(0, 0), row(1, 1)])
        #expect(cache.count == 2)
    }

    @Test("an empty batch gives no logits")
    func emptyBatch() throws {
        let model = try GoldenModel("gguf-q4_1").load(as: nil)
        #expect(try model.logitsBlocking(for: Batch(rows: [], caches: [])).rowCount == 0)
        let cache = try model.makeCache()
        let silent = Batch<KeyValueCache>.Row(token: 1, sequence: 0, position: 0, wantsLogits: false)
        #expect(try model.logitsBlocking(for: Batch(rows: [silent], caches: [cache])).rowCount == 0)
        #expect(cache.count == 1)
    }

    @Test("a cancelled pass throws and leaves its cache as it was")
    func cancellation() async throws {
        let model = try GoldenModel("gguf-q4_1").load(as: nil)
        let cache = try model.makeCache()
        let batch = Batch(rows: [row(1, 0), row(2, 1)], caches: [cache])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await model.logits(for: batch)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(cache.count == 0)
        #expect(try await model.logits(for: batch).rowCount == 2)
        #expect(cache.count == 2)
    }
}
