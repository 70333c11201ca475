import ArgumentParser
import CorvidRuns
import CorvidTensors
import CorvidText
import Foundation

/// Runs again what was run.
struct RunsRepeatCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "repeat",
        abstract: "Run something again, and say whether the same comes out.",
        discussion: """
            Runs the recorded arguments with the recorded seed in the recorded folder, as a run of its own, and \
            compares results and written files. The exit code is 1 when they are not the same. Measured times \
            and sizes of memory never are, and do not count.

            Example: corvid runs repeat last
            """)

    @Argument(help: ArgumentHelp("Number of the run, or last.", valueName: "run"))
    var run: RunNumber

    @Flag(help: "Replace files that were changed since the run wrote them.")
    var overwrite = false

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> RunsRepeatReport {
        let store = try RunNumber.store()
        let record = try run.record(in: store)
        let run = record.run
        guard run.status != .running else { throw RunsError.isRunning(id: run.id) }
        guard FileManager.default.changeCurrentDirectoryPath(run.request.folder) else {
            throw RunsError.folder(id: run.id, path: run.request.folder)
        }
        let command = try Self.command(of: run)
        if !overwrite { try refuseChanged(record, store) }
        let again = try await CurrentRun.$drawnSeed.withValue(run.request.seed ?? CurrentRun.newSeed()) {
            try await Self.runAgain(command, run, store, console)
        }
        return RunsRepeatReport(first: record, second: again)
    }

    /// The command of the recorded arguments.
    private static func command(of run: Run) throws -> any RecordedCommand {
        do {
            guard let command = try Corvid.parseAsRoot(run.request.arguments) as? any RecordedCommand else {
                throw RunsError.arguments(id: run.id, reason: "'\(run.request.command)' is not recorded")
            }
            try command.checkOptions()
            return command
        } catch let error as RunsError {
            throw error
        } catch {
            let reason = Launch.usage(Corvid.fullMessage(for: error)).split(separator: "\n").first ?? ""
            throw RunsError.arguments(id: run.id, reason: String(reason))
        }
    }

    /// What somebody made of a written file since then is not thrown away.
    private func refuseChanged(_ record: RunRecord, _ store: RunStore) throws {
        for file in record.files where file.role == .written {
            let now = RunFiles.file(at: file.path, .written, store)
            if now.digest != nil, now.digest != file.digest {
                throw RunsError.overwrites(id: record.run.id, path: file.path)
            }
        }
    }

    private static func runAgain(
        _ command: some RecordedCommand, _ run: Run, _ store: RunStore, _ console: Console
    ) async throws -> RunRecord {
        let recorder = RunRecorder(
            command, arguments: run.request.arguments, repeats: run.id, store: store)
        do {
            recorder.finish(try await command.report(to: console))
        } catch {
            recorder.fail(error)
            throw error
        }
        guard let record = try recorder.record() else {
            throw RunsError.unrecorded(id: run.id, reason: recorder.problem ?? "it was not recorded")
        }
        return record
    }
}

struct RunsRepeatReport: Report {
    let first: RunRecord
    let second: RunRecord
    private let comparison: RunComparison

    init(first: RunRecord, second: RunRecord) {
        self.first = first
        self.second = second
        comparison = RunComparison(first, second)
    }

    var wasInterrupted: Bool { second.run.status == .interrupted }

    var exitCode: Int32 {
        if wasInterrupted { return Launch.interrupted }
        return !isComparable || agrees ? 0 : 1
    }

    /// A run that did not get to its end has nothing to compare with.
    private var isComparable: Bool { first.run.status == .done && first.result != nil }
    private var agrees: Bool { comparison.resultsAgree && comparison.writtenAgrees }

    /// What is not as it was, so that other results are no surprise.
    private var warnings: [String] {
        let settings = comparison.settings.filter { !$0.isEqual }.map { item in
            "\(item.name) was \(item.first?.cell ?? "none"), is \(item.second?.cell ?? "none")"
        }
        let files = comparison.files.filter { !$0.isEqual && !$0.name.hasPrefix("written") }.map { item in
            "\(item.name) has changed"
        }
        let input = first.files.contains { $0.path == RunFile.standardInput }
        return settings + (isComparable ? files : [])
            + (input ? ["standard input was read; whether it was the same is not known"] : [])
    }

    private var written: [RunComparison.Item] { comparison.files.filter { $0.name.hasPrefix("written") } }

    var json: JSON {
        [
            "run": .count(first.run.id), "repeated_as": .count(second.run.id),
            "comparable": .bool(isComparable),
            "results_equal": isComparable ? .bool(comparison.resultsAgree) : .null,
            "files_equal": isComparable ? .bool(comparison.writtenAgrees) : .null,
            "warnings": .array(warnings.map { .string($0) }), "results": comparison.results.json,
            "files": comparison.files.json,
        ]
    }

    var lines: String {
        var parts = ["run \(first.run.id) repeated as run \(second.run.id)"]
        parts += warnings.map { "note: \($0)" }
        guard isComparable else {
            return (parts + ["run \(first.run.id) did not reach its end: there is nothing to compare"])
                .joined(separator: "\n")
        }
        parts.append(Self.verdict("results", comparison.results.filter { !$0.isMeasured }))
        if !written.isEmpty { parts.append(Self.verdict("written files", written)) }
        let wrong =
            comparison.results.filter { !$0.isEqual && !$0.isMeasured }
            + written.filter { !$0.isEqual }
        let names = ["run \(first.run.id)", "run \(second.run.id)"]
        if !wrong.isEmpty { parts.append(RunsCompareReport.table("differs", names, wrong)) }
        return parts.joined(separator: "\n")
    }

    private static func verdict(_ noun: String, _ items: [RunComparison.Item]) -> String {
        let equal = items.count { $0.isEqual }
        return equal == items.count
            ? "\(noun): all \(equal) equal" : "\(noun): \(equal) of \(items.count) equal"
    }
}
