import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors

/// Which model runs, and how.
struct ModelOptions: ParsableArguments {
    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @OptionGroup var run: RunOptions

    /// Where the model lies.
    func location() throws -> ModelLocation { try Store().resolve(model) }

    /// The model, loaded.
    func load() throws -> LoadedModel {
        let location = try location()
        return try LoadedModel(location, options: run.loading)
    }
}

/// A model, and what its files say about it.
struct LoadedModel: Sendable {
    let name: String
    let files: ModelFiles
    let model: Model

    init(_ location: ModelLocation, options: LoadOptions) throws {
        name = location.name
        files = try ModelFiles(path: location.path)
        if let context = options.contextLength {
            let most = try files.modelConfiguration().context
            guard context <= most else { throw CommandError.context(asked: context, most: most) }
        }
        model = try Model.load(files, options: options)
    }

    /// The type of most of the weights as the file calls it, with the type that they are computed in if another.
    var type: String {
        let type = TensorSummary(files.tensors.entries).mainType ?? "no weights"
        guard let computed = model.options.computeType?.rawValue, computed != type.lowercased() else {
            return type
        }
        return "\(type) as \(computed)"
    }

    /// Whether products with the weights are sums of integers.
    var computesInIntegers: Bool {
        let types = TensorSummary(files.tensors.entries).types
        return model.options.computeType == nil && (types.first?.type?.isBlock ?? false)
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

    /// Options for loading a model.
    var loading: LoadOptions {
        LoadOptions(
            threads: threads, computeType: dtype?.type, contextLength: context, cacheType: cacheType?.type)
    }

    /// The given seed, or a new one that is short enough to be written down.
    func chosenSeed() -> UInt64 { seed ?? UInt64.random(in: 0...999_999_999) }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); expected 1 to 1024.")
        }
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
    case f32, bf16, f16

    var type: DType {
        switch self {
        case .f32: .f32
        case .bf16: .bf16
        case .f16: .f16
        }
    }
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
