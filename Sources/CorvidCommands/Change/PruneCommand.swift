import ArgumentParser

/// Takes parts of models away.
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Take attention heads out of a model, for fairness or size.",
        discussion: "Example: corvid prune heads --method magnitude --ratio 0.05 --output small.patch",
        subcommands: [PruneHeadsCommand.self])
}
