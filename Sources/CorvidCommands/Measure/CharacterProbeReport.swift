import CorvidEvaluation
import CorvidModels
import CorvidText
import Foundation

/// Letter by letter what the vectors know, then the means, then the controls.
struct CharacterProbeReport: Report {
    let model: String
    let matrix: Model.TokenMatrix
    let script: TokenScript?
    let result: CharacterReport

    var json: JSON {
        let settings = result.settings
        return [
            "model": .string(model), "matrix": .string(matrix.rawValue),
            "probe": .string(settings.probe.rawValue), "selection": .string(settings.selection.rawValue),
            "script": script.map { .string($0.rawValue) } ?? .null,
            "case_sensitive": .bool(settings.isCaseSensitive), "seed": .seed(settings.seed),
            "repeats": .count(settings.repeats), "vocabulary": .count(result.vocabulary),
            "tokens": .count(result.tokens), "lemmas": .count(result.groups), "width": .count(result.width),
            "f1": .number(result.mean.mean), "interval": number(result.mean.interval),
            "by_seed": .numbers(result.mean.values), "gap": number(result.gap?.mean),
            "gap_interval": number(result.gap?.interval), "selectivity": number(result.selectivity?.mean),
            "controls": .array(
                settings.controls.map { control in
                    let mean = result.mean(of: control)
                    return [
                        "control": .string(control.rawValue), "f1": number(mean?.mean),
                        "interval": number(mean?.interval), "by_seed": .numbers(mean?.values ?? []),
                    ]
                }),
            "leave_one_out": number(result.leaveOneOut?.mean), "ridges": .numbers(result.ridges),
            "letters": .array(result.letters.map(letter)),
            "skipped": .array(
                result.skipped.map {
                    ["letter": .string(String($0.letter)), "tokens": .count($0.positives)]
                }),
        ]
    }

    private func letter(_ letter: CharacterReport.Letter) -> JSON {
        [
            "letter": .string(String(letter.letter)), "tokens": .count(letter.positives),
            "f1": .number(letter.model.f1.mean), "interval": number(letter.model.f1.interval),
            "with": .number(letter.model.positiveF1.mean), "without": .number(letter.model.negativeF1.mean),
            "controls": .numbers(letter.controls.map(\.f1.mean)), "gain": number(letter.gain),
        ]
    }

    private func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }

    var lines: String {
        let settings = result.settings
        let controls = settings.controls.map(\.rawValue)
        let numbers = [TextTable.Alignment](repeating: .right, count: 4 + controls.count + 1)
        var table = TextTable([.left] + numbers)
        table.add(
            ["letter", "tokens", "f1", "with", "without"] + controls + (controls.isEmpty ? [] : ["gain"]))
        for letter in result.letters {
            table.add(
                [
                    String(letter.letter), Figures.grouped(letter.positives), points(letter.model.f1),
                    points(letter.model.positiveF1), points(letter.model.negativeF1),
                ] + letter.controls.map { points($0.f1) } + (letter.gain.map { [points($0)] } ?? []))
        }
        table.add(
            ["mean", Figures.grouped(result.tokens), points(result.mean), "", ""]
                + settings.controls.map { result.mean(of: $0).map(points) ?? "" }
                + (result.gap.map { [points($0.mean)] } ?? []))
        var lines = [
            "\(model), \(matrix.rawValue) matrix, \(settings.probe.rawValue) probe: "
                + "\(Figures.grouped(result.tokens)) of \(Figures.count(result.vocabulary, "token")), "
                + "\(Figures.count(result.groups, "lemma")), \(Figures.count(settings.repeats, "seed")) "
                + "from \(settings.seed) on",
            "", table.lines, "", "mean macro-F1 \(withInterval(result.mean))",
        ]
        if let gap = result.gap { lines.append("over random vectors \(withInterval(gap))") }
        if let selectivity = result.selectivity {
            lines.append("over its own vectors at other tokens \(withInterval(selectivity))")
        }
        if let leaveOneOut = result.leaveOneOut {
            lines.append("leave-one-out on the training tokens \(withInterval(leaveOneOut))")
        }
        if !result.skipped.isEmpty {
            let letters = result.skipped.map { "\($0.letter) (\($0.positives))" }.joined(separator: ", ")
            lines.append(
                "skipped, in fewer than \(settings.fewestPositives) tokens or in nearly all: \(letters)")
        }
        return lines.joined(separator: "\n")
    }

    private func points(_ value: RepeatedValue) -> String { points(value.mean) }
    private func points(_ value: Double) -> String { String(format: "%.1f", value) }

    private func withInterval(_ value: RepeatedValue) -> String {
        points(value.mean) + (value.interval.map { String(format: " ± %.1f", $0) } ?? "")
    }
}
