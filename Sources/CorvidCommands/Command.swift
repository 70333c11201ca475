import ArgumentParser
import CorvidText

/// A command that parses, calls the library and returns a report. Printing is done here, once for all.
protocol Command: AsyncParsableCommand {
    associatedtype Answer: Report

    var output: OutputOptions { get }

    /// Refuses options that do not go together. Unlike `validate()` it comes after the parser has refused what
    /// it does not know, so that a misspelt option is named first.
    /// - Throws: `ValidationError`.
    func checkOptions() throws
    func report(to console: Console) async throws -> Answer
}

extension Command {
    mutating func run() async throws {
        try checkOptions()
        try await CurrentRun.$drawnSeed.withValue(CurrentRun.newSeed()) { [self] in try await answer() }
    }

    private func answer() async throws {
        let console = Console(options: output)
        let recorder = RunRecorder(self)
        let answer: Answer
        do {
            answer = try await report(to: console)
        } catch {
            console.endProgress()
            recorder?.fail(error)
            throw error
        }
        console.endProgress()
        try console.write(answer)
        recorder?.finish(answer)
        if let problem = recorder?.problem { StandardError.say(problem) }
        if answer.exitCode != 0 { throw ExitCode(answer.exitCode) }
    }
}

extension Command {
    func checkOptions() throws {}
}

/// What a command found out: an object for programs, lines for people.
protocol Report: Sendable {
    /// Keys in snake case, in the order in which they are printed.
    var json: JSON { get }
    /// Lines for people, without the last line break. Empty when they have been written already.
    var lines: String { get }
    /// Whether a signal ended the work before its end.
    var wasInterrupted: Bool { get }
    /// What the process ends with.
    var exitCode: Int32 { get }
    /// Keys of ``json``, wherever in it, that measure time or memory, so that no two runs agree on them.
    static var measured: Set<String> { get }
}

extension Report {
    var wasInterrupted: Bool { false }
    var exitCode: Int32 { wasInterrupted ? Launch.interrupted : 0 }
    static var measured: Set<String> { [] }
}

extension JSON {
    /// A whole number.
    static func count(_ value: Int) -> JSON { .integer(Int64(value)) }
    /// A seed. JSON's integers are signed here: one above 2^63 - 1 is written as text, with all its digits,
    /// so that the run can be repeated.
    static func seed(_ value: UInt64) -> JSON {
        Int64(exactly: value).map { .integer($0) } ?? .string("\(value)")
    }
    /// Token ids.
    static func ids(_ ids: [Int32]) -> JSON { .array(ids.map { .integer(Int64($0)) }) }
    /// Numbers, one for each repetition.
    static func numbers(_ values: [Double]) -> JSON { .array(values.map { .number($0) }) }
}
