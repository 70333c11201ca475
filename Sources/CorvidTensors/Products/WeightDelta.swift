import CorvidKernels

/// What a product gives beside W x + b: D x for a change D of its matrix, or a change of its bias. The matrix
/// itself is never written; without the delta the product has its old bits.
///
/// D is low-rank (two factors), dense (one), or has few rows or columns that are not zero.
public struct WeightDelta: Sendable {
    /// Columns of x that D reads, in the order of the first factor's inputs; nil: all.
    public let inputs: [Int]?
    /// D = factors[0], or factors[1] · factors[0]; none for a bias.
    public let factors: [Linear]
    /// Outputs that D adds to, in the order of the last factor's outputs; nil: all.
    public let outputs: [Int]?
    /// Added to every row at ``outputs``.
    public let bias: Vector?
    public let scale: Float

    /// - Parameters:
    ///   - factors: one or two matrices, applied one after the other.
    ///   - inputs: columns that the first factor reads; nil: all.
    ///   - outputs: outputs that the last factor adds to; nil: all.
    public init(factors: [Linear], inputs: [Int]? = nil, outputs: [Int]? = nil, scale: Float = 1) {
        precondition((1...2).contains(factors.count), "a delta has one factor or two")
        precondition(inputs.map { $0.count == factors[0].inputs } ?? true, "inputs must fit the first factor")
        precondition(
            outputs.map { $0.count == factors[factors.count - 1].outputs } ?? true,
            "outputs must fit the last factor")
        precondition(factors.count == 1 || factors[0].outputs == factors[1].inputs, "factors must fit")
        self.factors = factors
        self.inputs = inputs
        self.outputs = outputs
        self.scale = scale
        bias = nil
    }

    /// scale · bias, added to all outputs, or to those of `outputs`.
    public init(bias: Vector, outputs: [Int]? = nil, scale: Float = 1) {
        precondition(outputs.map { $0.count == bias.count } ?? true, "outputs must fit the bias")
        factors = []
        inputs = nil
        self.outputs = outputs
        self.bias = bias
        self.scale = scale
    }

    /// The same delta for a matrix whose output i is output `places[i]` of another one.
    public func placed(at places: [Int]) throws -> WeightDelta {
        let count = bias?.count ?? factors[factors.count - 1].outputs
        let old = outputs ?? Array(0..<count)
        guard outputs != nil || count == places.count, old.allSatisfy({ places.indices.contains($0) }) else {
            throw bias.map { LinearError.bias(found: $0.count, expected: places.count) }
                ?? LinearError.delta(
                    found: [count, factors[0].inputs], expected: [places.count, factors[0].inputs])
        }
        if let bias {
            return WeightDelta(bias: bias, outputs: old.map { places[$0] }, scale: scale)
        }
        return WeightDelta(
            factors: factors, inputs: inputs, outputs: old.map { places[$0] }, scale: scale)
    }

    /// Why it does not fit a matrix; nil if it does.
    func misfit(inputs width: Int, outputs height: Int) -> LinearError? {
        if let bias {
            let fits = outputs.map { $0.allSatisfy { (0..<height).contains($0) } } ?? (bias.count == height)
            return fits ? nil : .bias(found: bias.count, expected: height)
        }
        let (reads, adds) = (factors[0].inputs, factors[factors.count - 1].outputs)
        let fits =
            (inputs.map { $0.allSatisfy { (0..<width).contains($0) } } ?? (reads == width))
            && (outputs.map { $0.allSatisfy { (0..<height).contains($0) } } ?? (adds == height))
        return fits ? nil : .delta(found: [adds, reads], expected: [height, width])
    }
}

extension WeightDelta {
    /// out += scale · D x, or scale · bias. A row's result depends on that row alone.
    func add(of x: Matrix, to out: Matrix, workers: Workers, arena: Arena) throws {
        var y = x
        if let bias {
            y = try arena.matrix(rows: x.rows, columns: bias.count)
            for row in 0..<x.rows { y.pointer(row: row).update(from: bias.pointer, count: bias.count) }
        }
        if let inputs {
            y = try arena.matrix(rows: x.rows, columns: inputs.count)
            for row in 0..<x.rows {
                let (from, to) = (x.pointer(row: row), y.pointer(row: row))
                for (index, column) in inputs.enumerated() { to[index] = from[column] }
            }
        }
        for factor in factors {
            let product = try arena.matrix(rows: y.rows, columns: factor.outputs)
            let input = try ProductInput(y, for: [factor], workers: workers, arena: arena)
            try Linear.multiply(input, by: [factor], into: [product], workers: workers)
            y = product
        }
        if scale != 1 { Elementwise.scale(y, by: scale, columns: 0..<y.columns) }
        guard let outputs else { return Elementwise.add(y, to: out, columns: 0..<out.columns) }
        for row in 0..<out.rows {
            let (from, to) = (y.pointer(row: row), out.pointer(row: row))
            for (index, column) in outputs.enumerated() { to[column] += from[index] }
        }
    }
}
