import CorvidTensors
import CorvidText
import Synchronization

/// A loaded model: its transformer, its threads, its tokenizer and its chat template.
public final class Model: LanguageModel, @unchecked Sendable {
    // Sound: everything is immutable but the arena, which only jobs of the pool touch, one at a time.
    public typealias Cache = KeyValueCache

    /// Path of the file or directory that the model was loaded from.
    public let path: String
    public let configuration: ModelConfiguration
    private let text: Text
    public let options: LoadOptions
    /// The threads of all passes.
    public let pool: WorkerPool
    public let contextLength: Int
    let transformer: Transformer
    let source: any TensorSource
    /// What is laid over the weights; empty for a model as it is in its files.
    public let overlay: ModelOverlay
    /// The model's keys and values before each sequence, in the pages that all sequences share.
    private let prefixPages: [KeyValuePage]
    private let arena: Arena
    /// Larger arenas are given back after a pass: a long prompt must not hold memory for the rest of a chat.
    private static let arenaBytesKept = 64 << 20

    public var vocabularySize: Int { configuration.vocabulary }
    public var continuesText: Bool { configuration.sees == .earlier && configuration.output == .vocabulary }

    /// Text to token ids and back.
    /// - Throws: `TokenizerError`; a model whose tokenizer is missing or not understood still runs on ids.
    public var tokenizer: any Tokenizer { get throws { try text.tokenizer.get() } }
    /// nil for models that were not trained to converse.
    /// - Throws: `TemplateError` for a template that Corvid does not understand.
    public var chatTemplate: ChatTemplate? { get throws { try text.chatTemplate.get() } }

    /// How one vector is made of a text's states.
    /// - Throws: ``ConfigurationError`` if the files say something that is not understood.
    public var sentencePooling: SentencePooling { get throws { try text.pooling.get() } }

    /// What a model knows of text, or why it knows nothing.
    struct Text: Sendable {
        let tokenizer: Result<any Tokenizer, any Error>
        let chatTemplate: Result<ChatTemplate?, any Error>
        var pooling: Result<SentencePooling, any Error> = .success(SentencePooling())
    }

    init(
        path: String, source: any TensorSource, isGGUF: Bool, configuration: ModelConfiguration, text: Text,
        options: LoadOptions, pool: WorkerPool?,
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        self.path = path
        self.source = source
        self.configuration = configuration
        self.text = text
        self.options = options
        contextLength = min(options.contextLength ?? configuration.context, configuration.context)
        let cacheType = options.cacheType ?? (options.computeType == .f32 ? .f32 : .f16)
        guard cacheType == .f16 || cacheType == .f32 else {
            throw ConfigurationError.setting(
                file: path, key: "the type of keys and values", found: cacheType.rawValue,
                expected: "f16 or f32")
        }
        if let type = options.computeType, !type.holdsWeights, type != .i8 {
            throw ConfigurationError.setting(
                file: path, key: "the type to compute in", found: type.rawValue, expected: "a type of weights"
            )
        }
        let pool = try pool ?? WorkerPool(threads: options.threads)
        let matrices = source.entries.count { $0.shape.count == 2 }
        let loader = WeightLoader(
            source: source, configuration: configuration, computeType: options.computeType, file: path,
            isGGUF: isGGUF,
            converter: WeightConverter(
                pool: pool, progress: ConversionProgress(total: matrices, report: progress)))
        transformer = try Transformer(loader, cacheType: cacheType)
        self.pool = pool
        overlay = ModelOverlay()
        prefixPages = []
        arena = Arena()
    }

    private init(_ base: Model, overlay: ModelOverlay) throws {
        path = base.path
        configuration = base.configuration
        text = base.text
        options = base.options
        pool = base.pool
        contextLength = base.contextLength
        source = base.source
        for change in overlay.changes { try configuration.check(change) }
        transformer = try base.transformer.laying(overlay)
        self.overlay = overlay
        prefixPages =
            try overlay.prefix.map { prefix in
                try base.pool.runBlocking { try base.transformer.pages(of: prefix, workers: $0) }
            } ?? []
        // Passes of both run on one pool, one at a time.
        arena = base.arena
    }

    /// The same model with something laid over it. Weights, threads and files are shared, and this model stays as
    /// it is: taking the overlay off is going back to it. A model that has an overlay must be asked for it first.
    /// - Throws: ``OverlayError``, ``SiteError`` for what does not fit; `MemoryError`.
    public func laying(_ overlay: ModelOverlay) throws -> Model {
        guard self.overlay.isEmpty else { throw OverlayError.twice }
        return try Model(self, overlay: overlay)
    }

    public func makeCache() throws -> KeyValueCache {
        transformer.makeCache(prefix: prefixPages, prefixCount: overlay.prefix?.positions ?? 0)
    }

    public func logits(for batch: Batch<KeyValueCache>) async throws -> Logits {
        try await output(.logits, for: batch)
    }

