import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors
import CorvidText

/// Shows what is in a model's files. Reads no weight.
struct InspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in a model or a patch: sizes, types, tensors, memory need.",
        discussion: """
            Also lists the tensors of a .gguf, .safetensors or pytorch_model.bin file that Corvid cannot run.

            Example: corvid inspect --tensors
            """)

    @Argument(help: "Folder, file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @Flag(help: "List every tensor.")
    var tensors = false

    @Option(
        help: ArgumentHelp("Tokens of context for the memory need. (default: the model's)", valueName: "N"))
    var context: Int?

    @Option(
        help: ArgumentHelp(
            "Also show the types and bytes that weights of this type would have.", valueName: "type"))
    var dtype: ComputeType?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let context, context < 1 {
            throw ValidationError("--context is \(context); expected 1 or more tokens.")
        }
    }

    func report(to console: Console) async throws -> InspectAnswer {
        let store = try Store()
        if let model, let path = try? store.resolvePatch(model), PatchFile.isPatch(at: path) {
            return .patch(try PatchReport(Patch(path: path), path: path, weights: nil))
        }
        return .model(try report(on: store.resolve(model)))
    }

    private func report(on location: ModelLocation) throws -> InspectReport {
        if let format = WeightFormat(file: location.path), format != .gguf {
            let file = try format.open(location.path)
            return InspectReport(
                location: location, format: format.rawValue, entries: file.entries, listsTensors: tensors,
                problem: "a single \(format.title) file does not say what model it belongs to")
        }
        let files = try ModelFiles(path: location.path)
        var report = InspectReport(
            location: location, format: files.format.rawValue, entries: files.tensors.entries,
            listsTensors: tensors)
        do {
            let configuration = try files.modelConfiguration()
            report.describe(configuration, context: context)
        } catch let error as ConfigurationError {
            report.problem = "\(error)"
        }
        report.describe(files)
        if let type = dtype?.type {
            report.describe(conversion: try files.types(convertedTo: type), to: type)
        }
        return report
    }
}

/// What is in a model, or in a patch.
enum InspectAnswer: Report {
    case model(InspectReport)
    case patch(PatchReport)

    var json: JSON {
        switch self {
        case .model(let report): report.json
        case .patch(let report): report.json
        }
    }

    var lines: String {
        switch self {
        case .model(let report): report.lines
        case .patch(let report): report.lines
        }
    }
}
