import CorvidTensors

/// The parts of a block.
extension Stack {
    /// What attention read and what its heads give, before the output projection.
    struct AttentionResult {
        /// The normalised residual, `[rows, width]`.
        let input: Matrix
        /// `attention.heads`, `[rows, heads * headWidth]`.
        let values: Matrix
    }

    /// Stores the keys and values of all rows; gives what attention reads, and the queries.
    func store(
        _ block: Block, _ segments: [AttentionSegment], residual: Matrix, rotary: RotaryAngles?,
        wantsQueries: Bool, workers: Workers, arena: Arena
    ) throws -> (input: Matrix, query: Matrix) {
        let input: Matrix
        switch configuration.block {
        case .sequential, .parallel, .parallelSharedNorm:
            input = try normed(residual, block.attentionNorm, workers: workers, arena: arena)
        case .sequentialFromNorms:
            block.attentionNorm(residual, into: residual, workers: workers)
            input = residual
        case .normsAfter: input = residual
        }
        // Where queries have a matrix of their own, it can be left out.
        let projections = wantsQueries ? block.projections : block.projections.suffix(2)
        let prepared = try ProductInput(input, for: projections, workers: workers, arena: arena)
        let outs = try projections.map { try arena.matrix(rows: residual.rows, columns: $0.outputs) }
        let limit = configuration.queryKeyValueLimit
        try Linear.multiply(prepared, by: projections, into: outs, workers: workers) { index, range in
            if let limit { Elementwise.clamp(outs[index], to: limit, columns: range) }
        }
        // One output holds all three, or each has its own.
        let (query, key, value) = (outs[0], outs[max(0, outs.count - 2)], outs[outs.count - 1])
        if wantsQueries { normalise(query, block.queryNorm, from: block.columns.query(0), workers: workers) }
        normalise(key, block.keyNorm, from: block.columns.key(0), workers: workers)
        if let rotary {
            if wantsQueries {
                rotary.rotate(
                    query, heads: configuration.heads, workers: workers, offset: block.columns.query)
            }
            rotary.rotate(
                key, heads: configuration.keyValueHeads, workers: workers, offset: block.columns.key)
        }
        block.attention.store(
            keys: key, values: value, columns: block.columns, segments: segments, workers: workers)
        return (input, query)
    }

    func attend(
        _ block: Block, _ segments: [AttentionSegment], residual: Matrix, rotary: RotaryAngles?,
        workers: Workers, arena: Arena
    ) throws -> AttentionResult {
        let (input, query) = try store(
            block, segments, residual: residual, rotary: rotary, wantsQueries: true, workers: workers,
            arena: arena)
        let heads = try arena.matrix(
            rows: residual.rows, columns: configuration.heads * configuration.headWidth)
        try block.attention.attend(
            query: query, columns: block.columns, segments: segments, into: heads, workers: workers,
            arena: arena)
        return AttentionResult(input: input, values: heads)
    }

    /// residual += the output of attention to a source text, which goes through `output`.
    private func attend(
        _ cross: CrossAttention, _ source: [AttentionSegment], residual: Matrix, into output: Matrix,
        workers: Workers, arena: Arena
    ) throws {
        let input = try normed(residual, cross.norm, workers: workers, arena: arena)
        let query = try cross.query.product(input, workers: workers, arena: arena)
        let heads = try arena.matrix(rows: residual.rows, columns: query.columns)
        try cross.attention.attend(
            query: query, columns: cross.columns, segments: source, into: heads, workers: workers,
            arena: arena)
        try project(
            heads, by: cross.output, into: output, workers: workers, arena: arena, addingTo: residual)
    }

