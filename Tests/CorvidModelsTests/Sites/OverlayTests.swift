import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// What is laid over a model's weights.
@Suite struct OverlayTests {
    private static let families = ["gptj", "gpt2", "gpt-neox", "llama", "gguf-q4_1", "bloom", "opt", "mpt"]

    private func logits(_ model: Model, _ golden: GoldenModel) throws -> [UInt32] {
        SiteTests.bits(try model.logitsBlocking(for: try SiteTests.batch(golden, model)))
    }

    private func values(_ count: Int, _ seed: Int) -> [Float] {
        (0..<count).map { Float(($0 &* 7919 &+ seed &* 31) % 101 - 50) / 400 }
    }

    /// [outputs, inputs] of weights that every family has.
    private func shape(_ role: WeightRole, _ c: ModelConfiguration) -> (outputs: Int, inputs: Int) {
        switch role {
        case .query: (c.heads * c.headWidth, c.width)
        case .key, .value: (c.keyValueHeads * c.headWidth, c.width)
        case .attentionOutput: (c.width, c.heads * c.headWidth)
        case .up: (c.hidden, c.width)
        case .down: (c.width, c.hidden)
        default: (c.vocabulary, c.width)
        }
    }

    @Test(
        "a delta of any form gives what the dense one gives, and taking it off restores every bit",
        arguments: families)
    func forms(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        let plain = try logits(model, golden)
        for role in [WeightRole.query, .key, .value, .attentionOutput, .up, .down, .head] {
            let target = WeightTarget(role, layer: role == .head ? nil : 1)
            let (outputs, inputs) = shape(role, model.configuration)
            func linear(_ values: [Float], _ rows: Int, _ columns: Int) throws -> Linear {
                try Linear(try Tensor(values, shape: [rows, columns]))
            }
            let (down, up) = (values(2 * inputs, 1), values(outputs * 2, 2))
            var dense = [Float](repeating: 0, count: outputs * inputs)
            for row in 0..<outputs {
                for column in 0..<inputs {
                    dense[row * inputs + column] =
                        up[row * 2] * down[column] + up[row * 2 + 1] * down[inputs + column]
                }
            }
            func with(_ delta: WeightDelta) throws -> [Float] {
                var overlay = ModelOverlay()
                overlay.weights[target] = [delta]
                let changed = try model.laying(overlay)
                let run = try changed.logitsBlocking(for: try SiteTests.batch(golden, changed))
                return (0..<run.rowCount).flatMap { run.row($0) }
            }
            let whole = try with(WeightDelta(factors: [linear(dense, outputs, inputs)], scale: 2))
            let factors = try with(
                WeightDelta(factors: [linear(down, 2, inputs), linear(up, outputs, 2)], scale: 2))
            let rows = try with(
                WeightDelta(
                    factors: [linear(dense, outputs, inputs)], outputs: Array(0..<outputs), scale: 2))
            // The columns in another order.
            let order = Array((0..<inputs).reversed())
            let turned = (0..<outputs).flatMap { row in order.map { dense[row * inputs + $0] } }
            let columns = try with(
                WeightDelta(factors: [linear(turned, outputs, inputs)], inputs: order, scale: 2))
            #expect(whole.map(\.bitPattern) != plain, "\(role)")
            for other in [factors, rows, columns] {
                let difference = zip(whole, other).map { abs($0 - $1) }.max() ?? 0
                let range = (whole.max() ?? 0) - (whole.min() ?? 0)
                #expect(difference <= 1e-5 * max(1, range), "\(role)")
            }
        }
        #expect(try logits(model, golden) == plain)
    }

    @Test("a changed query matrix means the same rows in every file format") func canonicalRows() throws {
        // The GGUF file stores rows of queries and keys in another order than the folder it was made from.
        let changes = try ["llama", "gguf-f32"].map { name -> [Float] in
            let model = try Model.load(path: Fixtures.path("Models/\(name)"))
            let c = model.configuration
            let site = Site(.query, layer: 0)
            var batch = Batch<KeyValueCache>(rows: [], caches: [try model.makeCache()])
            batch.rows = [.init(token: 3, sequence: 0, position: 0, wantsLogits: true)]
            func query(_ model: Model) throws -> [Float] {
                batch.caches = [try model.makeCache()]
                return try model.runBlocking(SitePlan(readings: [SiteReading(site)]), batch).readings[0]
                    .values
            }
            var overlay = ModelOverlay()
            let bias = values(c.heads * c.headWidth, 5)
            overlay.weights[WeightTarget(.query, layer: 0)] = [WeightDelta(bias: try Vector(bias))]
            let (before, after) = (try query(model), try query(try model.laying(overlay)))
            for (index, (a, b)) in zip(before, after).enumerated() {
                #expect(abs(b - a - bias[index]) < 1e-5, "\(name), row \(index)")
            }
            return after
        }
        #expect(changes.allSatisfy { !$0.isEmpty })
    }

