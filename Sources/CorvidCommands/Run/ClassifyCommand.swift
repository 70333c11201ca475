import ArgumentParser
import CorvidModels
import CorvidText

/// Says which label a classifier gives each text.
struct ClassifyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Label texts with a classifier.",
        discussion: """
            For each --text, or for each line of --file, the label that is the most likely and its probability. \
            MODEL is a sequence classifier; its config.json names the labels. Where each label holds or not for \
            itself, all that are more likely than not are shown.

            Example: corvid classify path/to/classifier --text "A wonderful film."
            Example: corvid classify path/to/classifier --file reviews.txt --json
            """)

    @OptionGroup var input: LineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws { try input.check() }

    func report(to console: Console) async throws -> ClassifyReport {
        let texts = try input.texts()
        let loaded = try model.load()
        let model = loaded.model
        var scores: [[Float]] = []
        try await input.inParts(texts, console) { some in
            let rows = try await model.classify(try some.map(model.sentence))
            scores += (0..<rows.rowCount).map { Array(rows.row($0)) }
        }
        return ClassifyReport(
            model: loaded.name, labels: model.configuration.labels, scoring: model.configuration.scoring,
            texts: texts, scores: scores)
    }
}

struct ClassifyReport: Report {
    let model: String
    let labels: [String]
    let scoring: LabelScoring
    let texts: [String]
    /// For each text a score of each label.
    let scores: [[Float]]

    /// Indices of the labels that hold, the likeliest first.
    private func holding(_ values: [Double]) -> [Int] {
        let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
        switch scoring {
        case .one: return Array(order.prefix(1))
        case .several: return order.filter { values[$0] > 0.5 }
        case .value: return order.sorted()
        }
    }

    var json: JSON {
        let results = zip(texts, scores).map { text, scores -> JSON in
            let values = scoring.probabilities(of: scores)
            var object: JSONObject = ["text": .string(text)]
            switch scoring {
            case .one: object["label"] = holding(values).first.map { .string(labels[$0]) } ?? .null
            case .several: object["labels"] = .array(holding(values).map { .string(labels[$0]) })
            case .value: break
            }
            if scoring != .value { object["probabilities"] = .array(values.map { .number($0) }) }
            object["scores"] = .array(scores.map { .number(Double($0)) })
            return .object(object)
        }
        return [
            "model": .string(model), "labels": .array(labels.map { .string($0) }), "results": .array(results),
        ]
    }

    /// One text a line: what holds of it, and itself.
    var lines: String {
        zip(texts, scores).map { text, scores in
            let values = scoring.probabilities(of: scores)
            let held = holding(values).map { "\(labels[$0]) \(Figures.cosine(values[$0]))" }
            return (held.isEmpty ? "-" : held.joined(separator: ", ")) + "  " + text
        }.joined(separator: "\n")
    }
}
