import ArgumentParser

/// What can be done with patches.
struct PatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patch",
        abstract: "Look at patches, combine them, exchange them with other programs.",
        discussion: """
            A patch is one small file that changes what a model does; every command that runs a model takes it as \
            --with PATCH[@SCALE]. The model's own files stay as they are.

            Example: corvid generate --with polite.patch@0.5 --prompt 'Dear Sir'
            """,
        subcommands: [
            PatchShowCommand.self, PatchStackCommand.self, PatchScaleCommand.self, PatchDiffCommand.self,
            PatchMergeCommand.self, PatchRevertCommand.self, PatchImportCommand.self, PatchExportCommand.self,
        ])
}
