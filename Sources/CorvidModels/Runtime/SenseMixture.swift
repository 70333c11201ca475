import CorvidTensors

/// The end of a Backpack: each state becomes the sum of the sense vectors of its own and earlier tokens, as
/// much of each as attention with the state says, one head for each sense. The heads have no output matrix.
struct SenseMixture: Sendable {
    private let configuration: ModelConfiguration
    private let norm, innerNorm, outerNorm: Norm
    private let innerUp, innerDown, up, down, queryKey: Linear
    /// A sense is as wide as the state, its query and key are narrower: it is attended to in pieces of their
    /// width, each with a place of its own in the cache.
    private let pieces: [(attention: Attention, columns: Attention.Columns)]

    /// Keys and sense vectors of a sequence.
    static func cacheShape(_ c: ModelConfiguration, type: DType) -> KeyValueShape {
        KeyValueShape(layers: c.senses, heads: c.senses, headWidth: c.width / c.senses, type: type)
    }

    init(_ loader: WeightLoader, cacheShape: KeyValueShape) throws {
        let c = loader.configuration
        configuration = c
        norm = try loader.norm(.senseNorm, width: c.width)
        innerNorm = try loader.norm(.senseInnerNorm, width: c.width)
        outerNorm = try loader.norm(.senseOuterNorm, width: c.width)
        innerUp = try loader.linear(.senseInnerUp, outputs: c.hidden, inputs: c.width)
        innerDown = try loader.linear(.senseInnerDown, outputs: c.width, inputs: c.hidden)
        up = try loader.linear(.senseUp, outputs: c.senseHidden, inputs: c.width)
        down = try loader.linear(.senseDown, outputs: c.senses * c.width, inputs: c.senseHidden)
        queryKey = try loader.linear(.senseQueryKey, outputs: 2 * c.width, inputs: c.width)
        let (width, piece) = (c.width, cacheShape.headWidth)
        pieces = (0..<c.senses).map { index in
            let attention = Attention(
                layer: index, heads: c.senses, shape: cacheShape, scale: 1 / Float(piece).squareRoot())
            let columns = Attention.Columns(
                query: { $0 * piece }, key: { width + $0 * piece }, value: { $0 * width + index * piece })
            return (attention, columns)
        }
    }

    var linears: [Linear] { [innerUp, innerDown, up, down, queryKey] }

    /// The new states of all rows, `[rows, width]`, in memory of the arena.
    func mix(_ states: Matrix, embedding: Embedding, _ run: PassRun) throws -> Matrix {
        let (pass, workers, arena) = (run.pass, run.workers, run.arena)
        let (rows, width) = (states.rows, configuration.width)
        let sums = try arena.matrix(rows: rows, columns: width)
        guard rows > 0 else { return sums }
        let mark = arena.mark()
        let senses = try senses(of: pass.tokens, embedding, workers: workers, arena: arena)
        try run.visit(.senses, nil, senses)
        let queryKey = try queryKey.product(states, workers: workers, arena: arena)
        let heads = try arena.matrix(rows: rows, columns: width)
        let segments = pass.senseSegments
        for (index, (attention, columns)) in pieces.enumerated() {
            attention.store(
                keys: queryKey, values: senses, columns: columns, segments: segments, workers: workers)
            try attention.attend(
                query: queryKey, columns: columns, segments: segments, into: heads, workers: workers,
                arena: arena)
            let piece = width / pieces.count
            Elementwise.sum(
                parts: pieces.count, of: heads, into: sums.columns(index * piece..<(index + 1) * piece),
                workers: workers)
        }
        arena.reset(to: mark)
        return sums
    }

    /// The sense vectors of tokens, `[tokens, senses * width]`; they depend on nothing else.
    private func senses(
        of tokens: [Int], _ embedding: Embedding, workers: Workers, arena: Arena
    ) throws -> Matrix {
        let f = configuration.activation
        let x = try arena.matrix(rows: tokens.count, columns: configuration.width)
        let y = try arena.matrix(rows: tokens.count, columns: configuration.width)
        embedding.look(up: tokens, into: x)
        // The block between has no attention: what takes its place is what it reads, already normalised.
        norm(x, into: y, workers: workers)
        Elementwise.add(y, to: x, columns: 0..<x.columns)
        innerNorm(x, into: y, workers: workers)
        let hidden = try innerUp.product(y, then: f, workers: workers, arena: arena)
        Elementwise.add(
            try innerDown.product(hidden, workers: workers, arena: arena), to: x, columns: 0..<x.columns)
        outerNorm(x, into: y, workers: workers)
        let wide = try up.product(y, then: f, workers: workers, arena: arena)
        return try down.product(wide, workers: workers, arena: arena)
    }
}
