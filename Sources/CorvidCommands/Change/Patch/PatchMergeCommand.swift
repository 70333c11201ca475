import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors
import CorvidText

/// Writes a model with patches in its weights.
struct PatchMergeCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Write a new model with patches in its weights.",
        discussion: """
            The new model names its base and the patches; the base stays as it is. Weights that are changed keep \
            their type unless --dtype says another, so that quantised ones are rounded again. What depends on \
            positions or activations cannot become weights and is refused.

            Example: corvid patch merge gpt-j-6b --with rome.patch --output models/edited
            """)

    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @OptionGroup var patches: PatchOptions

    @Option(name: .customLong("output"), help: ArgumentHelp("A .gguf file, or a folder.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("Type of all weights. (default: each its own)", valueName: "type"))
    var dtype: ComputeType?

    @Flag(help: "Replace a model that stands at the destination.")
    var force = false

    @Option(help: ArgumentHelp("Worker threads. (default: one for each core)", valueName: "N"))
    var threads: Int?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); expected 1 to 1024.")
        }
    }

    func checkOptions() throws {
        if path == nil { throw ValidationError("--output is missing; name a .gguf file or a folder.") }
        if patches.with.isEmpty { throw ValidationError("--with is missing; name the patches to merge.") }
    }

    func report(to console: Console) async throws -> PatchMergeReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        let location = try Store().resolve(model)
        let files = try ModelFiles(path: location.path)
        let pool = try WorkerPool(threads: threads)
        let base = try Model.load(files, pool: pool)
        let (_, stack) = try patches.apply(to: base, console)
        let merge = try PatchMerge(
            stack, into: base, files, name: location.name, to: dtype?.type, at: path, replacing: force)
        let total = merge.sourceBytes
        let result = try merge.write(pool: pool) { done in
            console.show("merge", done: done / 1_000_000, total: total / 1_000_000, unit: "MB")
        }
        return PatchMergeReport(result: result, base: location.name, stack: stack)
    }
}

struct PatchMergeReport: Report {
    let result: ModelConversion.Result
    let base: String
    let stack: PatchStack

    var json: JSON {
        [
            "path": .string(result.path), "format": .string(result.format), "bytes": .count(result.bytes),
            "base": .string(base),
            "patches": .array(
                stack.requirements.map {
                    ["name": .string($0.name), "scale": .number(Double($0.scale))]
                }),
            "types": TypeList.json(result.types),
        ]
    }

    var lines: String {
        let names = stack.requirements.map { "\($0.name)@\($0.scale)" }.joined(separator: ", ")
        return "\(result.path): \(base) with \(names), \(Figures.bytes(result.bytes))"
    }
}
