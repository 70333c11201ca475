import ArgumentParser
import CorvidRuns
import CorvidText

/// Shows two runs side by side.
struct RunsCompareCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Show in what two runs differ.",
        discussion: """
            Settings and files are listed where they differ, results all. The difference of two lists of \
            numbers is the largest one in them.

            Example: corvid runs compare 3 last
            """)

    @Argument(help: ArgumentHelp("Number of the first run, or last.", valueName: "run"))
    var first: RunNumber

    @Argument(help: ArgumentHelp("Number of the second run, or last.", valueName: "other"))
    var second: RunNumber

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> RunsCompareReport {
        let store = try RunNumber.store()
        return RunsCompareReport(
            first: try first.record(in: store), second: try second.record(in: store))
    }
}

struct RunsCompareReport: Report {
    let first: RunRecord
    let second: RunRecord
    private let comparison: RunComparison

    init(first: RunRecord, second: RunRecord) {
        self.first = first
        self.second = second
        comparison = RunComparison(first, second)
    }

    var json: JSON {
        [
            "first": .count(first.run.id), "second": .count(second.run.id),
            "results_equal": .bool(comparison.resultsAgree),
            "settings": comparison.settings.json, "files": comparison.files.json,
            "results": comparison.results.json,
        ]
    }

    var lines: String {
        let names = ["run \(first.run.id)", "run \(second.run.id)"]
        let parts = [
            Self.table("setting", names, comparison.settings.filter { !$0.isEqual }),
            Self.table("file", names, comparison.files.filter { !$0.isEqual }),
            Self.table("result", names, comparison.results),
        ].filter { !$0.isEmpty }
        let isSame = (comparison.settings + comparison.files).allSatisfy(\.isEqual)
        return (parts + [isSame ? "same settings and files" : nil].compactMap { $0 })
            .joined(separator: "\n\n")
    }

    static func table(_ title: String, _ names: [String], _ items: [RunComparison.Item]) -> String {
        guard !items.isEmpty else { return "" }
        var table = TextTable(.left, .left, .left, .left)
        table.add([title] + names + ["difference"])
        for item in items {
            var difference = item.isEqual ? "=" : item.difference.map(Self.signed) ?? "differs"
            if item.isMeasured { difference += " (measured)" }
            table.add(item.name, item.first?.cell ?? "-", item.second?.cell ?? "-", difference)
        }
        return table.lines
    }

    private static func signed(_ value: Double) -> String {
        let text = Float(value).description
        return value > 0 ? "+" + text : text
    }
}

extension [RunComparison.Item] {
    /// One object for each.
    var json: JSON {
        .array(
            map { item in
                [
                    "name": .string(item.name), "first": item.first ?? .null, "second": item.second ?? .null,
                    "equal": .bool(item.isEqual), "difference": item.difference.map { .number($0) } ?? .null,
                    "measured": .bool(item.isMeasured),
                ]
            })
    }
}
