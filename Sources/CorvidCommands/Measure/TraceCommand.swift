import ArgumentParser

/// Looks at where in a model an answer comes from.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "See through which tokens and layers a model comes to an answer.",
        discussion: """
            'corvid trace' with a prompt is 'corvid trace fact': causal tracing. 'corvid trace lens' reads what the \
            model would say after each layer.

            Example: corvid trace --prompt "The Space Needle is in the city of" --subject "Space Needle"
            Example: corvid trace lens --prompt "The Space Needle is in the city of"
            """,
        subcommands: [TraceFactCommand.self, TraceLensCommand.self], defaultSubcommand: TraceFactCommand.self)
}
