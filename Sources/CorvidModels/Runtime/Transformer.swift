import CorvidTensors

/// The one transformer: a stack of blocks, what is made of its states, and for encoder-decoders the stack that
/// reads the source text.
struct Transformer: Sendable {
    let configuration: ModelConfiguration
    let stack: Stack
    let encoder: Stack?
    let senses: SenseMixture?
    let head: Head
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

    /// Bytes of weights that one pass over a single row reads.
    var bytesPerPass: Int { linears.reduce(0) { $0 + $1.byteCount } }

    /// All matrices that rows are multiplied with; the encoder's are not among them.
    private var linears: [Linear] {
        stack.linears + (senses?.linears ?? []) + head.linears(configuration.output)
    }

    /// An empty cache for a sequence, which may answer to a source text.
    func makeCache(source: KeyValueCache? = nil) -> KeyValueCache {
        KeyValueCache(shape: cacheShape, senses: senseShape.map { KeyValueCache(shape: $0) }, source: source)
    }

    /// An empty cache for a source text while it is read.
    func makeEncoderCache() -> KeyValueCache { KeyValueCache(shape: encoderShape) }

    /// Bytes of a position of a sequence.
    var cacheBytesPerPosition: Int { cacheShape.bytesPerPosition + (senseShape?.bytesPerPosition ?? 0) }

    /// What `output` asks for `[rows that want it, columns]`, in memory of the arena.
    func run(
        _ pass: Pass, for output: ModelOutput, workers: Workers, arena: Arena, isCancelled: () -> Bool
    ) throws -> Matrix {
        var states = try stack.states(
            pass, wanted: senses == nil ? pass.wantedRows : Array(pass.tokens.indices), workers: workers,
            arena: arena, isCancelled: isCancelled)
        if let senses {
            let all = try senses.mix(
                states, pass, embedding: stack.tokenEmbedding, workers: workers, arena: arena)
            states = try arena.matrix(rows: pass.wantedRows.count, columns: all.columns)
            Elementwise.gather(all, rows: pass.wantedRows, into: states)
        }
        return try head.apply(output, to: states, workers: workers, arena: arena)
    }

    /// Runs the encoder over the rows of `pass`, and stores the keys and values which the blocks make of its
    /// states at the beginning of `source`, which has room for them.
    func read(
        _ pass: Pass, into source: KeyValueCache, workers: Workers, arena: Arena, isCancelled: () -> Bool
    ) throws {
        guard let encoder else { return }
        let states = try encoder.states(
            pass, wanted: pass.wantedRows, workers: workers, arena: arena, isCancelled: isCancelled)
        let segment = AttentionSegment(rows: 0..<states.rows, firstPosition: 0, pages: source.pages)
        for block in stack.blocks {
            guard let cross = block.cross else { continue }
            if isCancelled() { throw CancellationError() }
            let mark = arena.mark()
            let keys = try cross.key.product(states, workers: workers, arena: arena)
            let values = try cross.value.product(states, workers: workers, arena: arena)
            cross.attention.store(
                keys: keys, values: values, columns: cross.columns, segments: [segment], workers: workers)
            arena.reset(to: mark)
        }
    }
}