    /// Adds attention's output and the MLP's to the residual, in the order of the family's block.
    ///
    /// `source` says what each row sees of a source text.
    func join(
        _ block: Block, _ attention: AttentionResult, _ source: [AttentionSegment], residual: Matrix,
        workers: Workers, arena: Arena
    ) throws {
        let output = try arena.matrix(rows: residual.rows, columns: residual.columns)
        let mlpOutput = try arena.matrix(rows: residual.rows, columns: residual.columns)
        switch configuration.block {
        case .sequential:
            try project(
                attention.values, by: block.attentionOutput, into: output, workers: workers, arena: arena,
                addingTo: residual)
            if let cross = block.cross {
                try attend(cross, source, residual: residual, into: output, workers: workers, arena: arena)
            }
            let input = try normed(residual, block.mlpNorm, workers: workers, arena: arena)
            try mlp(block, input, into: mlpOutput, workers: workers, arena: arena, addingTo: residual)
        case .parallel, .parallelSharedNorm:
            let input =
                configuration.block == .parallel
                ? try normed(residual, block.mlpNorm, workers: workers, arena: arena) : attention.input
            try project(
                attention.values, by: block.attentionOutput, into: output, workers: workers, arena: arena,
                addingTo: residual)
            try mlp(block, input, into: mlpOutput, workers: workers, arena: arena, addingTo: residual)
        case .normsAfter, .sequentialFromNorms:
            // The MLP reads the residual itself, which was normalised in its place. It has read all of it
            // before anything is added.
            try project(
                attention.values, by: block.attentionOutput, into: output, workers: workers, arena: arena,
                addingTo: residual)
            let isAfter = configuration.block == .normsAfter
            let between = isAfter ? block.attentionNorm : block.mlpNorm
            between?(residual, into: residual, workers: workers)
            try mlp(block, residual, into: mlpOutput, workers: workers, arena: arena, addingTo: residual)
            if isAfter { block.mlpNorm?(residual, into: residual, workers: workers) }
        }
    }

    /// Normalises the columns that begin at `start`, in their place.
    private func normalise(_ x: Matrix, _ norm: Norm?, from start: Int, workers: Workers) {
        guard let norm, let width = norm.weight?.count else { return }
        let part = x.columns(start..<start + width)
        norm(part, into: part, workers: workers)
    }

    func normed(_ x: Matrix, _ norm: Norm?, workers: Workers, arena: Arena) throws -> Matrix {
        guard let norm else { return x }
        let out = try arena.matrix(rows: x.rows, columns: x.columns)
        norm(x, into: out, workers: workers)
        return out
    }

    /// out = x Wᵀ + b, and residual += out.
    private func project(
        _ x: Matrix, by linear: Linear, into out: Matrix, workers: Workers, arena: Arena,
        addingTo residual: Matrix
    ) throws {
        let input = try ProductInput(x, for: [linear], workers: workers, arena: arena)
        try Linear.multiply(input, by: [linear], into: [out], workers: workers) { _, range in
            Elementwise.add(out, to: residual, columns: range)
        }
    }

    private func mlp(
        _ block: Block, _ x: Matrix, into out: Matrix, workers: Workers, arena: Arena,
        addingTo residual: Matrix
    ) throws {
        let f = configuration.activation
        let hidden = try arena.matrix(rows: x.rows, columns: configuration.hidden)
        if let gate = block.gate {
            let input = try ProductInput(x, for: [gate, block.up], workers: workers, arena: arena)
            let up = try arena.matrix(rows: x.rows, columns: configuration.hidden)
            try Linear.multiplyPair(input, by: gate, and: block.up, into: (hidden, up), workers: workers) {
                range in
                Elementwise.activateGated(f, gate: hidden, up: up, columns: range)
            }
        } else {
            let input = try ProductInput(x, for: [block.up], workers: workers, arena: arena)
            try Linear.multiply(input, by: [block.up], into: [hidden], workers: workers) { _, range in
                Elementwise.activate(f, hidden, columns: range)
            }
        }
        try project(hidden, by: block.down, into: out, workers: workers, arena: arena, addingTo: residual)
    }
}
