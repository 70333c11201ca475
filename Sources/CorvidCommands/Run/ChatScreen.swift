import CorvidModels
import Foundation

/// What a talk shows: answers on standard output, everything else beside it.
struct ChatScreen: Sendable {
    let isInteractive: Bool
    private let isQuiet: Bool
    private let progress: ProgressLine

    init(isInteractive: Bool, isQuiet: Bool) {
        self.isInteractive = isInteractive
        self.isQuiet = isQuiet
        progress = ProgressLine(isShown: !isQuiet && Terminal.errorIsInteractive)
    }

    /// Which model talks, and how to talk to it.
    func heading(_ loaded: LoadedModel) {
        guard isInteractive, !isQuiet else { return }
        let model = loaded.model
        let parameters = Figures.short(TensorSummary(loaded.files.tensors.entries).parameters)
        let facts = [
            "\(model.configuration.family.name), \(parameters) parameters, \(loaded.type)",
            Figures.count(model.pool.threads, "thread"),
            "\(Figures.count(model.contextLength, "token")) of context",
        ]
        show(Terminal.bold(loaded.name) + "  " + facts.joined(separator: ", "))
        show(Terminal.faint("/help lists commands, Ctrl-C stops an answer, Ctrl-D leaves."))
        show("")
    }

    /// A piece of an answer.
    func answer(_ piece: String) throws {
        progress.erase()
        try StandardOutput.write(isInteractive ? Terminal.withoutControls(piece) : piece)
    }

    /// The end of an answer.
    func endAnswer() throws {
        progress.erase()
        try StandardOutput.write("\n")
    }

    /// An answer to a command.
    func show(_ text: String) {
        // Standard output was a terminal when the talk began; if it is gone, reading ends the talk.
        try? StandardOutput.write(text + "\n")
    }

    /// Something that the user must know, whether in a terminal or not.
    func notice(_ text: String) {
        progress.erase()
        StandardError.say(text)
    }

    func showReading(done: Int, total: Int) {
        progress.show("reading", done: done, total: total, unit: "tokens")
    }

    func endProgress() { progress.erase() }
}