    public var changes: [SiteChange] { overlay.changes }

    public func run(_ plan: SitePlan, _ batch: Batch<KeyValueCache>) async throws -> SiteRun {
        try await run(plan, batch, for: .logits)
    }

    /// The same for programs without tasks; blocks the calling thread.
    public func logitsBlocking(for batch: Batch<KeyValueCache>) throws -> Logits {
        try outputBlocking(.logits, for: batch)
    }

    /// Runs a pass as ``logits(for:)`` does, for any output that the model has.
    /// - Returns: the output of the rows that want one, in batch order.
    /// - Throws: ``OutputError`` if the model was not made to give it, and as ``logits(for:)``.
    public func output(_ output: ModelOutput, for batch: Batch<KeyValueCache>) async throws -> RowValues {
        try await onPool { workers, isCancelled in
            try self.run(batch, for: output, nil, workers: workers, isCancelled: isCancelled).output
        }
    }

    /// Runs a pass that records, changes, ends or begins at sites.
    ///
    /// A pass that skips blocks leaves its caches as they were: it makes no keys and values there.
    /// - Throws: ``SiteError`` for what does not fit the model or the batch, and as ``output(_:for:)``.
    public func run(
        _ plan: SitePlan, _ batch: Batch<KeyValueCache>, for output: ModelOutput
    ) async throws -> SiteRun {
        try await onPool { workers, isCancelled in
            try self.run(batch, for: output, plan, workers: workers, isCancelled: isCancelled)
        }
    }

    /// The same for programs without tasks; blocks the calling thread.
    public func runBlocking(
        _ plan: SitePlan, _ batch: Batch<KeyValueCache>, for output: ModelOutput = .logits
    ) throws -> SiteRun {
        try pool.runBlocking { workers in
            try self.run(batch, for: output, plan, workers: workers, isCancelled: { false })
        }
    }

    /// The same for programs without tasks; blocks the calling thread.
    public func outputBlocking(_ output: ModelOutput, for batch: Batch<KeyValueCache>) throws -> RowValues {
        try pool.runBlocking { workers in
            try self.run(batch, for: output, nil, workers: workers, isCancelled: { false }).output
        }
    }

    /// An empty cache for the answer of an encoder-decoder to a source text, which is read now. An answer
    /// begins with ``ModelConfiguration/startToken``.
    /// - Throws: ``PassError`` for a text that cannot be read, or if the model reads none; `CancellationError`.
    public func makeCache(source: [Int32]) async throws -> KeyValueCache {
        try await read(source, SitePlan()).cache
    }

    /// The same for programs without tasks; blocks the calling thread.
    public func makeCacheBlocking(source: [Int32]) throws -> KeyValueCache {
        try pool.runBlocking { workers in
            try self.read(source, SitePlan(), workers: workers, isCancelled: { false }).cache
        }
    }

    /// Reads a source text as ``makeCache(source:)`` does, and records and changes what stands at sites of the
    /// stack that reads it.
    /// - Throws: ``SiteError`` for what does not fit, and as ``makeCache(source:)``.
    public func read(
        _ source: [Int32], _ plan: SitePlan
    ) async throws -> (cache: KeyValueCache, readings: [SiteValues]) {
        try await onPool { workers, isCancelled in
            try self.read(source, plan, workers: workers, isCancelled: isCancelled)
        }
    }

