import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

/// Logits against the reference implementation in float64.
@Suite struct ReferenceTests {
    @Test("every family has a golden model")
    func everyFamily() throws {
        let families = try Set(GoldenModel.all.map { try GoldenModel($0).load().configuration.family.name })
        #expect(families == Set(Family.all.map(\.name)))
    }

    @Test("a tiny model's logits are the reference's to 1e-4 of their range", arguments: GoldenModel.all)
    func logitsMatch(name: String) throws {
        let golden = try GoldenModel(name)
        // Beyond its trained context a dynamically scaled model is defined token by token.
        let schedule = name == "llama-rope-dynamic" ? Schedule(threads: 2, chunk: 1) : Schedule(threads: 2)
        let logits = try schedule.logits(try golden.load(), golden.ids)
        try #require(logits.count == golden.logits.count)
        let (least, most) = range(golden.logits)
        for (position, (found, expected)) in zip(logits, golden.logits).enumerated() {
            try #require(found.count == expected.count)
            let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= 1e-4 * (most - least), "position \(position)")
        }
    }

    @Test(
        "the file's own type stays close to the reference, and keeps the most likely token nearly always",
        arguments: GoldenModel.all)
    func ownTypeIsClose(name: String) throws {
        let golden = try GoldenModel(name)
        let schedule = name == "llama-rope-dynamic" ? Schedule(threads: 2, chunk: 1) : Schedule(threads: 2)
        let logits = try schedule.logits(try golden.load(as: nil), golden.ids)
        let (least, most) = range(golden.logits)
        var squares = 0.0
        var count = 0
        for (found, expected) in zip(logits, golden.logits) {
            for (a, b) in zip(found, expected) {
                squares += Double((a - b) * (a - b))
                count += 1
            }
        }
        let deviation = (squares / Double(count)).squareRoot() / Double(most - least)
        #expect(deviation < 0.02, "root mean square deviation \(deviation) of the range")
    }

    private func range(_ logits: [[Float]]) -> (Float, Float) {
        (logits.map { $0.min() ?? 0 }.min() ?? 0, logits.map { $0.max() ?? 0 }.max() ?? 0)
    }
}
