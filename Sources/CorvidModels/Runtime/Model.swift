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
    private let transformer: Transformer
    let source: any TensorSource
    private let cacheShape: KeyValueShape
    private let arena = Arena()
    /// Larger arenas are given back after a pass: a long prompt must not hold memory for the rest of a chat.
    private static let arenaBytesKept = 64 << 20

    public var vocabularySize: Int { configuration.vocabulary }

    /// Text to token ids and back.
    /// - Throws: `TokenizerError`; a model whose tokenizer is missing or not understood still runs on ids.
    public var tokenizer: any Tokenizer { get throws { try text.tokenizer.get() } }
    /// nil for models that were not trained to converse.
    /// - Throws: `TemplateError` for a template that Corvid does not understand.
    public var chatTemplate: ChatTemplate? { get throws { try text.chatTemplate.get() } }

    /// What a model knows of text, or why it knows nothing.
    struct Text: Sendable {
        let tokenizer: Result<any Tokenizer, any Error>
        let chatTemplate: Result<ChatTemplate?, any Error>
    }

    init(
        path: String, source: any TensorSource, isGGUF: Bool, configuration: ModelConfiguration, text: Text,
        options: LoadOptions, pool: WorkerPool?
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
        let loader = WeightLoader(
            source: source, configuration: configuration, computeType: options.computeType, file: path,
            isGGUF: isGGUF)
        transformer = try Transformer(loader, cacheType: cacheType)
        cacheShape = KeyValueShape(
            layers: configuration.layers, heads: configuration.keyValueHeads,
            headWidth: configuration.headWidth,
            type: cacheType)
        self.pool = try pool ?? WorkerPool(threads: options.threads)
    }

    public func makeCache() throws -> KeyValueCache {
        KeyValueCache(shape: cacheShape)
    }

    public func logits(for batch: Batch<KeyValueCache>) async throws -> Logits {
        let cancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await pool.run { workers in
                try self.run(batch, workers: workers, isCancelled: { cancelled.isSet })
            }
        } onCancel: {
            cancelled.set()
        }
    }

    /// The same for programs without tasks; blocks the calling thread.
    public func logitsBlocking(for batch: Batch<KeyValueCache>) throws -> Logits {
        try pool.runBlocking { workers in try self.run(batch, workers: workers, isCancelled: { false }) }
    }

    private func run(
        _ batch: Batch<KeyValueCache>, workers: Workers, isCancelled: () -> Bool
    ) throws -> Logits {
        if isCancelled() { throw CancellationError() }
        try source.checkSize()
        defer { arena.reset(keeping: Self.arenaBytesKept) }
        do {
            let pass = try Pass(batch, vocabulary: configuration.vocabulary, contextLength: contextLength)
            let logits = try transformer.logits(
                pass, workers: workers, arena: arena, isCancelled: isCancelled)
            pass.finish()
            return Logits(rowCount: logits.rows, columns: logits.columns, values: logits.values)
        } catch {
            // Pages which the pass was to fill must not stay, or a fork would share them.
            for cache in batch.caches { cache.truncate(to: cache.count) }
            throw error
        }
    }

    // MARK: What a pass costs

    /// Bytes of weights that a pass over one row reads.
    public var weightBytesPerPass: Int { transformer.bytesPerPass }
    /// Bytes of keys and values that one position of one sequence takes, over all layers.
    public var cacheBytesPerPosition: Int { cacheShape.bytesPerPosition }
    /// Multiply-adds count two. Operations of the products for one row, without attention's scores.
    public var operationsPerRow: Double { transformer.operationsPerRow }
}

/// How to load a model.
public struct LoadOptions: Sendable, Equatable {
    /// nil: one per processor.
    public var threads: Int?
    /// Compute as if the weights had been converted to this type; nil: as they are.
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
