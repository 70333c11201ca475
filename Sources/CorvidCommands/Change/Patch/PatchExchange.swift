import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidText

extension PatchExportFormat: ExpressibleByArgument {}

/// Makes a patch of another program's adapter.
struct PatchImportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a patch of a PEFT or MLX adapter, a GGUF adapter or a control vector.",
        discussion: """
            The patch is bound to the model that is named. --with takes such adapters directly, too.

            Example: corvid patch import adapters/lora --model gpt-j-6b --output lora.patch
            """)

    @Argument(help: "An adapter folder, or a .gguf file.")
    var source: String

    @Option(help: ArgumentHelp("The model that it is for. (default: \(Defaults.model))", valueName: "model"))
    var model: String?

    @Option(name: .customLong("output"), help: ArgumentHelp("The file to write.", valueName: "path"))
    var path: String?

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if path == nil { throw ValidationError("--output is missing; name the file to write.") }
    }

    func report(to console: Console) async throws -> PatchWrittenReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        let loaded = try Model.load(PatchFiles.model(model), options: LoadOptions(threads: 1))
        let digests = DigestStore(try Store())
        let patch = try Patch.open(source, for: loaded).bound(to: loaded, cache: digests)
        digests.save()
        try patch.save(to: path)
        return PatchWrittenReport(path: path, patch: patch)
    }
}

/// Writes a patch for another program.
struct PatchExportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a patch as a PEFT or MLX adapter, a GGUF adapter or a control vector.",
        discussion: """
            Low-rank changes become LoRA; additions at outputs of blocks become a GGUF control vector. What the other \
            program has no form for is refused.

            Example: corvid patch export lora.patch --model gpt-j-6b --format peft --output adapters/lora
            """)

    @Argument(help: "A patch file, or a name in the store.")
    var patch: String

    @Option(help: ArgumentHelp("The model that it is for. (default: \(Defaults.model))", valueName: "model"))
    var model: String?

    @Option(help: ArgumentHelp("The other program's form: peft, mlx or gguf.", valueName: "format"))
    var format: PatchExportFormat = .peft

    @Option(
        name: .customLong("output"), help: ArgumentHelp("The folder or file to write.", valueName: "path"))
    var path: String?

    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        if path == nil { throw ValidationError("--output is missing; name the folder or file to write.") }
    }

    func report(to console: Console) async throws -> PatchWrittenReport {
        guard let path else { throw CleanExit.helpRequest(self) }
        let patch = try Patch(path: Store().resolvePatch(self.patch))
        let configuration = try PatchFiles.model(model).modelConfiguration()
        try PatchExport(patch, for: configuration, as: format).write(to: path)
        return PatchWrittenReport(path: path, patch: patch)
    }
}
