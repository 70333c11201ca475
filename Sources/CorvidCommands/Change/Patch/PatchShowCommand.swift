import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidText
import Foundation

/// Shows what is in a patch.
struct PatchShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a patch changes, what it was made from and what it did.",
        discussion: """
            With --model norms are shown beside those of the weights, and adapters of other programs can be shown, \
            too.

            Example: corvid patch show polite.patch --model SmolLM2-135M-Instruct
            """)

    @Argument(help: "A patch file, or a name in the store; with --model also another program's adapter.")
    var patch: String

    @Option(help: ArgumentHelp("The model whose weights norms are compared with.", valueName: "model"))
    var model: String?

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> PatchReport {
        let path = try Store().resolvePatch(patch)
        guard let model else { return try PatchReport(Patch(path: path), path: path, weights: nil) }
        let files = try PatchFiles.model(model)
        let loaded = try Model.load(files, options: LoadOptions(threads: 1))
        let patch = try Patch.open(path, for: loaded)
        return try PatchReport(patch, path: path, weights: WeightNorms(loaded))
    }
}

/// What is in a patch.
struct PatchReport: Report {
    private let path: String
    private let patch: Patch
    private let rows: [PatchSummary.Row]

    init(_ patch: Patch, path: String, weights: WeightNorms?) throws {
        self.patch = patch
        self.path = path
        rows = try PatchSummary(patch, weights: weights).rows
    }

    var json: JSON {
        let header = patch.header
        var object: JSONObject = [
            "path": .string(path), "name": .string(header.name), "method": .string(header.method),
            "created": .string(header.created), "corvid": .string(header.corvid),
            "fingerprint": .string("\(patch.fingerprint)"), "settings": header.settings,
            "seed": header.seed.map { .seed($0) } ?? .null,
            "data": .array(
                header.data.map { ["name": .string($0.name), "sha256": .string("\($0.digest)")] }),
            "base": header.base.map { .string("\($0.fingerprint)") } ?? .null,
            "family": header.base.map { .string($0.family) } ?? .null,
            "requires": .array((header.base?.requires ?? []).map { .string($0.name) }),
            "report": header.report ?? .null,
        ]
        object["changes"] = .array(
            rows.map { row in
                [
                    "kind": .string(row.kind.rawValue), "place": .string(row.place),
                    "size": .string(row.size),
                    "norm": .number(row.norm), "weight_norm": row.weightNorm.map { .number($0) } ?? .null,
                    "bytes": .count(row.bytes),
                ]
            })
        object["parts"] = .array(
            patch.parts.map {
                [
                    "name": .string($0.header.name), "fingerprint": .string("\($0.fingerprint)"),
                    "scale": .number(Double($0.scale)), "changes": .count($0.changes.count),
                ]
            })
        return .object(object)
    }

    var lines: String {
        let header = patch.header
        var table = TextTable(.left, .left)
        table.add("name", header.name)
        table.add("method", header.method)
        if header.settings.object?.isEmpty == false { table.add("settings", header.settings.encoded()) }
        if let seed = header.seed { table.add("seed", "\(seed)") }
        table.add("created", "\(header.created) by Corvid \(header.corvid)")
        table.add("fingerprint", "\(patch.fingerprint)")
        for source in header.data { table.add("data", "\(source.name) (\(source.digest.short))") }
        if let base = header.base {
            table.add("base", "\(base.family), fingerprint \(base.fingerprint)")
            for need in base.requires { table.add("needs", "\(need.name) (\(need.fingerprint.short))") }
        } else {
            table.add("base", "not known; only sizes are checked")
        }
        for part in patch.parts {
            table.add("part", "\(part.header.name) at scale \(part.scale) (\(part.fingerprint.short))")
        }
        if let report = header.report { table.add("report", report.encoded()) }
        var changes = TextTable(.left, .left, .left, .right, .right)
        changes.add(
            "change", "kind", "size", "norm", rows.contains { $0.weightNorm != nil } ? "of weights" : "")
        for row in rows {
            let share = row.weightNorm.map { $0 > 0 ? Figures.percent(row.norm / $0) : "-" } ?? ""
            changes.add(row.place, row.kind.rawValue, row.size, String(format: "%.4g", row.norm), share)
        }
        return table.lines + "\n\n" + changes.lines
    }
}
