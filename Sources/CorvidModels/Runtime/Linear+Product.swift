import CorvidTensors

extension Linear {
    /// x Wᵀ + b, in memory of the arena; `f` is applied to it.
    func product(
        _ x: Matrix, then f: Activation = .identity, workers: Workers, arena: Arena
    ) throws -> Matrix {
        let out = try arena.matrix(rows: x.rows, columns: outputs)
        let input = try ProductInput(x, for: [self], workers: workers, arena: arena)
        try Linear.multiply(input, by: [self], into: [out], workers: workers) { _, range in
            if f != .identity { Elementwise.activate(f, out, columns: range) }
        }
        return out
    }
}