    @Test(
        "keys and values of a text's beginning, laid before the rest, give the logits of the whole",
        arguments: families)
    func prefixes(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: .f32)
        let c = model.configuration
        let count = 3
        let sites = (0..<c.layers).flatMap { [Site(.rotatedKey, layer: $0), Site(.value, layer: $0)] }
        let whole = try model.runBlocking(
            SitePlan(readings: sites.map { SiteReading($0, positions: .range(0..<count)) }),
            try SiteTests.batch(golden, model))
        var overlay = ModelOverlay()
        overlay.prefix = KeyValuePrefix(
            positions: count,
            keys: (0..<c.layers).map { whole.readings[2 * $0].values },
            values: (0..<c.layers).map { whole.readings[2 * $0 + 1].values })
        let prefixed = try model.laying(overlay)
        let rest = golden.ids.dropFirst(count)
        for chunk in [1, rest.count] {
            let cache = try prefixed.makeCache()
            var found: [UInt32] = []
            for start in stride(from: 0, to: rest.count, by: chunk) {
                let rows = rest.dropFirst(start).prefix(chunk).enumerated().map {
                    Batch<KeyValueCache>.Row(
                        token: $1, sequence: 0, position: start + $0, wantsLogits: true)
                }
                let run = try prefixed.logitsBlocking(for: Batch(rows: rows, caches: [try cache.fork()]))
                found += SiteTests.bits(run)
                _ = try prefixed.logitsBlocking(for: Batch(rows: rows, caches: [cache]))
            }
            let expected = (count..<golden.ids.count).flatMap { whole.output.row($0).map(\.bitPattern) }
            #expect(found == expected, "chunk \(chunk)")
            #expect(cache.count == rest.count)
        }
    }

    @Test("a table gives changed vectors for the rows that change, and a tied output keeps its own")
    func tables() throws {
        let golden = try GoldenModel("gptj-tied")
        let model = try golden.load(as: nil)
        let width = model.configuration.embeddingWidth
        let vector = values(width, 3)
        func embedding(_ model: Model) throws -> [SiteValues] {
            try model.runBlocking(
                SitePlan(readings: [SiteReading(.embedding), SiteReading(.finalNorm)]),
                try SiteTests.batch(golden, model)
            ).readings
        }
        let token = Int(golden.ids[0])
        var rows = ModelOverlay()
        rows.tables[WeightTarget(.tokenEmbedding)] = [.rows([token: vector], scale: 2)]
        let before = try embedding(model)
        let after = try embedding(try model.laying(rows))
        for (row, id) in golden.ids.enumerated() {
            let expected = zip(before[0][row], vector).map { Int(id) == token ? $0 + 2 * $1 : $0 }
            #expect(Array(after[0][row]) == expected)
        }
        // A low-rank change with one column of `down` set is a change of one row.
        var down = [Float](repeating: 0, count: model.configuration.vocabulary)
        down[token] = 2
        var lowRank = ModelOverlay()
        lowRank.tables[WeightTarget(.tokenEmbedding)] = [.lowRank(down: down, up: vector, rank: 1)]
        let same = try embedding(try model.laying(lowRank))
        for (a, b) in zip(same[0].values, after[0].values) { #expect(abs(a - b) < 1e-6) }
    }

    @Test("an overlay that does not fit is refused with what it was and what the model has") func misfits()
        throws
    {
        let model = try GoldenModel("gptj").load(as: nil)
        func laying(_ change: (inout ModelOverlay) throws -> Void) throws -> Model {
            var overlay = ModelOverlay()
            try change(&overlay)
            return try model.laying(overlay)
        }
        let gate = WeightTarget(.gate, layer: 0)
        let factor = try Linear(try Tensor(values(12, 1), shape: [3, 4]))
        #expect(throws: OverlayError.missing(gate, family: "gptj")) {
            _ = try laying { $0.weights[gate] = [WeightDelta(factors: [factor])] }
        }
        let c = model.configuration
        let down = WeightTarget(.down, layer: 0)
        #expect(throws: OverlayError.shape(down, found: [3, 4], expected: [c.width, c.hidden])) {
            _ = try laying { $0.weights[down] = [WeightDelta(factors: [factor])] }
        }
        #expect(throws: SiteError.layer(.output(of: 99), layers: c.layers)) {
            _ = try laying { $0.changes = [SiteChange(.scale(0), at: .output(of: 99))] }
        }
        #expect(throws: OverlayError.twice) {
            _ = try laying { $0.changes = [SiteChange(.scale(0), at: .output(of: 0))] }
                .laying(ModelOverlay())
        }
    }
}