    private func onPool<Result: Sendable>(
        _ job: @escaping @Sendable (Workers, @escaping () -> Bool) throws -> Result
    ) async throws -> Result {
        let cancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await pool.run { workers in try job(workers, { cancelled.isSet }) }
        } onCancel: {
            cancelled.set()
        }
    }

    private func run(
        _ batch: Batch<KeyValueCache>, for output: ModelOutput, _ plan: SitePlan?, workers: Workers,
        isCancelled: @escaping () -> Bool
    ) throws -> SiteRun {
        if isCancelled() { throw CancellationError() }
        try source.checkSize()
        try transformer.head.check(output)
        defer { arena.reset(keeping: Self.arenaBytesKept) }
        var sites: SiteVisitor?
        do {
            let pass = try Pass(
                batch, vocabulary: configuration.vocabulary, contextLength: contextLength,
                tokenTypes: configuration.tokenTypes, sees: configuration.sees,
                readsSource: transformer.encoder != nil)
            if plan != nil || !overlay.changes.isEmpty {
                sites = try SiteVisitor(
                    plan ?? SitePlan(), overlay: overlay.changes, pass: pass, configuration: configuration)
            }
            if sites?.isOver == true { throw SiteVisitor.PassEnded() }
            let run = PassRun(
                pass: pass, workers: workers, arena: arena, sites: sites, isCancelled: isCancelled)
            let values = try transformer.run(run, for: output)
            if plan?.runsAllBlocks ?? true {
                pass.finish()
            } else {
                Self.rewind(batch)
            }
            return SiteRun(
                output: RowValues(rowCount: values.rows, columns: values.columns, values: values.values),
                readings: sites?.readings ?? [])
        } catch let error {
            // Pages which the pass was to fill must not stay, or a fork would share them.
            Self.rewind(batch)
            guard error is SiteVisitor.PassEnded, let sites else { throw error }
            return SiteRun(
                output: RowValues(rowCount: 0, columns: 0, values: []), readings: sites.readings)
        }
    }

    private static func rewind(_ batch: Batch<KeyValueCache>) {
        for cache in batch.caches { cache.truncate(to: cache.count) }
    }

    /// What the model would say if its blocks ended with these residuals: the final norm and `output`, for each
    /// row (the logit lens; nostalgebraist, 2020).
    /// - Parameter residual: `[rows, width]`, row after row.
    /// - Throws: ``OutputError``; ``SiteError/resumeRows(found:expected:)`` for rows of another width.
    public func readOut(_ residual: [Float], for output: ModelOutput = .logits) async throws -> RowValues {
        let width = configuration.width
        guard residual.count % width == 0 else {
            throw SiteError.resumeRows(
                found: residual.count, expected: (residual.count / width + 1) * width)
        }
        return try await onPool { workers, isCancelled in
            try self.source.checkSize()
            try self.transformer.head.check(output)
            defer { self.arena.reset(keeping: Self.arenaBytesKept) }
            let rows = residual.count / width
            let pass = try Pass(
                Batch(rows: [], caches: []), vocabulary: self.configuration.vocabulary,
                contextLength: self.contextLength)
            let run = PassRun(
                pass: pass, workers: workers, arena: self.arena, sites: nil, isCancelled: isCancelled)
            let matrix = try Matrix(residual, rows: rows, columns: width)
            let states = try self.transformer.stack.finish(matrix, run, rows: Array(0..<rows))
            let values = try self.transformer.head.apply(output, to: states, run, rows: Array(0..<rows))
            return RowValues(rowCount: values.rows, columns: values.columns, values: values.values)
        }
    }

    private func read(
        _ text: [Int32], _ plan: SitePlan, workers: Workers, isCancelled: @escaping () -> Bool
    ) throws -> (cache: KeyValueCache, readings: [SiteValues]) {
        guard transformer.encoder != nil, !text.isEmpty else { throw PassError.source(length: text.count) }
        if isCancelled() { throw CancellationError() }
        try source.checkSize()
        defer { arena.reset(keeping: Self.arenaBytesKept) }
        let rows = text.enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let pass = try Pass(
            Batch(rows: rows, caches: [transformer.makeEncoderCache()]),
            vocabulary: configuration.vocabulary, contextLength: contextLength, sees: .wholeSequence)
        let kept = transformer.makeCache()
        try kept.reserve(upTo: text.count)
        // The cache must hold the whole source: a plan may not leave blocks out.
        let layers = configuration.encoderLayers
        guard plan.runsAllBlocks else {
            throw SiteError.resume(layer: plan.start?.layer ?? layers, layers: layers)
        }
        let sites =
            plan.isEmpty
            ? nil
            : try SiteVisitor(plan, overlay: [], pass: pass, configuration: configuration, layers: layers)
        let run = PassRun(pass: pass, workers: workers, arena: arena, sites: sites, isCancelled: isCancelled)
        try transformer.read(run, into: kept)
        kept.advance(to: text.count)
        return (transformer.makeCache(source: kept), sites?.readings ?? [])
    }

    // MARK: What a pass costs

    /// Bytes of weights that a pass over one row reads.
    public var weightBytesPerPass: Int { transformer.bytesPerPass }
    /// Bytes of keys and values that one position of one sequence takes, over all layers.
    public var cacheBytesPerPosition: Int { transformer.cacheBytesPerPosition }
}

/// How to load a model.
public struct LoadOptions: Sendable, Equatable {
    /// nil: one per processor.
    public var threads: Int?
    /// Compute as if the weights had been converted to this type; nil: as they are. `i8` means int8 with a
    /// scale for each row.
    ///
    /// f32, f16 and bf16 weights are converted while they are multiplied. Block types and int8 are made once,
    /// at load, in memory of their own: matrices and the token embedding, whatever their type in the file
    /// (``DType/weightType(columns:)`` says which type short rows get). Norms, biases and tables of positions
    /// stay as they are.
    public var computeType: DType?
    /// At most this many positions; nil: the model's.
    public var contextLength: Int?
    /// `f16` or `f32`; nil: f16, or f32 with a compute type of f32.
    public var cacheType: DType?

    public init(
        threads: Int? = nil, computeType: DType? = nil, contextLength: Int? = nil, cacheType: DType? = nil
    ) {
        self.threads = threads
        self.computeType = computeType
        self.contextLength = contextLength
        self.cacheType = cacheType
    }
}

/// A flag that another thread raises.
private final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}
