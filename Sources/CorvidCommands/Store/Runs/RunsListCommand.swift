import ArgumentParser
import CorvidRuns
import CorvidStore
import CorvidText

/// Lists what was run.
struct RunsListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List what was run, newest first.",
        discussion: """
            Example: corvid runs list
                     corvid runs list --command perplexity --limit 5
            """)

    @Option(help: ArgumentHelp("Only runs of this command, such as perplexity.", valueName: "name"))
    var command: String?

    @Option(help: ArgumentHelp("At most so many; 0 lists all.", valueName: "N"))
    var limit: Int = 20

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit is \(limit); expected 0 or more.") }
    }

    func report(to console: Console) async throws -> RunsListReport {
        guard let store = try RunStore.existing(path: Store().runs) else { return RunsListReport(runs: []) }
        return RunsListReport(runs: try store.runs(of: command, limit: limit == 0 ? nil : limit))
    }
}

struct RunsListReport: Report {
    let runs: [Run]

    var json: JSON { ["runs": .array(runs.map { .object($0.json) })] }

    var lines: String {
        guard !runs.isEmpty else { return "no runs" }
        var table = TextTable(.right, .left, .left, .left, .right, .left)
        table.add("run", "started", "command", "status", "time", "arguments")
        for run in runs {
            table.add(
                "\(run.id)", run.startedText, run.request.command, run.status.rawValue,
                run.seconds.map { "\(Figures.rate($0)) s" } ?? "-", run.argumentsText)
        }
        return table.lines
    }
}
