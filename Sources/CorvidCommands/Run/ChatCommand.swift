import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidText

/// Talks with a model in the terminal, or answers the lines of a pipe.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model.",
        discussion: """
            In a terminal: /help lists what can be typed, Ctrl-C stops an answer, Ctrl-D leaves. \
            Off a terminal each line of standard input is one turn, and standard output has the answers only.

            Example: corvid chat --system "You answer in one sentence."
            Example: echo "What is a corvid?" | corvid chat
            """)

    @Option(help: ArgumentHelp("What the model is told before the first turn.", valueName: "text"))
    var system: String?

    @Option(help: ArgumentHelp("Most tokens of an answer. (default: what the context holds)", valueName: "N"))
    var maxTokens: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("End an answer before this text; may be given again.", valueName: "text"))
    var stop: [String] = []

    @Flag(help: "Show the speed after each answer.")
    var timings = false

    @Flag(help: "Keep no history of typed lines on the disk.")
    var noHistory = false

    @Flag(help: "Show no heading and no progress.")
    var quiet = false

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var model: ModelOptions

    func validate() throws {
        if let maxTokens, maxTokens < 1 {
            throw ValidationError("--max-tokens is \(maxTokens); expected 1 or more.")
        }
        if stop.contains("") { throw ValidationError("--stop is empty; expected at least one character.") }
    }

    func run() async throws {
        let loaded = try model.load(Console(isQuiet: quiet))
        let lines = try inputLines()
        var settings = ConversationSettings()
        settings.sampling = sampling.settings(seed: model.run.chosenSeed())
        settings.maxTokens = maxTokens
        settings.stopStrings = stop
        settings.prefillChunk = model.run.prefillChunk
        settings.usesCache = !model.run.noCache
        // A model that learned no form of dialogue may write the user's next line, too.
        let tokenizer = try loaded.model.tokenizer
        let template = try loaded.model.chatTemplate
        if template == nil { settings.stopStrings.append("\nUser:") }

        let screen = ChatScreen(isInteractive: lines.isInteractive, isQuiet: quiet)
        screen.heading(loaded)
        if template == nil {
            screen.notice(
                "\(loaded.name) has no chat template: turns are written as 'User: ...' and 'Assistant: ...'.")
        }
        let conversation = Conversation(
            generator: Generator(model: loaded.model, tokenizer: tokenizer),
            template: template ?? .plain, settings: settings, transcript: Transcript(system: system))
        let session = ChatSession(
            conversation: conversation, settings: settings, lines: lines, screen: screen,
            showsTimings: timings)
        // A signal that came before the session received them has cancelled the task, or is about to.
        try await withTaskCancellationHandler {
            try await Interrupts.shared.handling({ session.receive($0) }) { try await session.run() }
        } onCancel: {
            session.receive(.terminate)
        }
    }

    private func inputLines() throws -> ChatLines {
        guard Terminal.inputIsInteractive, Terminal.outputIsInteractive, !Terminal.isDumb else {
            return .plain
        }
        if noHistory { return .editor(LineReader(historyFile: nil)) }
        let store = try Store()
        // Without a place for it the history lasts as long as the talk.
        let hasPlace = (try? store.prepare()) != nil
        return .editor(LineReader(historyFile: hasPlace ? store.chatHistory : nil))
    }
}
