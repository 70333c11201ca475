import ArgumentParser

/// Vectors that stand for demonstrations in a prompt.
struct IclCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "icl",
        abstract: "Turn demonstrations into a vector that makes the model do a task without them.",
        discussion: """
            Demonstrations such as cat→cats leave a compressed form of their task in what the heads give at the \
            arrows: the state vector (Li et al., 2024). Put in at the arrow of a bare query, it makes the model do \
            the task. A vector is a patch, for --with.

            Example: corvid steer icl extract --task plurals.json --output plural.patch
            Example: corvid generate --with plural.patch --greedy --max-tokens 3 --prompt "<|endoftext|>fox→"
            Example: corvid steer icl evaluate --task plurals.json --seeds 3 --plot layers.svg
            """,
        subcommands: [
            IclExtractCommand.self, IclEvaluateCommand.self, IclCombineCommand.self, IclNearestCommand.self,
        ])
}
