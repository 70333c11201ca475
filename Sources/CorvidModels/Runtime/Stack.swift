import CorvidTensors

/// Some blocks with what stands before and after them: interprets a family's declaration over a ragged batch.
///
/// Immutable after loading. A pass needs memory (its arena), the caches of its sequences and the workers.
struct Stack: Sendable {
    let configuration: ModelConfiguration
    private(set) var tokenEmbedding: Embedding
    private(set) var positionEmbedding: Embedding?
    private(set) var tokenTypeEmbedding: Embedding?
    private(set) var embeddingNorm: Norm?
    /// From the token embedding to the residual and from there to the states, where the widths differ.
    private(set) var embeddingProjection, outputProjection: Linear?
    private(set) var blocks: [Block]
    private(set) var finalNorm: Norm?

    /// - Parameters:
    ///   - loader: finds the weights of this stack.
    ///   - sees: what its rows attend to.
    init(
        _ loader: WeightLoader, layers: Int, sees: Family.Visibility, cacheShape: KeyValueShape
    ) throws {
        let c = loader.configuration
        configuration = c
        tokenEmbedding = try loader.embedding(.tokenEmbedding, rows: c.vocabulary, columns: c.embeddingWidth)
        positionEmbedding =
            c.hasPositionEmbedding
            ? try loader.embedding(
                .positionEmbedding, rows: c.context + c.positionOffset, columns: c.width) : nil
        tokenTypeEmbedding =
            c.tokenTypes > 0
            ? try loader.embedding(.tokenTypeEmbedding, rows: c.tokenTypes, columns: c.width) : nil
        let hasEmbeddingNorm = c.family.weights[.embeddingNorm] != nil
        embeddingNorm = hasEmbeddingNorm ? try loader.norm(.embeddingNorm, width: c.width) : nil
        let isProjected = c.embeddingWidth != c.width
        embeddingProjection =
            isProjected
            ? try loader.linear(.embeddingProjection, outputs: c.width, inputs: c.embeddingWidth) : nil
        outputProjection =
            isProjected
            ? try loader.linear(.outputProjection, outputs: c.embeddingWidth, inputs: c.width) : nil
        let bias = try loader.attentionBias(sees: sees)
        blocks = try (0..<layers).map {
            try Block(loader, layer: $0, isCausal: sees == .earlier, cacheShape: cacheShape, bias: bias)
        }
        finalNorm = c.hasFinalNorm ? try loader.norm(.finalNorm, width: c.width) : nil
    }

    /// All matrices that rows are multiplied with.
    var linears: [Linear] {
        [embeddingProjection, outputProjection].compactMap { $0 } + blocks.flatMap { $0.linears }
    }

