import CorvidTensors
import Foundation
import TestSupport
import Testing

/// Attention over pages, segments and threads; the kernels themselves are tested beside them.
@Suite struct AttentionTests {
    /// Keys and values of one sequence and the attention over them.
    private struct Setting {
        let heads: Int
        let keyValueHeads: Int
        let width: Int
        let positions: Int
        let type: DType

        var shape: KeyValueShape {
            KeyValueShape(layers: 2, heads: keyValueHeads, headWidth: width, type: type)
        }
        var attention: Attention {
            Attention(layer: 1, heads: heads, shape: shape, scale: 1 / Float(width).squareRoot())
        }
        var columns: Attention.Columns {
            let width = width
            return Attention.Columns(query: { $0 * width }, key: { $0 * width }, value: { $0 * width })
        }
    }

    /// Attends with the last `rows` positions, `chunk` rows a pass, on `threads` threads.
    private func attend(
        _ setting: Setting, rows: Int, chunk: Int, threads: Int, seed: UInt64
    ) throws -> [[Float]] {
        var generator = SeededGenerator(seed: seed)
        let keys = try Matrix.random(
            rows: setting.positions, columns: setting.keyValueHeads * setting.width, using: &generator)
        let values = try Matrix.random(
            rows: setting.positions, columns: setting.keyValueHeads * setting.width, using: &generator)
        let queries = try Matrix.random(rows: rows, columns: setting.heads * setting.width, using: &generator)
        let out = try Matrix(rows: rows, columns: setting.heads * setting.width)
        let pageCount = (setting.positions + KeyValuePage.positions - 1) / KeyValuePage.positions
        let pages = try (0..<pageCount).map { _ in try KeyValuePage(setting.shape) }
        try WorkerPool(threads: threads).runBlocking { workers in
            let earlier = setting.positions - rows
            let attention = setting.attention
            let columns = setting.columns
            if earlier > 0 {
                attention.store(
                    keys: keys.rows(0..<earlier), values: values.rows(0..<earlier), columns: columns,
                    segments: [AttentionSegment(rows: 0..<earlier, firstPosition: 0, pages: pages)],
                    workers: workers)
            }
            for start in stride(from: 0, to: rows, by: chunk) {
                let part = start..<min(rows, start + chunk)
                let segment = AttentionSegment(
                    rows: 0..<part.count, firstPosition: earlier + start, pages: pages)
                let places = (earlier + part.lowerBound)..<(earlier + part.upperBound)
                attention.store(
                    keys: keys.rows(places), values: values.rows(places), columns: columns,
                    segments: [segment],
                    workers: workers)
                try attention.attend(
                    query: queries.rows(part), columns: columns, segments: [segment], into: out.rows(part),
                    workers: workers, arena: Arena())
            }
        }
        return (0..<rows).map(out.row)
    }

    @Test(
        "a row's bits depend neither on threads nor on the rows beside it, also with keys enough to share heads"
    )
    func sameBits() throws {
        let settings = [
            Setting(heads: 9, keyValueHeads: 3, width: 64, positions: 1_500, type: .f16),
            Setting(heads: 3, keyValueHeads: 1, width: 64, positions: 1_100, type: .f32),
            Setting(heads: 5, keyValueHeads: 5, width: 20, positions: 3_600, type: .f16),
            Setting(heads: 4, keyValueHeads: 2, width: 10, positions: 300, type: .f16),
        ]
        for (index, setting) in settings.enumerated() {
            let seed = UInt64(20 + index)
            let reference = try attend(setting, rows: 70, chunk: 70, threads: 1, seed: seed)
            for (threads, chunk) in [(1, 1), (2, 1), (4, 1), (2, 7), (3, 64), (2, 70)] {
                let found = try attend(setting, rows: 70, chunk: chunk, threads: threads, seed: seed)
                #expect(
                    found.map { $0.map(\.bitPattern) } == reference.map { $0.map(\.bitPattern) },
                    "setting \(index), seed \(seed), \(threads) threads, chunk \(chunk)")
            }
        }
    }

    @Test("attention is the softmax of the scores times the values, in double")
    func matchesPlainSum() throws {
        let setting = Setting(heads: 6, keyValueHeads: 2, width: 24, positions: 530, type: .f32)
        let rows = 9
        let found = try attend(setting, rows: rows, chunk: 4, threads: 2, seed: 31)
        var generator = SeededGenerator(seed: 31)
        let width = setting.width
        let keys = try Matrix.random(rows: setting.positions, columns: 2 * width, using: &generator)
        let values = try Matrix.random(rows: setting.positions, columns: 2 * width, using: &generator)
        let queries = try Matrix.random(rows: rows, columns: 6 * width, using: &generator)
        for row in 0..<rows {
            let seen = setting.positions - rows + row + 1
            for head in 0..<6 {
                let shared = head / 3
                let scores = (0..<seen).map { key -> Double in
                    (0..<width).reduce(0.0) {
                        $0 + Double(queries[row, head * width + $1]) * Double(keys[key, shared * width + $1])
                    } / Double(width).squareRoot()
                }
                let most = scores.max() ?? 0
                let weights = scores.map { exp($0 - most) }
                let sum = weights.reduce(0, +)
                for dimension in 0..<width {
                    let expected = (0..<seen).reduce(0.0) {
                        $0 + weights[$1] / sum * Double(values[$1, shared * width + dimension])
                    }
                    #expect(abs(Double(found[row][head * width + dimension]) - expected) < 2e-6)
                }
            }
        }
    }
}
