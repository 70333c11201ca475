/// What the heads of all layers from 0 on give at an arrow: the task that demonstrations show, compressed
/// (Li et al., 2024, eq. 6).
public struct StateVector: Sendable, Equatable {
    /// For each layer the input of attention's output projection, `[tokens, columns]`, row after row.
    public let layers: [[Float]]
    /// Tokens of the arrow.
    public let tokens: Int
    /// heads · headWidth.
    public let columns: Int

    /// - Throws: ``InContextError/differentShapes`` if the layers are not `[tokens, columns]`.
    public init(layers: [[Float]], tokens: Int, columns: Int) throws {
        guard tokens > 0, columns > 0, layers.allSatisfy({ $0.count == tokens * columns }) else {
            throw InContextError.differentShapes
        }
        self.layers = layers
        self.tokens = tokens
        self.columns = columns
    }

    private init(unchecked layers: [[Float]], like other: StateVector) {
        self.layers = layers
        tokens = other.tokens
        columns = other.columns
    }

    /// Layers 0 to `layer`, that one included.
    /// - Throws: ``InContextError/layer(_:layers:)``.
    public func through(_ layer: Int) throws -> StateVector {
        guard layers.indices.contains(layer) else {
            throw InContextError.layer(layer, layers: layers.count)
        }
        return StateVector(unchecked: Array(layers[...layer]), like: self)
    }

    /// The last `count` tokens of the arrow.
    func lastTokens(_ count: Int) -> StateVector {
        guard count > 0, count < tokens,
            let short = try? StateVector(
                layers: layers.map { Array($0.suffix(count * columns)) }, tokens: count, columns: columns)
        else { return self }
        return short
    }

    /// Σ weight · vector, summed in double.
    /// - Throws: ``InContextError/differentShapes``.
    public static func combination(_ parts: [(weight: Double, vector: StateVector)]) throws -> StateVector {
        guard let first = parts.first?.vector else { throw InContextError.noDemonstrations }
        guard parts.allSatisfy({ $0.vector.hasShape(of: first) }) else {
            throw InContextError.differentShapes
        }
        let layers = first.layers.indices.map { layer in
            var sums = [Double](repeating: 0, count: first.tokens * first.columns)
            for (weight, vector) in parts {
                for (index, value) in vector.layers[layer].enumerated() {
                    sums[index] += weight * Double(value)
                }
            }
            return sums.map { Float($0) }
        }
        return StateVector(unchecked: layers, like: first)
    }

    /// The arithmetic mean.
    public static func mean(_ vectors: [StateVector]) throws -> StateVector {
        // One vector keeps its bits.
        if vectors.count == 1 { return vectors[0] }
        return try combination(vectors.map { (1 / Double(vectors.count), $0) })
    }

    func hasShape(of other: StateVector) -> Bool {
        layers.count == other.layers.count && tokens == other.tokens && columns == other.columns
    }

    /// Mean over the layers that both have of the cosine between them, -1 to 1.
    /// - Throws: ``InContextError/differentShapes`` for other tokens or columns.
    public func similarity(to other: StateVector) throws -> Double {
        guard tokens == other.tokens, columns == other.columns, !layers.isEmpty, !other.layers.isEmpty else {
            throw InContextError.differentShapes
        }
        let cosines = zip(layers, other.layers).map { a, b -> Double in
            var (dot, left, right) = (0.0, 0.0, 0.0)
            for (x, y) in zip(a, b) {
                dot += Double(x) * Double(y)
                left += Double(x) * Double(x)
                right += Double(y) * Double(y)
            }
            return left > 0 && right > 0 ? dot / (left.squareRoot() * right.squareRoot()) : 0
        }
        return cosines.reduce(0, +) / Double(cosines.count)
    }

    /// How far vectors lie apart: root mean square of their distance from the mean, as a part of the mean's length.
    /// 0 for one vector.
    public static func spread(_ vectors: [StateVector]) throws -> Double {
        guard vectors.count > 1 else { return 0 }
        let mean = try mean(vectors)
        var (distance, length) = (0.0, 0.0)
        for (layer, values) in mean.layers.enumerated() {
            for (index, middle) in values.enumerated() {
                length += Double(middle) * Double(middle)
                for vector in vectors {
                    let difference = Double(vector.layers[layer][index]) - Double(middle)
                    distance += difference * difference
                }
            }
        }
        return length > 0 ? (distance / Double(vectors.count) / length).squareRoot() : 0
    }
}

/// The states of one set of demonstrations.
public struct InContextStates: Sendable {
    /// V_1, ..., V_N: one for each demonstration.
    public let demonstrations: [StateVector]
    /// The states at the dummy queries' arrows, one for each.
    public let queries: [StateVector]
    /// V_q: the mean over the dummy queries.
    public let query: StateVector
    /// How far the dummy queries' states lie apart: the smaller, the surer is the vector.
    public let spread: Double

    /// - Throws: ``InContextError``.
    public init(demonstrations: [StateVector], queries: [StateVector]) throws {
        guard !queries.isEmpty else { throw InContextError.noDummies }
        self.demonstrations = demonstrations
        self.queries = queries
        query = try StateVector.mean(queries)
        spread = try StateVector.spread(queries)
        guard demonstrations.allSatisfy({ $0.hasShape(of: query) }) else {
            throw InContextError.differentShapes
        }
    }

    /// V_1, ..., V_N, V_q.
    public var sequence: [StateVector] { demonstrations + [query] }
}
