import CorvidTensors

/// The one transformer: a stack of blocks, what is made of its states, and for encoder-decoders the stack that
/// reads the source text.
struct Transformer: Sendable {
    let configuration: ModelConfiguration
    private(set) var stack: Stack
    let encoder: Stack?
    let senses: SenseMixture?
    private(set) var head: Head
    /// Keys and values of a sequence, and of the encoder's, which are not kept from block to block.
    private let cacheShape, encoderShape: KeyValueShape
    private let senseShape: KeyValueShape?

    init(_ loader: WeightLoader, cacheType: DType) throws {
        let c = loader.configuration
        configuration = c
        func shape(layers: Int, type: DType) -> KeyValueShape {
            KeyValueShape(layers: layers, heads: c.keyValueHeads, headWidth: c.headWidth, type: type)
        }
        encoderShape = shape(layers: 1, type: .f32)
        cacheShape = c.sees == .earlier ? shape(layers: c.layers, type: cacheType) : encoderShape
        stack = try Stack(loader, layers: c.layers, sees: c.sees, cacheShape: cacheShape)
        encoder =
            c.encoderLayers > 0
            ? try Stack(
                loader.encoder, layers: c.encoderLayers, sees: .wholeSequence, cacheShape: encoderShape) : nil
        senseShape = c.senses > 0 ? SenseMixture.cacheShape(c, type: cacheType) : nil
        senses = try senseShape.map { try SenseMixture(loader, cacheShape: $0) }
        head = try Head(loader, embedding: stack.tokenEmbedding)
        try loader.refuseUnreadTensors()
    }

    /// The transformer with everything but site changes and the prefix laid over it, sharing its weights.
    /// - Throws: ``OverlayError`` for a weight that the model does not have or that has another shape.
    func laying(_ overlay: ModelOverlay) throws -> Transformer {
        var laid = self
        var rest = Layings(overlay)
        try laid.stack.lay(&rest)
        try laid.head.lay(&rest)
        if let target = rest.unused { throw OverlayError.missing(target, family: configuration.family.name) }
        return laid
    }

    /// Bytes of weights that one pass over a single row reads.
    var bytesPerPass: Int { linears.reduce(0) { $0 + $1.byteCount } }

    /// All matrices that rows are multiplied with; the encoder's are not among them.
    private var linears: [Linear] {
        stack.linears + (senses?.linears ?? []) + head.linears(configuration.output)
    }

    /// An empty cache for a sequence, which may answer to a source text.
    func makeCache(
        source: KeyValueCache? = nil, prefix: [KeyValuePage] = [], prefixCount: Int = 0
    ) -> KeyValueCache {
        KeyValueCache(
            shape: cacheShape, senses: senseShape.map { KeyValueCache(shape: $0) }, source: source,
            prefix: prefix, prefixCount: prefixCount)
    }

    /// An empty cache for a source text while it is read.
    func makeEncoderCache() -> KeyValueCache { KeyValueCache(shape: encoderShape) }

    /// Bytes of a position of a sequence.
    var cacheBytesPerPosition: Int { cacheShape.bytesPerPosition + (senseShape?.bytesPerPosition ?? 0) }

    /// What `output` asks for `[rows that want it, columns]`, in memory of the arena.
    func run(_ run: PassRun, for output: ModelOutput) throws -> Matrix {
        let pass = run.pass
        var states = try stack.states(
            run, wanted: senses == nil ? pass.wantedRows : Array(pass.tokens.indices))
        if let senses {
            let all = try senses.mix(states, embedding: stack.tokenEmbedding, run)
            states = try run.arena.matrix(rows: pass.wantedRows.count, columns: all.columns)
            Elementwise.gather(all, rows: pass.wantedRows, into: states)
        }
        return try head.apply(output, to: states, run, rows: pass.wantedRows)
    }

    /// Runs the encoder over the rows of `run`, and stores the keys and values which the blocks make of its
    /// states at the beginning of `source`, which has room for them.
    func read(_ run: PassRun, into source: KeyValueCache) throws {
        guard let encoder else { return }
        let states = try encoder.states(run, wanted: run.pass.wantedRows)
        let segment = AttentionSegment(rows: 0..<states.rows, firstPosition: 0, pages: source.pages)
        for block in stack.blocks {
            guard let cross = block.cross else { continue }
            if run.isCancelled() { throw CancellationError() }
            let mark = run.arena.mark()
            let keys = try cross.key.product(states, workers: run.workers, arena: run.arena)
            let values = try cross.value.product(states, workers: run.workers, arena: run.arena)
            cross.attention.store(
                keys: keys, values: values, columns: cross.columns, segments: [segment], workers: run.workers)
            run.arena.reset(to: mark)
        }
    }
}
