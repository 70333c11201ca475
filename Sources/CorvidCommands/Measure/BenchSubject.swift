import CorvidModels
import CorvidStore
import CorvidTensors

/// What is measured: a model of files, or a shape with random weights.
struct BenchSubject: Sendable {
    let name: String
    /// Blocks of the model.
    let configuration: ModelConfiguration
    let options: LoadOptions
    private let source: Source

    private enum Source: Sendable {
        case files(ModelLocation, PatchOptions)
        case random(RandomCheckpoint)
    }

    init(_ location: ModelLocation, options: LoadOptions, patches: PatchOptions) throws {
        name = location.name
        configuration = try ModelFiles(path: location.path).modelConfiguration()
        self.options = options
        source = .files(location, patches)
        try refuseLongContext()
    }

    /// Nothing is allocated yet.
    init(_ shape: ModelShape, layers: Int?, type: WeightType, seed: UInt64, options: LoadOptions) throws {
        name = shape.name
        configuration = try shape.configuration(layers: layers)
        self.options = options
        // Threads of its own, all there are: how the weights are made is not measured.
        source = .random(
            try RandomCheckpoint(
                configuration, type: type.type, seed: seed, name: shape.name, pool: try WorkerPool()))
        try refuseLongContext()
    }

    private func refuseLongContext() throws {
        guard let context = options.contextLength, context > configuration.context else { return }
        throw CommandError.context(asked: context, most: configuration.context)
    }

    /// Bytes of the weights that no file holds.
    var randomBytes: Int {
        if case .random(let checkpoint) = source { checkpoint.byteCount } else { 0 }
    }

    var isRandom: Bool {
        if case .random = source { true } else { false }
    }

    /// A model on threads of `pool`, and the type of its weights. All models of a subject share the weights.
    func load(pool: WorkerPool) throws -> (model: Model, type: String) {
        switch source {
        case .files(let location, let patches):
            let loaded = try LoadedModel(location, options: options, patches: patches, pool: pool)
            return (loaded.model, loaded.type)
        case .random(let checkpoint):
            let type = TensorSummary(checkpoint.entries).mainType ?? checkpoint.type.rawValue
            return (try Model.random(checkpoint, options: options, pool: pool), type)
        }
    }

    /// Refuses what does not fit in the context or in memory, before anything large is taken.
    /// - Throws: `PassError`, ``CommandError``.
    func refuse(_ plan: BenchPlan) throws {
        let context = min(options.contextLength ?? configuration.context, configuration.context)
        guard plan.tokens <= context else {
            throw PassError.contextFull(positions: plan.tokens, contextLength: context)
        }
        let cacheType = options.cacheType ?? (options.computeType == .f32 ? .f32 : .f16)
        let shape = KeyValueShape(
            layers: configuration.layers, heads: configuration.keyValueHeads,
            headWidth: configuration.headWidth, type: cacheType)
        let need = MemoryNeed(
            configuration, cacheBytesPerPosition: shape.bytesPerPosition, tokens: plan.tokens,
            // A single text runs before and beside those of a batch.
            sequences: 1 + (plan.batches.max() ?? 0), prefillChunk: plan.prefillChunk)
        guard let available = MachineMemory.available else { return }
        if isRandom {
            let needed = need.bytes.addingSaturated(randomBytes)
            if needed > available {
                throw CommandError.weights(
                    name: name, weights: randomBytes, besides: need.bytes, available: available)
            }
        } else if need.bytes > available {
            throw CommandError.memory(needed: need.bytes, available: available)
        }
    }
}

/// What is done with the subject.
struct BenchPlan: Sendable {
    let promptTokens: Int
    let generateTokens: Int
    let repetitions: Int
    /// How many texts are generated at once.
    let batches: [Int]
    let prefillChunk: Int
    let usesCache: Bool
    let seed: UInt64

    /// Positions of each text.
    var tokens: Int { promptTokens.addingSaturated(generateTokens) }
}
