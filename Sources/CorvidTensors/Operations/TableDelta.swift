import CorvidKernels

/// What is added to the vectors that a table gives.
public enum TableDelta: Sendable {
    /// Vectors for some rows, `[width]` each.
    case rows([Int: [Float]], scale: Float = 1)
    /// scale · up · down[:, row] for every row: `down` is `[rank, rows]`, `up` `[width, rank]`, row after row.
    case lowRank(down: [Float], up: [Float], rank: Int, scale: Float = 1)

    /// Whether it fits a table `[rows, width]`.
    func fits(rows: Int, width: Int) -> Bool {
        switch self {
        case .rows(let vectors, _):
            vectors.allSatisfy { (0..<rows).contains($0.key) && $0.value.count == width }
        case .lowRank(let down, let up, let rank, _):
            rank > 0 && down.count == rank * rows && up.count == rank * width
        }
    }

    /// vector += scale · the delta of `row`, for a table of so many rows.
    func add(row: Int, of rows: Int, to vector: UnsafeMutablePointer<Float>, width: Int) {
        switch self {
        case .rows(let vectors, let scale):
            guard let values = vectors[row] else { return }
            for (index, value) in values.enumerated() { vector[index] += scale * value }
        case .lowRank(let down, let up, let rank, let scale):
            for index in 0..<width {
                var sum: Float = 0
                for step in 0..<rank { sum += up[index * rank + step] * down[step * rows + row] }
                vector[index] += scale * sum
            }
        }
    }
}
