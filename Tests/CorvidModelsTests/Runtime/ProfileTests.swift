import CorvidTensors
import Testing

@testable import CorvidModels

/// What a profile sees of a whole pass.
@Suite struct ProfileTests {
    static let shared: [PassPart] = [
        .norms, .rounding, .queryKeyValue, .cache, .attention, .attentionOutput, .mlpUp, .mlpDown, .head,
        .other,
    ]

    @Test(
        "every part that a family has is seen in a pass",
        arguments: [
            ("gpt-j-6b", [PassPart.rotary]), ("gpt2", []), ("smollm2-135m", [.rotary]),
            ("opt-350m", [.product]),
            ("bloom-560m", []),
        ])
    func parts(name: String, others: [PassPart]) throws {
        let shape = try #require(ModelShape.named(name))
        let pool = try WorkerPool(threads: 2)
        let checkpoint = try RandomCheckpoint(
            try shape.configuration(layers: 2), type: .q4_0, name: name, pool: pool)
        let model = try Model.random(checkpoint, pool: pool)
        let rows = (0..<4).map {
            Batch<KeyValueCache>.Row(token: Int32($0), sequence: 0, position: $0, wantsLogits: $0 == 3)
        }
        try pool.startProfile()
        _ = try model.logitsBlocking(for: Batch(rows: rows, caches: [try model.makeCache()]))
        let profile = try #require(try pool.stopProfile())
        #expect(profile.passes == 1)
        let seen = Set(PassPart.allCases.filter { profile[$0].seconds > 0 })
        #expect(seen == Set(Self.shared + others))
        // Both blocks multiply into their MLP, and the head is one product.
        #expect(profile[.mlpUp].calls == 2 && profile[.head].calls == 1)
    }

    @Test("a prompt costs the operations of what is computed, and no more") func operations() throws {
        let shape = try #require(ModelShape.named("pythia-70m"))
        let pool = try WorkerPool(threads: 1)
        let checkpoint = try RandomCheckpoint(
            try shape.configuration(layers: 2), type: .q4_0, name: "p", pool: pool)
        let model = try Model.random(checkpoint, pool: pool)
        let width = 512.0
        let block = 2 * width * width * (3 + 1 + 4 + 4)
        let head = 2 * width * 50304
        #expect(model.operations(rows: 1, logits: 1) == 2 * block + head)
        // The last block multiplies nine rows into queries, keys and values, and one with the rest.
        let projections = 2 * width * width * 3
        #expect(
            model.operations(rows: 9, logits: 1) == 9 * block + 9 * projections + (block - projections) + head
        )
        #expect(model.operations(rows: 9, logits: 0) == 9 * block + 9 * projections)
        #expect(model.arithmetic == .int8)
    }
}