    /// States `[wanted, embeddingWidth]` of the rows `wanted` after the last block and norm, in memory of the
    /// arena.
    func states(_ run: PassRun, wanted: [Int]) throws -> Matrix {
        let pass = run.pass
        let arena = run.arena
        var residual = try beginning(run)
        // Rows of the pass that the residual holds; nil: all.
        var held: [Int]?
        let rotary = try angles(pass, arena: arena)
        let segments = pass.segments
        for (layer, block) in blocks.enumerated().dropFirst(run.sites?.start?.layer ?? 0) {
            if run.isCancelled() { throw CancellationError() }
            try run.visit(.input, layer, residual)
            // The last block's output is needed only where it is wanted, its keys and values everywhere.
            let isLast = layer == blocks.count - 1
            let isCut = isLast && run.sites?.touchesAfterAttention(layer) != true
            if isCut, wanted.isEmpty, run.sites?.touchesAttention(layer) != true {
                _ = try store(
                    block, layer, segments, residual: residual, rotary: rotary, wantsQueries: false, run)
                return try arena.matrix(rows: 0, columns: configuration.embeddingWidth)
            }
            let chosen = isCut && wanted.count < pass.tokens.count ? wanted : nil
            let source = pass.sourceSegments(chosen)
            let kept = try chosen.map { try arena.matrix(rows: $0.count, columns: residual.columns) }
            let mark = arena.mark()
            let heads = try attend(block, layer, segments, residual: residual, rotary: rotary, run)
            if let chosen, let kept {
                Elementwise.gather(residual, rows: chosen, into: kept)
                let keptHeads = try arena.matrix(rows: chosen.count, columns: heads.values.columns)
                Elementwise.gather(heads.values, rows: chosen, into: keptHeads)
                let keptInput = try arena.matrix(rows: chosen.count, columns: heads.input.columns)
                Elementwise.gather(heads.input, rows: chosen, into: keptInput)
                residual = kept
                held = chosen
                guard !chosen.isEmpty else { break }
                try join(
                    block, layer, AttentionResult(input: keptInput, values: keptHeads), source,
                    residual: residual, run)
            } else {
                try join(block, layer, heads, source, residual: residual, run)
            }
            try run.visit(.output, layer, residual)
            arena.reset(to: mark)
        }
        if held == nil, wanted.count < pass.tokens.count {
            let kept = try arena.matrix(rows: wanted.count, columns: residual.columns)
            Elementwise.gather(residual, rows: wanted, into: kept)
            residual = kept
        }
        return try finish(residual, run, rows: wanted)
    }

    /// What follows the last block: states `[rows, embeddingWidth]` of residuals `[rows, width]`.
    /// - Parameter rows: the rows of the pass.
    func finish(_ residual: Matrix, _ run: PassRun, rows: [Int]) throws -> Matrix {
        guard residual.rows > 0 else {
            return try run.arena.matrix(rows: 0, columns: configuration.embeddingWidth)
        }
        let states = try normed(residual, finalNorm, run)
        if finalNorm != nil { try run.visit(.finalNorm, nil, states, rows: rows) }
        return try outputProjection?.product(states, workers: run.workers, arena: run.arena) ?? states
    }

    /// Lays what belongs to this stack over its weights.
    mutating func lay(_ layings: inout Layings) throws {
        try layings.lay(over: &tokenEmbedding, .tokenEmbedding)
        try layings.lay(over: &positionEmbedding, .positionEmbedding)
        try layings.lay(over: &tokenTypeEmbedding, .tokenTypeEmbedding)
        try layings.lay(over: &embeddingNorm, .embeddingNorm)
        try layings.lay(over: &embeddingProjection, .embeddingProjection)
        try layings.lay(over: &outputProjection, .outputProjection)
        for layer in blocks.indices { try blocks[layer].lay(&layings, layer: layer, configuration) }
        try layings.lay(over: &finalNorm, .finalNorm)
    }

    // MARK: Before the blocks

    /// The residual before the first block that runs.
    private func beginning(_ run: PassRun) throws -> Matrix {
        guard let start = run.sites?.start else { return try embed(run) }
        let residual = try run.arena.matrix(rows: run.pass.tokens.count, columns: configuration.width)
        for row in 0..<residual.rows {
            residual.setRow(row, to: start.residual[row * residual.columns..<(row + 1) * residual.columns])
        }
        return residual
    }

    private func embed(_ run: PassRun) throws -> Matrix {
        let pass = run.pass
        var residual = try run.arena.matrix(rows: pass.tokens.count, columns: configuration.embeddingWidth)
        tokenEmbedding.look(up: pass.tokens, into: residual)
        try run.visit(.embedding, nil, residual)
        if let embeddingProjection {
            residual = try embeddingProjection.product(residual, workers: run.workers, arena: run.arena)
        }
        tokenTypeEmbedding?.look(up: pass.tokenTypes, into: residual, adding: true)
        let offset = configuration.positionOffset
        positionEmbedding?.look(up: pass.positions.map { $0 + offset }, into: residual, adding: true)
        embeddingNorm?(residual, into: residual, workers: run.workers)
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
}
