import CorvidKernels

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which values of a head are rotated together.
public enum RotaryPairs: Sendable, Equatable {
    /// (2i, 2i + 1): GPT-J, CodeGen; LLaMA's rows as GGUF stores them.
    case interleaved
    /// (i, i + half): GPT-NeoX; LLaMA's rows as Hugging Face stores them.
    case halves
}

/// Cosines and sines of the rotary angles of some rows, `[rows, pairs]`.
public struct RotaryAngles {
    let cosine: Matrix
    let sine: Matrix
    let pairs: RotaryPairs

    /// - Parameters:
    ///   - positions: position of each row.
    ///   - frequencies: angle per position of each pair, for a position. Angles are made in double: at
    ///     position 8,000 an f32 product would be off by 5e-4.
    public init(
        positions: [Int], pairCount: Int, pairs: RotaryPairs, arena: Arena, frequencies: (Int) -> [Double]
    ) throws {
        cosine = try arena.matrix(rows: positions.count, columns: pairCount)
        sine = try arena.matrix(rows: positions.count, columns: pairCount)
        self.pairs = pairs
        for (row, position) in positions.enumerated() {
            let cosineRow = cosine.pointer(row: row)
            let sineRow = sine.pointer(row: row)
            for (index, frequency) in frequencies(position).prefix(pairCount).enumerated() {
                let angle = Double(position) * frequency
                cosineRow[index] = Float(cos(angle))
                sineRow[index] = Float(sin(angle))
            }
        }
    }

    /// Rotates `heads` heads of each row in place; head h starts at column `offset(h)`.
    public func rotate(_ x: Matrix, heads: Int, workers: Workers, offset: (Int) -> Int) {
        let outer = workers.begin(.rotary)
        defer { workers.end(outer) }
        let tasks = RowTasks(rows: x.rows, columns: heads * cosine.columns * 4, threads: workers.threads)
        workers.forEach(tasks.count) { task, _ in
            for row in tasks[task] {
                let values = x.pointer(row: row)
                for head in 0..<heads {
                    ck_rotate(
                        pairs == .interleaved ? 1 : 0, cosine.columns, cosine.pointer(row: row),
                        sine.pointer(row: row), values + offset(head))
                }
            }
        }
    }
}
