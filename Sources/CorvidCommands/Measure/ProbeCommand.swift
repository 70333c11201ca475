import ArgumentParser

/// What vectors inside of a model know.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Ask a model's vectors what they know.",
        subcommands: [CharacterProbeCommand.self])
}
