import ArgumentParser
import CorvidModels
import Foundation
import Synchronization

/// A talk: reads lines, answers them, and obeys commands until the user leaves.
final class ChatSession: Sendable {
    private struct State {
        var parameters: ChatParameters
        /// The answer that is being made.
        var answer: Task<Reply, any Error>?
        var mustEnd = false
    }

    private let conversation: Conversation<Model>
    private let lines: ChatLines
    private let screen: ChatScreen
    private let state: Mutex<State>

    init(
        conversation: Conversation<Model>, settings: ConversationSettings, lines: ChatLines,
        screen: ChatScreen, showsTimings: Bool
    ) {
        self.conversation = conversation
        self.lines = lines
        self.screen = screen
        let parameters = ChatParameters(settings: settings, showsTimings: showsTimings)
        state = Mutex(State(parameters: parameters))
    }

    /// Talks until the end of the input.
    /// - Throws: off a terminal the error of the first line that cannot be answered.
    func run() async throws {
        while !mustEnd {
            let input = await lines.next()
            if mustEnd { break }
            switch input {
            case .end: return
            case .interrupted: continue
            case .line(let line):
                guard try await obey(ChatInput(line)) else { return }
            }
        }
        throw ExitCode(Launch.interrupted)
    }

    /// Ctrl-C stops an answer or empties the line; off a terminal, and for SIGTERM, it ends the talk.
    func receive(_ signal: Interrupts.Signal) {
        let ends = signal == .terminate || !lines.isInteractive
        let answer = state.withLock { state in
            if ends { state.mustEnd = true }
            return state.answer
        }
        if let answer {
            answer.cancel()
        } else if case .editor(let reader) = lines {
            reader.interrupt()
        } else {
            // Waiting for a line cannot be broken off, and nothing is lost.
            _exit(Launch.interrupted)
        }
    }

    private var mustEnd: Bool { state.withLock { $0.mustEnd } }

    // MARK: Commands

    /// - Returns: whether the talk goes on.
    private func obey(_ input: ChatInput) async throws -> Bool {
        switch input {
        case .nothing: break
        case .message(let text): try await answer(text)
        case .help: tell(ChatInput.commands)
        case .quit: return false
        case .mistake(let text): screen.notice(text)
        case .reset:
            await attempt {
                let system = await conversation.transcript.system
                try await conversation.replace(with: Transcript(system: system))
                tell("The talk begins anew.")
            }
        case .system(let text): await changeSystem(text)
        case .save(let path):
            await attempt {
                let path = Self.expanded(path)
                try await conversation.transcript.save(to: path)
                tell("Saved to \(path).")
            }
        case .load(let path):
            await attempt {
                let transcript = try Transcript(contentsOf: Self.expanded(path))
                try await conversation.replace(with: transcript)
                tell("Going on after \(transcript.messages.count) messages.")
            }
        case .parameters(let name, let value): await changeParameters(name, value)
        }
        return true
    }

    private func changeSystem(_ text: String?) async {
        guard let text else {
            tell(
                await conversation.transcript.system
                    ?? "There is no system prompt; the model's own may apply.")
            return
        }
        await attempt {
            try await conversation.setSystem(text.isEmpty ? nil : text)
            tell(text.isEmpty ? "The system prompt is removed." : "The system prompt is set.")
        }
    }

    private func changeParameters(_ name: String?, _ value: String?) async {
        var parameters = state.withLock { $0.parameters }
        guard let name else { return tell(parameters.table) }
        guard let value else {
            guard let value = parameters.value(of: name) else {
                return screen.notice(ChatParameters.unknown(name))
            }
            return tell("\(name) \(value)")
        }
        let size = await conversation.generator.tokenizer.vocabularySize
        if let problem = parameters.set(name, to: value, size: size) { return screen.notice(problem) }
        state.withLock { $0.parameters = parameters }
        await conversation.configure(parameters.settings)
        tell("\(name) \(parameters.value(of: name) ?? value)")
    }

    /// Answers to commands are no answers of the model: off a terminal they stay away from standard output.
    private func tell(_ text: String) {
        if screen.isInteractive { screen.show(text) } else { StandardError.write(text + "\n") }
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            screen.notice(Launch.failure(error))
        }
    }

    private static func expanded(_ path: String) -> String {
        path.hasPrefix("~/") ? NSString(string: path).expandingTildeInPath : path
    }

    // MARK: Answers

    private func answer(_ text: String) async throws {
        let failure = FirstFailure()
        let start = AnswerStart()
        let task = Task { [conversation, screen] in
            let model = await conversation.generator.model
            return try await model.namingDamagedWeights {
                try await conversation.reply(to: text) { event in
                    switch event {
                    case .dropped(let turns):
                        let what = turns == 1 ? "turn is" : "\(turns) turns are"
                        screen.notice("the context is full: the oldest \(what) forgotten")
                    case .prefill(let done, let total): screen.showReading(done: done, total: total)
                    case .text(let piece):
                        failure.keep { try screen.answer(start.withoutLeadingBlanks(piece)) }
                    case .finished: break
                    }
                }
            }
        }
        state.withLock { state in
            state.answer = task
            // A signal may have come between the line and here.
            if state.mustEnd { task.cancel() }
        }
        defer { state.withLock { $0.answer = nil } }
        do {
            let reply = try await task.value
            try failure.rethrow()
            try finish(reply)
        } catch {
            screen.endProgress()
            if mustEnd { throw ExitCode(Launch.interrupted) }
            guard screen.isInteractive, !(error is CommandError) else { throw error }
            screen.notice(Launch.failure(error))
        }
        if mustEnd { throw ExitCode(Launch.interrupted) }
    }

    private func finish(_ reply: Reply) throws {
        let parameters = state.withLock { $0.parameters }
        let result = reply.result
        if screen.isInteractive, let remark = Self.remark(result, maxTokens: parameters.settings.maxTokens) {
            let gap = result.text.trimmed.isEmpty ? "" : " "
            try StandardOutput.write(gap + Terminal.faint("[\(remark)]"))
        }
        try screen.endAnswer()
        if parameters.showsTimings {
            let ran = result.promptTokens - result.cachedTokens
            tell(
                Terminal.faint(
                    "[read \(Figures.count(ran, "token")) at \(Figures.rate(result.prefillTokensPerSecond)) tokens/s, "
                        + "wrote \(result.ids.count) at \(Figures.rate(result.decodeTokensPerSecond)) tokens/s]"
                ))
        }
        if screen.isInteractive { screen.show("") }
    }

    /// Why an answer is not what the model made of it; nil if it is.
    private static func remark(_ result: GenerationResult, maxTokens: Int?) -> String? {
        switch result.stopReason {
        case .cancelled: "stopped"
        case .length: result.ids.count == maxTokens ? "max-tokens reached" : "the context is full"
        case .eos, .stop: result.text.trimmed.isEmpty ? "no answer" : nil
        }
    }
}

/// Whether an answer has begun. Models often begin with a blank or a line break, which nobody needs to see.
private final class AnswerStart: Sendable {
    private let hasBegun = Atomic(false)

    func withoutLeadingBlanks(_ piece: String) -> String {
        if hasBegun.load(ordering: .relaxed) { return piece }
        let rest = piece.drop { $0.isWhitespace }
        if !rest.isEmpty { hasBegun.store(true, ordering: .relaxed) }
        return String(rest)
    }
}
