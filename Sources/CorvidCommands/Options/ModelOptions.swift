import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors

/// Which model runs, and how.
struct ModelOptions: ParsableArguments {
    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @OptionGroup var run: RunOptions
    @OptionGroup var patches: PatchOptions

    /// Where the model lies.
    func location() throws -> ModelLocation { try Store().resolve(model) }

    /// The model, loaded. The console shows how far it is with weights that are to be converted.
    func load(_ console: Console? = nil) throws -> LoadedModel {
        try load(run.loading, console)
    }

    /// The same with other options for loading.
    func load(_ options: LoadOptions, _ console: Console? = nil) throws -> LoadedModel {
        try LoadedModel(location(), options: options, patches: patches, console)
    }
}

/// A model, and what its files say about it.
struct LoadedModel: Sendable {
    let name: String
    let files: ModelFiles
    /// With the patches laid over it.
    let model: Model
    /// The model as it is in its files.
    let base: Model
    let patches: PatchStack

    init(
        _ location: ModelLocation, options: LoadOptions, patches: PatchOptions? = nil,
        pool: WorkerPool? = nil, _ console: Console? = nil
    ) throws {
        name = location.name
        files = try ModelFiles(path: location.path)
        if let context = options.contextLength {
            let most = try files.modelConfiguration().context
            guard context <= most else { throw CommandError.context(asked: context, most: most) }
        }
        if let type = options.computeType, type.isCompact {
            let needed = MemoryNeed.weights(files.tensors.entries, convertedTo: type)
            if let available = MachineMemory.available, needed > available {
                throw CommandError.convertedWeights(
                    type: type.weightName, needed: needed, available: available)
            }
        }
        let start = ContinuousClock.now
        base = try Model.load(files, options: options, pool: pool) { done, total in
            // What takes less than a second needs no explanation.
            guard ContinuousClock.now - start > .seconds(1) else { return }
            console?.show("convert weights", done: done, total: total, unit: "matrices")
        }
        console?.endProgress()
        (model, self.patches) = try patches?.apply(to: base, console) ?? (base, PatchStack([]))
    }

    /// The type of most of the weights as the file calls it, with the type that they are computed in if another.
    var type: String {
        let type = TensorSummary(files.tensors.entries).mainType ?? "no weights"
        guard let computed = model.options.computeType?.weightName, computed != type.lowercased() else {
            return type
        }
        return "\(type) as \(computed)"
    }
}

/// How a model runs. The text does not depend on threads, chunks or cache; types and context change it.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Start of the random numbers; the same seed gives the same text.", valueName: "N"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Worker threads. (default: one for each core)", valueName: "N"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Compute as if the weights had this type. (default: the file's own)", valueName: "type"))
    var dtype: ComputeType?

    @OptionGroup var pass: PassOptions

    var context: Int? { pass.context }
    var prefillChunk: Int { pass.prefillChunk }
    var noCache: Bool { pass.noCache }

    /// Options for loading a model.
    var loading: LoadOptions {
        LoadOptions(
            threads: threads, computeType: dtype?.type, contextLength: context,
            cacheType: pass.cacheType?.type)
    }

    /// The given seed, or a drawn one, which is the same throughout a command.
    func chosenSeed() -> UInt64 { seed ?? CurrentRun.drawnSeed ?? CurrentRun.newSeed() }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); expected 1 to 1024.")
        }
    }
}

/// How a pass over a text runs, for every command that runs a model.
struct PassOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Tokens that fit in the context. (default: the model's)", valueName: "N"))
    var context: Int?

    @Option(
        name: .customLong("kv-dtype"),
        help: ArgumentHelp(
            "Type of the cached keys and values. (default: f16; f32 with --dtype f32)", valueName: "type"))
    var cacheType: CacheType?

    @Option(help: ArgumentHelp("Tokens of a prompt that run in one pass.", valueName: "N"))
    var prefillChunk: Int = Defaults.prefillChunk

    @Flag(help: "Keep no keys and values: run the whole text again for every token (slow, for checks).")
    var noCache = false

    func validate() throws {
        if let context, context < 1 {
            throw ValidationError("--context is \(context); expected 1 or more tokens.")
        }
        if prefillChunk < 1 {
            throw ValidationError("--prefill-chunk is \(prefillChunk); expected 1 or more tokens.")
        }
    }
}

/// The types that products can be computed in.
enum ComputeType: String, ExpressibleByArgument, CaseIterable, Sendable {
    case f32, bf16, f16, int8, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k

    /// Upper case is understood as well: GGUF writes `Q4_K`.
    init?(argument: String) { self.init(rawValue: argument.lowercased()) }

    var type: DType { DType.allCases.first { $0.weightName == rawValue } ?? .f32 }
}

/// The types that cached keys and values can have.
enum CacheType: String, ExpressibleByArgument, CaseIterable, Sendable {
    case f16, f32

    var type: DType { self == .f16 ? .f16 : .f32 }
}

/// Values that stand when an option is not given.
enum Defaults {
    static let model = Store.defaultModel
    static let prefillChunk = 512
}
