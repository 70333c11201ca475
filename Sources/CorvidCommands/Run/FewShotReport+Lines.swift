import CorvidEditing
import CorvidEvaluation
import CorvidPlots

extension FewShotReport {
    /// Of texts without labels one line each, as a classifier has it; else the comparison.
    var lines: String {
        var blocks: [String] = []
        if let scores {
            blocks = [heading, table(scores), priors]
        } else {
            blocks = [predictions]
        }
        var notes = warnings.map { "warning: \($0)" }
        if isChosen || scores != nil {
            let chosen = isChosen ? "chosen: " : ""
            notes.insert("\(chosen)\(Self.name(choice.method)), since \(choice.reason)", at: 0)
        }
        if scores != nil { blocks.append(notes.joined(separator: "\n")) }
        return blocks.joined(separator: "\n\n")
    }

    private var predictions: String {
        zip(items, probabilities).map { item, probabilities in
            let best = [probabilities].predictions.first ?? 0
            let text = [item.text.first, item.text.second].compactMap { $0 }.joined(separator: " | ")
            return "\(card.classNames[best]) \(Figures.cosine(probabilities[best]))  \(text)"
        }.joined(separator: "\n")
    }

    private var heading: String {
        "\(model), task \(card.name): \(Figures.count(items.count, "text")), "
            + "\(Figures.count(shots, "example")) shown, \(Figures.count(results.count, "seed"))"
    }

    private func table(_ scores: FewShotScores) -> String {
        var table = TextTable(
            .left, .right, .right, .right, .right, .right, .right, .right, .right, .right, .right)
        table.add(
            "", "macro-F1", "std", "min", "max", "95 % interval", "accuracy", "std", "min", "max",
            "95 % interval")
        func cells(_ spread: Spread, _ interval: ClosedRange<Double>?) -> [String] {
            [spread.mean, spread.standardDeviation, spread.minimum, spread.maximum].map(Figures.cosine) + [
                interval.map { "\(Figures.cosine($0.lowerBound)) - \(Figures.cosine($0.upperBound))" } ?? ""
            ]
        }
        table.add(["chance"] + cells(scores.chance.macroF1, nil) + cells(scores.chance.accuracy, nil))
        for (method, score) in scores.methods {
            table.add(
                [method.rawValue] + cells(score.macroF1, score.macroF1Interval)
                    + cells(score.accuracy, score.accuracyInterval))
        }
        return table.lines
    }

    /// What the model gives each label without a text, and where that comes from, in nats.
    private var priors: String {
        var table = TextTable(.left, .right, .right, .right, .right, .right, .right, .right)
        table.add(
            "prior of", "bare", "cc", "dc", "English", "words (nats)", "examples (nats)", "domain (nats)")
        let parts = meanParts
        for (label, name) in card.classNames.enumerated() {
            let values = [\LabelBias.vanilla, \.contextual, \.domain, \.english].map { path in
                Self.share(mean { $0[keyPath: path].probabilities[label] })
            }
            let nats = [parts[label].vanilla, parts[label].context, parts[label].domain].map {
                ($0 < 0 ? "" : "+") + Figures.cosine($0)
            }
            table.add([name] + values + nats)
        }
        let entropies = [\LabelBias.vanilla, \.contextual, \.domain, \.english].map { path in
            Figures.cosine(mean { $0[keyPath: path].entropy })
        }
        table.add(["entropy (nats)"] + entropies)
        return table.lines + "\n\ndomain label bias \(Figures.cosine(mean(\.domainLabelBias))), "
            + "random texts from the \(corpus.name)"
    }

    private func mean(_ value: (LabelBias) -> Double) -> Double {
        results.reduce(0) { $0 + value($1.bias) } / Double(max(1, results.count))
    }

    /// A probability, which may be tiny.
    private static func share(_ value: Double) -> String {
        value >= 0.0005 ? Figures.cosine(value) : Figures.small(value)
    }

    /// The methods' macro-F1 and accuracy as bars with their intervals.
    /// - Throws: `ScoringError` if the labels are not known.
    func plot() throws -> BarPlot {
        guard let scores else { throw ScoringError.noItems }
        func bar(_ spread: Spread, _ interval: ClosedRange<Double>?) -> Interval {
            Interval(spread.mean, low: interval?.lowerBound, high: interval?.upperBound)
        }
        let chance = scores.chance
        return BarPlot(
            title: heading, groups: ["chance"] + scores.methods.map(\.method.rawValue),
            series: [
                .init(
                    "macro-F1",
                    [bar(chance.macroF1, nil)]
                        + scores.methods.map { bar($0.score.macroF1, $0.score.macroF1Interval) }),
                .init(
                    "accuracy",
                    [bar(chance.accuracy, nil)]
                        + scores.methods.map { bar($0.score.accuracy, $0.score.accuracyInterval) }),
            ], xAxis: "calibration", yAxis: "score, with 95 % intervals")
    }

    private static func name(_ method: CalibrationMethod) -> String {
        switch method {
        case .plain: "no calibration"
        case .contextual: "contextual calibration"
        case .domain: "domain-context calibration"
        }
    }
}
