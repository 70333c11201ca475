import CorvidModels
import CorvidTensors
import TestSupport

/// A tiny random model of some family, in float32, so that sums in another order show.
struct TinyModel {
    let model: Model

    /// Families that continue texts, with learned, rotary and linear positions, in both orders of residual.
    static let families = [
        "gpt2", "gptj", "gpt-neox", "gpt-neox-sequential", "gguf-f32", "bloom", "opt", "mpt",
    ]

    init(_ name: String) throws {
        model = try Model.load(
            path: Fixtures.path("Models/\(name)"), options: LoadOptions(threads: 2, computeType: .f32))
    }

    /// Tokens of the vocabulary, the same ones for the same seed, with a common beginning.
    func ids(_ count: Int, seed: UInt64) -> [Int32] {
        let random = CounterRandom(seed: seed)
        let size = Double(model.vocabularySize)
        return (0..<count).map { $0 == 0 ? 1 : Int32(random.uniform(step: UInt64($0)) * size) }
    }

    /// Logits of all positions, `[tokens][vocabulary]`.
    func logits(_ ids: [Int32], _ changes: [SiteChange] = []) throws -> [[Float]] {
        let rows = ids.enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let run = try model.runBlocking(
            SitePlan(changes: changes), Batch(rows: rows, caches: [try model.makeCache()]))
        return (0..<run.output.rowCount).map { Array(run.output.row($0)) }
    }
}

func bits(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }

/// The largest difference of two tables of numbers.
func distance(_ a: [[Float]], _ b: [[Float]]) -> Float {
    zip(a, b).map { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }.max() ?? .infinity
}
