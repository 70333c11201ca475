import ArgumentParser
import CorvidRuns
import CorvidText

/// Shows one run.
struct RunsShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all that is known about a run.",
        discussion: "Example: corvid runs show last")

    @Argument(help: ArgumentHelp("Number of the run, or last.", valueName: "run"))
    var run: RunNumber

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> RunsShowReport {
        RunsShowReport(record: try run.record(in: RunNumber.store()))
    }
}

struct RunsShowReport: Report {
    let record: RunRecord

    var json: JSON {
        var object = record.run.json
        object["files"] = .array(record.files.map(\.json))
        object["result"] = record.result ?? .null
        object["measured"] = .array(record.measured.sorted().map { .string($0) })
        return .object(object)
    }

    var lines: String {
        let run = record.run
        let request = run.request
        var table = TextTable(.left, .left)
        table.add("run", "\(run.id)")
        table.add("command", "corvid \(request.command) \(run.argumentsText)")
        table.add("status", run.status.rawValue + (run.message.map { ": \($0)" } ?? ""))
        table.add("started", run.startedText)
        if let seconds = run.seconds { table.add("time", "\(Figures.rate(seconds)) s") }
        table.add("folder", request.folder)
        if let model = request.model { table.add("model", model) }
        if let seed = request.seed { table.add("seed", "\(seed)") }
        table.add("version", request.version)
        let threads = request.threads.map { ", \(Figures.count($0, "thread"))" } ?? ""
        table.add("processor", request.instructionSet + threads)
        if let repeated = request.repeats { table.add("repeats", "run \(repeated)") }
        return [table.lines, files, results].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var files: String {
        var table = TextTable(.left, .right, .left, .left)
        if !record.files.isEmpty { table.add("file", "size", "sha256", "path") }
        for file in record.files {
            table.add(
                file.role.rawValue, file.byteCount.map { Figures.bytes($0) } ?? "-",
                file.digest?.short ?? "-", file.name)
        }
        return table.lines
    }

    private var results: String {
        guard let result = record.result else { return "" }
        var table = TextTable(.left, .left)
        table.add("result", "")
        for item in RunComparison.values(of: result) { table.add(item.name, item.value.cell) }
        return table.lines
    }
}
