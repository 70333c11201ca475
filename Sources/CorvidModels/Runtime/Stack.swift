import CorvidTensors

/// Some blocks with what stands before and after them: interprets a family's declaration over a ragged batch.
///
/// Immutable after loading. A pass needs memory (its arena), the caches of its sequences and the workers.
struct Stack: Sendable {
    let configuration: ModelConfiguration
    let tokenEmbedding: Embedding
    let positionEmbedding: Embedding?
    let tokenTypeEmbedding: Embedding?
    let embeddingNorm: Norm?
    /// From the token embedding to the residual and from there to the states, where the widths differ.
    let embeddingProjection, outputProjection: Linear?
    let blocks: [Block]
    let finalNorm: Norm?

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
    func states(
        _ pass: Pass, wanted: [Int], workers: Workers, arena: Arena, isCancelled: () -> Bool
    ) throws -> Matrix {
        var residual = try embed(pass, workers: workers, arena: arena)
        let rotary = try angles(pass, arena: arena)
        let segments = pass.segments
        for (layer, block) in blocks.enumerated() {
            if isCancelled() { throw CancellationError() }
            // The last block's output is needed only where it is wanted, its keys and values everywhere.
            let isLast = layer == blocks.count - 1
            if isLast, wanted.isEmpty {
                _ = try store(
                    block, segments, residual: residual, rotary: rotary, wantsQueries: false,
                    workers: workers, arena: arena)
                return try arena.matrix(rows: 0, columns: configuration.embeddingWidth)
            }
            let chosen = isLast && wanted.count < pass.tokens.count ? wanted : nil
            let source = pass.sourceSegments(chosen)
            let kept = try chosen.map { try arena.matrix(rows: $0.count, columns: residual.columns) }
            let mark = arena.mark()
            let heads = try attend(
                block, segments, residual: residual, rotary: rotary, workers: workers,
                arena: arena)
            if let chosen, let kept {
                Elementwise.gather(residual, rows: chosen, into: kept)
                let keptHeads = try arena.matrix(rows: chosen.count, columns: heads.values.columns)
                Elementwise.gather(heads.values, rows: chosen, into: keptHeads)
                let keptInput = try arena.matrix(rows: chosen.count, columns: heads.input.columns)
                Elementwise.gather(heads.input, rows: chosen, into: keptInput)
                residual = kept
                try join(
                    block, AttentionResult(input: keptInput, values: keptHeads), source, residual: residual,
                    workers: workers, arena: arena)
            } else {
                try join(block, heads, source, residual: residual, workers: workers, arena: arena)
            }
            arena.reset(to: mark)
        }
        guard residual.rows > 0 else { return residual }
        let states = try normed(residual, finalNorm, workers: workers, arena: arena)
        return try outputProjection?.product(states, workers: workers, arena: arena) ?? states
    }

    // MARK: Before the blocks

    private func embed(_ pass: Pass, workers: Workers, arena: Arena) throws -> Matrix {
        var residual = try arena.matrix(rows: pass.tokens.count, columns: configuration.embeddingWidth)
        tokenEmbedding.look(up: pass.tokens, into: residual)
        if let embeddingProjection {
            residual = try embeddingProjection.product(residual, workers: workers, arena: arena)
        }
        tokenTypeEmbedding?.look(up: pass.tokenTypes, into: residual, adding: true)
        let offset = configuration.positionOffset
        positionEmbedding?.look(up: pass.positions.map { $0 + offset }, into: residual, adding: true)
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
}
