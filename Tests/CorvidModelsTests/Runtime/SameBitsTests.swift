import CorvidModels
import CorvidTensors
import TestSupport
import Testing

/// The same bytes over threads, batch, cache and chunks.
@Suite struct SameBitsTests {
    /// Every model in its own type, and some computing in another.
    static let models: [(name: String, type: DType?)] =
        GoldenModel.all.map { ($0, nil) } + [
            ("gguf-q4_1", .f32), ("gguf-k", .bf16), ("gpt2", .bf16), ("llama-bf16", .f16),
            ("gguf-mixed", .f32), ("gguf-f32", .q4_0), ("gguf-k", .q6_K), ("gguf-gpt2", .i8), ("gpt2", .i8),
            ("bert", .bf16), ("t5-gated", .bf16), ("backpack", .bf16),
        ]

    @Test("outputs have the same bits over threads x batch x cache x chunk", arguments: models)
    func grid(name: String, type: DType?) throws {
        let golden = try GoldenModel(name)
        var references: [ModelOutput: [[UInt32]]] = [:]
        for threads in [1, 2, 4] {
            let model = try golden.load(threads: threads, as: type)
            // An encoder reads a sequence at once.
            let isWhole = model.configuration.sees == .wholeSequence
            for batch in [1, 2, 3, 8] {
                for usesCache in isWhole ? [true] : [true, false] {
                    for chunk in isWhole ? [Int.max] : [1, 7, 64] {
                        let schedule = Schedule(
                            threads: threads, batch: batch, chunk: chunk, usesCache: usesCache)
                        for (output, _) in golden.outputs {
                            let rows = try schedule.run(model, golden, output)
                            let bits = rows.map { $0.map(\.bitPattern) }
                            if let reference = references[output] {
                                #expect(bits == reference, "\(schedule)")
                            } else {
                                references[output] = bits
                            }
                        }
                    }
                }
            }
        }
        #expect(!references.isEmpty)
    }

    @Test("a fork of a cache goes on like the original, and neither sees what the other adds")
    func forks() throws {
        let golden = try GoldenModel("gguf-q4_1")
        let model = try golden.load(as: nil)
        let long = (0..<600).map { golden.ids[$0 % golden.ids.count] }
        func run(_ ids: ArraySlice<Int32>, _ cache: KeyValueCache) throws -> [Float] {
            let first = cache.count
            let rows = ids.enumerated().map { index, id in
                Batch<KeyValueCache>.Row(
                    token: id, sequence: 0, position: first + index, wantsLogits: index == ids.count - 1)
            }
            return Array(try model.logitsBlocking(for: Batch(rows: rows, caches: [cache])).row(0))
        }
        let base = try model.makeCache()
        let length = min(300, model.contextLength / 2)
        _ = try run(long[..<length], base)
        let fork = try base.fork()
        let other = try run(long[(length + 5)..<(length + 9)], fork)
        let mine = try run(long[length..<(length + 9)], base)
        let fresh = try model.makeCache()
        #expect(try run(long[..<(length + 9)], fresh) == mine)
        let freshOther = try model.makeCache()
        #expect(try run(long[..<length] + long[(length + 5)..<(length + 9)], freshOther) == other)
        // Cutting back and going on again overwrites what was cut.
        base.truncate(to: length)
        #expect(try run(long[(length + 5)..<(length + 9)], base) == other)
    }

    @Test("a fork after a pass that failed shares nothing that either will write")
    func forkAfterFailure() async throws {
        let golden = try GoldenModel("gguf-q4_1")
        let model = try golden.load(as: nil)
        let length = min(300, model.contextLength)
        func rows(_ ids: [Int32]) -> [Batch<KeyValueCache>.Row] {
            ids.enumerated().map {
                .init(token: $1, sequence: 0, position: $0, wantsLogits: $0 == ids.count - 1)
            }
        }
        let one = (0..<length).map { golden.ids[$0 % golden.ids.count] }
        let other = (0..<length).map { golden.ids[($0 * 3 + 1) % golden.ids.count] }
        let cache = try model.makeCache()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await model.logits(for: Batch(rows: rows(one), caches: [cache]))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(cache.byteCount == 0)
        let fork = try cache.fork()
        let first = try model.logitsBlocking(for: Batch(rows: rows(Array(one.dropLast())), caches: [cache]))
        _ = try model.logitsBlocking(for: Batch(rows: rows(other), caches: [fork]))
        let last = Batch<KeyValueCache>.Row(
            token: one[length - 1], sequence: 0, position: length - 1, wantsLogits: true)
        let found = try model.logitsBlocking(for: Batch(rows: [last], caches: [cache]))
        let fresh = try model.logitsBlocking(for: Batch(rows: rows(one), caches: [try model.makeCache()]))
        #expect(first.rowCount == 1)
        #expect(Array(found.row(0)) == Array(fresh.row(0)))
    }
}
