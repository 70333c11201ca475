import CorvidTensors

/// The one transformer: interprets a family's declaration over a ragged batch.
///
/// Immutable after loading. A pass needs memory (its arena), the caches of its sequences and the workers.
struct Transformer: Sendable {
    let configuration: ModelConfiguration
    let tokenEmbedding: Embedding
    let positionEmbedding: Embedding?
    let embeddingNorm: Norm?
    /// From the token embedding to the residual, and from there to what the output matrix takes, where the
    /// widths differ.
    let embeddingProjection, outputProjection: Linear?
    let blocks: [Block]
    let finalNorm: Norm?
    let head: Linear

    init(_ loader: WeightLoader, cacheType: DType) throws {
        let c = loader.configuration
        configuration = c
        tokenEmbedding = try loader.embedding(.tokenEmbedding, rows: c.vocabulary, columns: c.embeddingWidth)
        if case .learned(let offset) = c.family.positions {
            positionEmbedding = try loader.embedding(
                .positionEmbedding, rows: c.context + offset, columns: c.width)
        } else {
            positionEmbedding = nil
        }
        let hasEmbeddingNorm = c.family.weights[.embeddingNorm] != nil
        embeddingNorm = hasEmbeddingNorm ? try loader.norm(.embeddingNorm, width: c.width) : nil
        let isProjected = c.embeddingWidth != c.width
        embeddingProjection =
            isProjected
            ? try loader.linear(.embeddingProjection, outputs: c.width, inputs: c.embeddingWidth) : nil
        outputProjection =
            isProjected
            ? try loader.linear(.outputProjection, outputs: c.embeddingWidth, inputs: c.width) : nil
        let shape = KeyValueShape(
            layers: c.layers, heads: c.keyValueHeads, headWidth: c.headWidth, type: cacheType)
        blocks = try (0..<c.layers).map { try Block(loader, layer: $0, cacheShape: shape) }
        finalNorm = c.hasFinalNorm ? try loader.norm(.finalNorm, width: c.width) : nil
        if c.tiedHead ?? !loader.has(.head) {
            head = try loader.tiedHead(tokenEmbedding.table)
        } else {
            head = try loader.linear(.head, outputs: c.vocabulary, inputs: c.embeddingWidth)
        }
        try loader.refuseUnreadTensors()
    }

    /// Bytes of weights that one pass over a single row reads.
    var bytesPerPass: Int { linears.reduce(0) { $0 + $1.byteCount } }

    /// All matrices that rows are multiplied with.
    private var linears: [Linear] {
        [embeddingProjection, outputProjection].compactMap { $0 } + blocks.flatMap { $0.linears } + [head]
    }

    /// Operations of the products for one row; a multiply-add counts two.
    var operationsPerRow: Double {
        linears.reduce(0) { $0 + 2 * Double($1.outputs) * Double($1.inputs) }
    }

