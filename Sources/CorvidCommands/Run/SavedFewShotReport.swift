import CorvidEditing
import CorvidEvaluation
import CorvidModels
import CorvidText

/// Labels of texts by a calibration that was measured before.
struct SavedFewShotReport: Report {
    let model: String
    let saved: SavedCalibration
    let items: [TaskExample]
    /// `[texts][classes]`.
    let probabilities: [[Double]]
    /// Without and with the calibration; nil if the labels are not known.
    let scores: [(name: String, score: ClassificationScore)]?

    init(
        model: String, saved: SavedCalibration, items: [TaskExample], masses: [[Double]]
    ) throws {
        self.model = model
        self.saved = saved
        self.items = items
        probabilities = try saved.probabilities(masses)
        let truth = items.compactMap(\.label)
        guard truth.count == items.count else {
            scores = nil
            return
        }
        let plain = try ContentFreePrior.normalised(masses)
        scores = try [("plain", plain), (saved.method.rawValue, probabilities)].map { name, rows in
            let score = try ClassificationScore(
                truth: truth, predictions: [rows.predictions], classes: saved.card.labels.count)
            return (name, score)
        }
    }

    private func label(_ probabilities: [Double]) -> Int { [probabilities].predictions.first ?? 0 }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "task": .string(saved.card.name),
            "labels": .array(saved.card.classNames.map { .string($0) }),
            "shots": .count(saved.demonstrations.count), "texts": .count(items.count),
            "method": .string(saved.method.rawValue), "context_hash": .string("\(saved.contextDigest)"),
            "prior": .numbers(saved.prior?.probabilities ?? []),
        ]
        if let scores {
            object["methods"] = .object(
                scores.reduce(into: [:]) { methods, entry in
                    methods[entry.name] = [
                        "macro_f1": FewShotReport.json(
                            entry.score.macroF1, interval: entry.score.macroF1Interval),
                        "accuracy": FewShotReport.json(
                            entry.score.accuracy, interval: entry.score.accuracyInterval),
                    ]
                })
        }
        object["results"] = .array(
            zip(items, probabilities).map { item, row in
                var result = FewShotReport.object(item.text)
                if let expected = item.label { result["expected"] = .string(saved.card.classNames[expected]) }
                result["label"] = .string(saved.card.classNames[label(row)])
                result["probabilities"] = .numbers(row)
                return .object(result)
            })
        return .object(object)
    }

    var lines: String {
        if let scores {
            var table = TextTable(.left, .right, .right, .right, .right)
            table.add("", "macro-F1", "95 % interval", "accuracy", "95 % interval")
            for (name, score) in scores {
                table.add(
                    name, Figures.cosine(score.macroF1.mean), Self.range(score.macroF1Interval),
                    Figures.cosine(score.accuracy.mean), Self.range(score.accuracyInterval))
            }
            let heading = "\(model), task \(saved.card.name): \(Figures.count(items.count, "text"))"
            return heading + "\n\n" + table.lines
        }
        return zip(items, probabilities).map { item, row in
            let text = [item.text.first, item.text.second].compactMap { $0 }.joined(separator: " | ")
            return "\(saved.card.classNames[label(row)]) \(Figures.cosine(row[label(row)]))  \(text)"
        }.joined(separator: "\n")
    }

    private static func range(_ interval: ClosedRange<Double>) -> String {
        "\(Figures.cosine(interval.lowerBound)) - \(Figures.cosine(interval.upperBound))"
    }
}
