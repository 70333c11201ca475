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
        let console = Console(options: output)
        let answer: Answer
        do {
            answer = try await report(to: console)
        } catch {
            console.endProgress()
            throw error
        }
        console.endProgress()
        try console.write(answer)
        if answer.wasInterrupted { throw ExitCode(Launch.interrupted) }
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
}

extension Report {
    var wasInterrupted: Bool { false }
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
