import ArgumentParser

/// Vectors that turn texts towards something: made, tried, measured.
struct SteerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steer",
        abstract: "Turn a model's texts towards a topic or tone by adding vectors to its stream.",
        discussion: """
            Example: corvid steer --positive " weddings" --layer 14 --prompt "I went up to my friend and said"
            Example: corvid steer sweep --pairs weddings.json --topical weddings.txt --unrelated other.txt
            Example: corvid steer evaluate --vector weddings.patch --topic wedding,bride --prompt "Last week we"
            Example: corvid steer icl extract --task plurals.json --output plural.patch
            """,
        subcommands: [
            SteerVectorCommand.self, SteerSweepCommand.self, SteerEvaluateCommand.self, IclCommand.self,
        ],
        defaultSubcommand: SteerVectorCommand.self)
}
