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

    @Test("what a tiny model gives is the reference's to 1e-4 of its range", arguments: GoldenModel.all)
    func outputsMatch(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load()
        for (output, expected) in golden.outputs {
            let found = try schedule(name).run(model, golden, output)
            try #require(found.count == expected.count)
            let (least, most) = range(expected)
            for (position, (found, expected)) in zip(found, expected).enumerated() {
                try #require(found.count == expected.count)
                let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
                #expect(difference <= 1e-4 * (most - least), "\(output) at position \(position)")
            }
        }
    }

    @Test(
        "the file's own type stays close to the reference, and keeps the most likely token nearly always",
        arguments: GoldenModel.all)
    func ownTypeIsClose(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        for (output, expected) in golden.outputs {
            let found = try schedule(name).run(model, golden, output)
            let (least, most) = range(expected)
            var squares = 0.0
            var count = 0
            for (found, expected) in zip(found, expected) {
                for (a, b) in zip(found, expected) {
                    squares += Double((a - b) * (a - b))
                    count += 1
                }
            }
            let deviation = (squares / Double(count)).squareRoot() / Double(most - least)
            #expect(deviation < 0.02, "root mean square deviation \(deviation) of the range of \(output)")
        }
    }

    /// Beyond its trained context a dynamically scaled model is defined token by token.
    private func schedule(_ name: String) -> Schedule {
        name == "llama-rope-dynamic" ? Schedule(threads: 2, chunk: 1) : Schedule(threads: 2)
    }

    private func range(_ logits: [[Float]]) -> (Float, Float) {
        (logits.map { $0.min() ?? 0 }.min() ?? 0, logits.map { $0.max() ?? 0 }.max() ?? 0)
    }
}
