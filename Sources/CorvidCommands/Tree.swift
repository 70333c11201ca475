import ArgumentParser
import CorvidModels

/// The index of all commands.
public struct Corvid: AsyncParsableCommand {
    public static let version = CorvidVersion.current

    public static let configuration = CommandConfiguration(
        commandName: "corvid",
        abstract: "Talk to language models and look inside them.",
        discussion: """
            MODEL is a folder in Hugging Face layout (safetensors or pytorch_model.bin), a .gguf file, a name in \
            the store, or ORG/NAME in the Hugging Face cache. Without it the command runs \(Defaults.model).

            Example: corvid chat
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Run",
                subcommands: [
                    ChatCommand.self, GenerateCommand.self, EmbedCommand.self, ClassifyCommand.self,
                    TokenizeCommand.self,
                ]),
            CommandGroup(
                name: "Measure",
                subcommands: [
                    RecordCommand.self, LogitsCommand.self, PerplexityCommand.self, ProbeCommand.self,
                    BenchCommand.self,
                    TraceCommand.self,
                ]),
            CommandGroup(
                name: "Change", subcommands: [PatchCommand.self, PruneCommand.self, SteerCommand.self]),
            CommandGroup(
                name: "Store",
                subcommands: [
                    InspectCommand.self, ConvertCommand.self, FamiliesCommand.self, TokenizerCommand.self,
                    RunsCommand.self,
                ]),
        ])

    public init() {}
}
