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

    /// Stores the keys and values of all rows; gives what attention reads (unchanged, for whoever else reads it),
    /// and the queries.
    func store(
        _ block: Block, _ layer: Int, _ segments: [AttentionSegment], residual: Matrix, rotary: RotaryAngles?,
        wantsQueries: Bool, _ run: PassRun
    ) throws -> (input: Matrix, query: Matrix) {
        let workers = run.workers
        let input: Matrix
        switch configuration.block {
        case .sequential, .parallel, .parallelSharedNorm:
            input = try normed(residual, block.attentionNorm, run)
        case .sequentialFromNorms:
            block.attentionNorm(residual, into: residual, workers: workers)
            input = residual
        case .normsAfter: input = residual
        }
        let read = try run.visited(.attentionInput, layer, shared: input)
        guard !block.projections.isEmpty else { return (input, try visitNoHeads(layer, residual.rows, run)) }
        // Where queries have a matrix of their own, it can be left out.
        let projections = wantsQueries ? block.projections : block.projections.suffix(2)
        let prepared = try ProductInput(read, for: projections, workers: workers, arena: run.arena)
        let outs = try projections.map { try run.arena.matrix(rows: residual.rows, columns: $0.outputs) }
        let limit = configuration.queryKeyValueLimit
        try Linear.multiply(prepared, by: projections, into: outs, workers: workers) { index, range in
            if let limit { Elementwise.clamp(outs[index], to: limit, columns: range) }
        }
        // One output holds all three, or each has its own.
        let (query, key, value) = (outs[0], outs[max(0, outs.count - 2)], outs[outs.count - 1])
        if wantsQueries { normalise(query, block.queryNorm, from: block.columns.query(0), workers: workers) }
        normalise(key, block.keyNorm, from: block.columns.key(0), workers: workers)
        if wantsQueries {
            try run.visit(.query, layer, query, columns: queryColumns(block))
        }
        try run.visit(.key, layer, key, columns: keyColumns(block))
        if let rotary {
            if wantsQueries {
                rotary.rotate(
                    query, heads: block.attention.heads, workers: workers, offset: block.columns.query)
            }
            rotary.rotate(
                key, heads: block.attention.shape.heads, workers: workers, offset: block.columns.key)
        }
        if wantsQueries {
            try run.visit(.rotatedQuery, layer, query, columns: queryColumns(block))
        }
        try run.visit(.rotatedKey, layer, key, columns: keyColumns(block))
        try run.visit(.value, layer, value, columns: valueColumns(block))
        block.attention.store(
            keys: key, values: value, columns: block.columns, segments: segments, workers: workers)
        return (input, query)
    }

    /// The sites of attention in a block whose heads are all gone: rows without values.
    private func visitNoHeads(_ layer: Int, _ rows: Int, _ run: PassRun) throws -> Matrix {
        let nothing = try run.arena.matrix(rows: rows, columns: 0)
        for kind in [Site.Kind.query, .key, .rotatedQuery, .rotatedKey, .value] {
            try run.visit(kind, layer, nothing)
        }
        return nothing
    }

    /// Where the values of a site stand, head after head, in the order of Hugging Face's checkpoints.
    private func queryColumns(_ block: Block) -> [Int] {
        siteColumns(block.attention.heads, configuration.headOrder, block.columns.query)
    }
    private func keyColumns(_ block: Block) -> [Int] {
        siteColumns(block.attention.shape.heads, configuration.headOrder, block.columns.key)
    }
    private func valueColumns(_ block: Block) -> [Int] {
        siteColumns(block.attention.shape.heads, nil, block.columns.value)
    }
    private func siteColumns(_ heads: Int, _ order: [Int]?, _ start: (Int) -> Int) -> [Int] {
        let order = order ?? Array(0..<configuration.headWidth)
        return (0..<heads).flatMap { head in order.map { start(head) + $0 } }
    }

    func attend(
        _ block: Block, _ layer: Int, _ segments: [AttentionSegment], residual: Matrix, rotary: RotaryAngles?,
        _ run: PassRun
    ) throws -> AttentionResult {
        let (input, query) = try store(
            block, layer, segments, residual: residual, rotary: rotary, wantsQueries: true, run)
        let heads = try run.arena.matrix(
            rows: residual.rows, columns: block.attention.heads * configuration.headWidth)
        var pattern: ((AttentionPattern) throws -> Void)?
        if let sites = run.sites, sites.touches(.pattern, layer) {
            pattern = { try sites.visit(pattern: $0, layer: layer) }
        }
        guard block.attention.heads > 0 else {
            try run.visit(.heads, layer, heads)
            return AttentionResult(input: input, values: heads)
        }
        try block.attention.attend(
            query: query, columns: block.columns, segments: segments, into: heads, workers: run.workers,
            arena: run.arena, pattern: pattern)
        try run.visit(.heads, layer, heads)
        return AttentionResult(input: input, values: heads)
    }

    /// residual += the output of attention to a source text, which goes through `output`.
    private func attend(
        _ cross: CrossAttention, _ source: [AttentionSegment], residual: Matrix, into output: Matrix,
        _ run: PassRun
    ) throws {
        let input = try normed(residual, cross.norm, run)
        let query = try cross.query.product(input, workers: run.workers, arena: run.arena)
        let heads = try run.arena.matrix(rows: residual.rows, columns: query.columns)
        try cross.attention.attend(
            query: query, columns: cross.columns, segments: source, into: heads, workers: run.workers,
            arena: run.arena)
        try project(heads, by: cross.output, into: output, addingTo: residual, run)
    }

    /// Adds attention's output and the MLP's to the residual, in the order of the family's block.
    ///
    /// `source` says what each row sees of a source text.
    func join(
        _ block: Block, _ layer: Int, _ attention: AttentionResult, _ source: [AttentionSegment],
        residual: Matrix, _ run: PassRun
    ) throws {
        let output = try run.arena.matrix(rows: residual.rows, columns: residual.columns)
        let mlpOutput = try run.arena.matrix(rows: residual.rows, columns: residual.columns)
        func projectHeads() throws {
            try project(
                attention.values, by: block.attentionOutput, into: output, addingTo: residual, run,
                at: (.attentionOutput, layer))
        }
        switch configuration.block {
        case .sequential:
            try projectHeads()
            if let cross = block.cross {
                try attend(cross, source, residual: residual, into: output, run)
            }
            let input = try normed(residual, block.mlpNorm, run)
            try run.visit(.mlpInput, layer, input)
            try mlp(block, layer, input, into: mlpOutput, addingTo: residual, run)
        case .parallel, .parallelSharedNorm:
            let hasOwnNorm = configuration.block == .parallel
            let shared = hasOwnNorm ? try normed(residual, block.mlpNorm, run) : attention.input
            let input = try run.visited(.mlpInput, layer, shared: shared)
            try projectHeads()
            try mlp(block, layer, input, into: mlpOutput, addingTo: residual, run)
        case .normsAfter, .sequentialFromNorms:
            // The MLP reads the residual itself, which was normalised in its place. It has read all of it
            // before anything is added.
            try projectHeads()
            let isAfter = configuration.block == .normsAfter
            let between = isAfter ? block.attentionNorm : block.mlpNorm
            between?(residual, into: residual, workers: run.workers)
            let input = try run.visited(.mlpInput, layer, shared: residual)
            try mlp(block, layer, input, into: mlpOutput, addingTo: residual, run)
            if isAfter { block.mlpNorm?(residual, into: residual, workers: run.workers) }
        }
    }

    /// Normalises the columns that begin at `start`, in their place.
    private func normalise(_ x: Matrix, _ norm: Norm?, from start: Int, workers: Workers) {
        guard let norm, let width = norm.weight?.count else { return }
        let part = x.columns(start..<start + width)
        norm(part, into: part, workers: workers)
    }

    func normed(_ x: Matrix, _ norm: Norm?, _ run: PassRun) throws -> Matrix {
        guard let norm else { return x }
        let out = try run.arena.matrix(rows: x.rows, columns: x.columns)
        norm(x, into: out, workers: run.workers)
        return out
    }

    /// out = x Wᵀ + b, and residual += out. Where something happens at `site`, between the two.
    private func project(
        _ x: Matrix, by linear: Linear, into out: Matrix, addingTo residual: Matrix, _ run: PassRun,
        at site: (kind: Site.Kind, layer: Int)? = nil
    ) throws {
        let input = try ProductInput(x, for: [linear], workers: run.workers, arena: run.arena)
        if let site, run.touches(site.kind, site.layer) {
            try Linear.multiply(input, by: [linear], into: [out], workers: run.workers)
            try run.visit(site.kind, site.layer, out)
            Elementwise.add(out, to: residual, columns: 0..<out.columns)
        } else {
            try Linear.multiply(input, by: [linear], into: [out], workers: run.workers) { _, range in
                Elementwise.add(out, to: residual, columns: range)
            }
        }
    }

    private func mlp(
        _ block: Block, _ layer: Int, _ x: Matrix, into out: Matrix, addingTo residual: Matrix, _ run: PassRun
    ) throws {
        let f = configuration.activation
        let (workers, arena) = (run.workers, run.arena)
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
        try run.visit(.mlpHidden, layer, hidden)
        try project(
            hidden, by: block.down, into: out, addingTo: residual, run, at: (.mlpOutput, layer))
    }
}
