import ArgumentParser
import CorvidTensors
import Foundation
import Synchronization

/// The way from the arguments of the process to its exit code.
public enum Launch {
    /// Exit code after SIGINT or SIGTERM.
    static let interrupted: Int32 = 130

    /// Parses the arguments of the process, runs the command they name and ends the process.
    ///
    /// Exit codes: 0 done, 1 the work failed, 64 wrong usage, 130 interrupted.
    public static func main() async -> Never {
        // `corvid ... | head` ends quietly, also below a parent that ignores broken pipes.
        signal(SIGPIPE, SIG_DFL)
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await run(arguments))
    }

    /// Runs one command line and returns the exit code of it.
    static func run(_ arguments: [String]) async -> Int32 {
        let command: any ParsableCommand
        let completed: [String]
        do {
            let environment = ProcessInfo.processInfo.environment
            try chooseInstructionSet(environment["CORVID_ISA"])
            completed = try EnvironmentOptions(environment).completing(arguments)
            command = try Corvid.parseAsRoot(completed)
        } catch {
            return tell(error)
        }
        let kind = type(of: command)
        let signals = SignalCount()
        // Listens before there is anything to interrupt.
        let interrupts = Interrupts.shared
        let work = Task {
            try await CurrentRun.$arguments.withValue(completed) {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    var command = command
                    try command.run()
                }
            }
        }
        do {
            try await interrupts.handling({ _ in
                // Whoever asks twice does not want to wait for the end of a pass.
                if signals.increment() > 1 { _exit(interrupted) }
                work.cancel()
            }) { try await work.value }
            return 0
        } catch {
            if signals.value > 0 || error is CancellationError { return interrupted }
            return tell(error, of: kind)
        }
    }

    /// Uses the instruction set which the environment names; without a name the best of this processor.
    private static func chooseInstructionSet(_ name: String?) throws {
        guard let name, !name.isEmpty else { return }
        let known = InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
        guard let set = InstructionSet(rawValue: name) else {
            throw ValidationError("CORVID_ISA is \"\(name)\"; it may be \(known).")
        }
        guard set.use() == set else {
            throw ValidationError(
                "CORVID_ISA is \(name), but this processor has at most \(InstructionSet.detected.rawValue).")
        }
    }

    /// Says what went wrong in one or two lines, or what was asked for (help, version).
    private static func tell(_ error: any Error, of command: any ParsableCommand.Type = Corvid.self) -> Int32
    {
        let code = Corvid.exitCode(for: error)
        if error is ExitCode { return code.rawValue }
        if code == .success {
            do {
                try StandardOutput.write(Corvid.fullMessage(for: error) + "\n")
                return 0
            } catch {
                return tell(error)
            }
        }
        if let error = error as? ValidationError {
            let asked = path(to: command, from: Corvid.self)?.joined(separator: " ") ?? "corvid"
            StandardError.say("\(error.message)\nSee '\(asked) --help' for more information.")
        } else if code == .validationFailure {
            StandardError.say(usage(Corvid.fullMessage(for: error)))
        } else {
            StandardError.say(failure(error))
        }
        return code.rawValue
    }

    /// The words that name a command, without the program's: `tokenizer train`.
    static func name(of command: any ParsableCommand.Type) -> String {
        (path(to: command, from: Corvid.self) ?? []).dropFirst().joined(separator: " ")
    }

    /// The words that name a command, from those of `root` on.
    private static func path(
        to command: any ParsableCommand.Type, from root: any ParsableCommand.Type
    ) -> [String]? {
        let name = root.configuration.commandName.map { [$0] } ?? []
        if root == command { return name }
        for next in root.configuration.subcommands {
            if let rest = path(to: command, from: next) { return name + rest }
        }
        return nil
    }

    /// The parser's message in two lines: what is wrong, and where to read more. The usage between them is
    /// in the help.
    static func usage(_ message: String) -> String {
        let lines = message.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        var first =
            lines.first.map { $0.hasPrefix("Error: ") ? String($0.dropFirst(7)) : $0 } ?? "wrong usage"
        // A wrong value is followed by the right ones, one in a line.
        if first.hasSuffix(":") {
            let values = lines.dropFirst().prefix { !$0.hasPrefix("Usage:") }.filter { $0.hasPrefix("- ") }
            first += " " + values.map { String($0.dropFirst(2)) }.joined(separator: ", ")
        }
        guard let hint = lines.last(where: { $0.hasPrefix("See '") }) else { return first }
        return first + "\n" + hint
    }

    /// At most two lines, whatever a library says.
    static func failure(_ error: any Error) -> String {
        let text = String(describing: error)
        return Terminal.withoutControls(text.split(separator: "\n").prefix(2).joined(separator: "\n"))
    }
}

/// How often the process was asked to end.
private final class SignalCount: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }
    func increment() -> Int { count.add(1, ordering: .relaxed).newValue }
}