    /// Logits `[rows that want them, vocabulary]`, in memory of the arena.
    func logits(
        _ pass: Pass, workers: Workers, arena: Arena, isCancelled: () -> Bool
    ) throws -> Matrix {
        var residual = try embed(pass, workers: workers, arena: arena)
        let rotary = try angles(pass, arena: arena)
        let segments = pass.segments
        for (layer, block) in blocks.enumerated() {
            if isCancelled() { throw CancellationError() }
            // The last block's output is needed only where logits are wanted, its keys and values everywhere.
            let isLast = layer == blocks.count - 1
            if isLast, pass.logitRows.isEmpty {
                _ = try store(
                    block, segments, residual: residual, rotary: rotary, wantsQueries: false,
                    workers: workers,
                    arena: arena)
                return try arena.matrix(rows: 0, columns: head.outputs)
            }
            let wanted = isLast && pass.logitRows.count < pass.tokens.count ? pass.logitRows : nil
            let kept = try wanted.map { try arena.matrix(rows: $0.count, columns: residual.columns) }
            let mark = arena.mark()
            let heads = try attend(
                block, segments, residual: residual, rotary: rotary, workers: workers,
                arena: arena)
            if let wanted, let kept {
                Elementwise.gather(residual, rows: wanted, into: kept)
                let keptHeads = try arena.matrix(rows: wanted.count, columns: heads.values.columns)
                Elementwise.gather(heads.values, rows: wanted, into: keptHeads)
                let keptInput = try arena.matrix(rows: wanted.count, columns: heads.input.columns)
                Elementwise.gather(heads.input, rows: wanted, into: keptInput)
                residual = kept
                try join(
                    block, AttentionResult(input: keptInput, values: keptHeads), residual: residual,
                    workers: workers, arena: arena)
            } else {
                try join(block, heads, residual: residual, workers: workers, arena: arena)
            }
            arena.reset(to: mark)
        }
        let logits = try arena.matrix(rows: residual.rows, columns: head.outputs)
        guard residual.rows > 0 else { return logits }
        var output = try normed(residual, finalNorm, workers: workers, arena: arena)
        if let outputProjection {
            output = try product(output, by: outputProjection, workers: workers, arena: arena)
        }
        let scale = configuration.logitScale
        let input = try ProductInput(output, for: [head], workers: workers, arena: arena)
        try Linear.multiply(input, by: [head], into: [logits], workers: workers) { _, range in
            if scale != 1 { Elementwise.scale(logits, by: scale, columns: range) }
        }
        return logits
    }

    // MARK: The parts of a pass

    private func embed(_ pass: Pass, workers: Workers, arena: Arena) throws -> Matrix {
        var residual = try arena.matrix(rows: pass.tokens.count, columns: configuration.embeddingWidth)
        tokenEmbedding.look(up: pass.tokens, into: residual)
        if let embeddingProjection {
            residual = try product(residual, by: embeddingProjection, workers: workers, arena: arena)
        }
        if let positionEmbedding, case .learned(let offset) = configuration.family.positions {
            positionEmbedding.look(up: pass.positions.map { $0 + offset }, into: residual, adding: true)
        }
        embeddingNorm?(residual, into: residual, workers: workers)
        return residual
    }

    private func angles(_ pass: Pass, arena: Arena) throws -> RotaryAngles? {
        guard let rotary = configuration.rotary else { return nil }
        let fixed = rotary.variesWithPosition ? nil : rotary.frequencies(position: 0)
        return try RotaryAngles(
            positions: pass.positions, pairCount: rotary.width / 2, pairs: configuration.rotaryPairs,
            arena: arena
        ) { fixed ?? rotary.frequencies(position: $0) }
    }

    /// What attention read and what its heads give, before the output projection.
    private struct AttentionResult {
        /// The normalised residual, `[rows, width]`.
        let input: Matrix
        /// `attention.heads`, `[rows, heads * headWidth]`.
        let values: Matrix
    }

    /// Stores the keys and values of all rows; gives what attention reads, and the queries.
    private func store(
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

    private func attend(
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

    /// Adds attention's output and the MLP's to the residual, in the order of the family's block.
    private func join(
        _ block: Block, _ attention: AttentionResult, residual: Matrix, workers: Workers, arena: Arena
    ) throws {
        let output = try arena.matrix(rows: residual.rows, columns: residual.columns)
        let mlpOutput = try arena.matrix(rows: residual.rows, columns: residual.columns)
        switch configuration.block {
        case .sequential:
            try project(
                attention.values, by: block.attentionOutput, into: output, workers: workers, arena: arena,
                addingTo: residual)
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

    /// x Wᵀ + b
    private func product(_ x: Matrix, by linear: Linear, workers: Workers, arena: Arena) throws -> Matrix {
        let out = try arena.matrix(rows: x.rows, columns: linear.outputs)
        let input = try ProductInput(x, for: [linear], workers: workers, arena: arena)
        try Linear.multiply(input, by: [linear], into: [out], workers: workers)
        return out
    }

    private func normed(_ x: Matrix, _ norm: Norm?, workers: Workers, arena: Arena) throws -> Matrix {
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
