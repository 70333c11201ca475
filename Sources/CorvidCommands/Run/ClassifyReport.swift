import CorvidModels
import CorvidText

/// Labels that a classifier gives to texts.
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
