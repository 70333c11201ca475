import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors

/// Which model runs, and how.
struct ModelOptions: ParsableArguments {
    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @OptionGroup(title: "Run options") var run: RunOptions

    /// Where the model lies.
    func location() throws -> ModelLocation { try Store().resolve(model) }

    /// The loaded model.
    func load() throws -> (model: Model, location: ModelLocation) {
        let location = try location()
        return (try Model.load(path: location.path, options: run.loading), location)
    }
}

/// How a model runs. The text does not depend on threads, chunks or cache; types and context change it.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Start of the random numbers; the same seed gives the same text.", valueName: "N"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Worker threads. (default: one for each core)", valueName: "N"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Compute as if the weights had this type: \(Defaults.computeTypes). (default: the file's own)",
            valueName: "type"))
    var dtype: TypeName?

    @Option(help: ArgumentHelp("Tokens that fit in the context. (default: the model's)", valueName: "N"))
    var context: Int?

    @Option(
        name: .customLong("kv-dtype"),
        help: ArgumentHelp(
            "Type of the cached keys and values: f16 or f32. (default: f16; f32 with --dtype f32)",
            valueName: "type"))
    var cacheType: TypeName?

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
        if let cacheType, cacheType.type != .f16, cacheType.type != .f32 {
            throw ValidationError("--kv-dtype is '\(cacheType.type.rawValue)'; expected f16 or f32.")
        }
    }
}

/// A number type as an argument, in any case of letters: `f32`, `q4_K`.
struct TypeName: ExpressibleByArgument, Sendable {
    let type: DType

    init?(argument: String) {
        let wanted = argument.lowercased()
        guard let type = DType.allCases.first(where: { $0.rawValue.lowercased() == wanted && $0.holdsWeights })
        else { return nil }
        self.type = type
    }

    static var allValueStrings: [String] { DType.allCases.filter(\.holdsWeights).map(\.rawValue) }
    var defaultValueDescription: String { type.rawValue }
}

/// Values that stand when an option is not given.
enum Defaults {
    static let model = Store.defaultModel
    static let prefillChunk = 512
    static let computeTypes = "f32 or bf16"
}
