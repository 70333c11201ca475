import CorvidEditing
import CorvidEvaluation
import CorvidText

extension FewShotReport {
    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "task": .string(card.name),
            "labels": .array(card.classNames.map { .string($0) }), "shots": .count(shots),
            "seeds": .array(results.map { .seed($0.seed) }), "texts": .count(items.count),
            "corpus": .string(corpus.name), "corpus_texts": .count(corpus.texts.count),
            "method": .string(choice.method.rawValue), "reason": .string(choice.reason),
        ]
        if let scores { object["methods"] = Self.json(scores) }
        if let bias = try? Spread(results.map(\.bias.domainLabelBias)) {
            object["domain_label_bias"] = Self.json(bias, interval: nil)
        }
        object["bias"] = .array(
            zip(card.classNames, meanParts).map { name, part in
                [
                    "label": .string(name), "vanilla": .number(part.vanilla),
                    "context": .number(part.context), "domain": .number(part.domain),
                ]
            })
        object["runs"] = .array(results.map(json))
        object["label_tokens"] = .array(
            (results.first?.labelPieces ?? []).map { .array($0.map { .string($0) }) })
        object["results"] = .array(zip(items, probabilities).map(json))
        if let output { object["output"] = .string(output) }
        object["warnings"] = .array(warnings.map { .string($0) })
        return .object(object)
    }

    /// What is kept with a patch: the methods' measures, if there are any, and the biases.
    var measures: JSON {
        var object: JSONObject = ["reason": .string(choice.reason)]
        if let scores { object["methods"] = Self.json(scores) }
        if let first = results.first { object["domain_label_bias"] = .number(first.bias.domainLabelBias) }
        return .object(object)
    }

    private static func json(_ scores: FewShotScores) -> JSON {
        var methods: JSONObject = [
            "chance": [
                "macro_f1": json(scores.chance.macroF1, interval: nil),
                "accuracy": json(scores.chance.accuracy, interval: nil),
            ]
        ]
        for (method, score) in scores.methods {
            methods[method.rawValue] = [
                "macro_f1": json(score.macroF1, interval: score.macroF1Interval),
                "accuracy": json(score.accuracy, interval: score.accuracyInterval),
                "confusion": .array(
                    score.matrices.map { matrix in
                        .array(matrix.counts.map { .array($0.map { .count($0) }) })
                    }),
            ]
        }
        return .object(methods)
    }

    static func object(_ text: TaskText) -> JSONObject {
        guard let second = text.second else { return ["text": .string(text.first)] }
        return ["text_a": .string(text.first), "text_b": .string(second)]
    }

    private func json(_ item: TaskExample, _ probabilities: [Double]) -> JSON {
        var object = Self.object(item.text)
        if let label = item.label { object["expected"] = .string(card.classNames[label]) }
        object["label"] = .string(card.classNames[[probabilities].predictions.first ?? 0])
        object["probabilities"] = .numbers(probabilities)
        return .object(object)
    }

    private func json(_ result: FewShotResult) -> JSON {
        let examples = result.demonstrations.map { example -> JSON in
            var object = Self.object(example.text)
            object["label"] = .string(card.classNames[example.label ?? 0])
            return .object(object)
        }
        let priors: [(String, ContentFreePrior)] = [
            ("vanilla", result.bias.vanilla), ("cc", result.bias.contextual), ("dc", result.bias.domain),
            ("english", result.bias.english),
        ]
        func eachPrior(_ value: (ContentFreePrior) -> JSON) -> JSON {
            .object(priors.reduce(into: [:]) { $0[$1.0] = value($1.1) })
        }
        return [
            "seed": .seed(result.seed), "context_tokens": .count(result.contextTokens),
            "context_hash": .string("\(result.contextDigest)"),
            "priors": eachPrior { .numbers($0.probabilities) },
            "standard_errors": eachPrior { .numbers($0.standardErrors) },
            "entropy": eachPrior { .number($0.entropy) },
            "random_texts": .count(result.bias.domain.textCount),
            "domain_label_bias": .number(result.bias.domainLabelBias),
            "examples": .array(examples),
            "texts_shown": .array(result.shown.map { .count($0) }),
        ]
    }

    static func json(_ spread: Spread, interval: ClosedRange<Double>?) -> JSON {
        var object: JSONObject = [
            "mean": .number(spread.mean), "std": .number(spread.standardDeviation),
            "min": .number(spread.minimum), "max": .number(spread.maximum),
        ]
        if let interval {
            object["low"] = .number(interval.lowerBound)
            object["high"] = .number(interval.upperBound)
            object["values"] = .numbers(spread.values)
        }
        return .object(object)
    }

    /// Biases of the classes, means over the seeds.
    var meanParts: [LabelBias.Part] { LabelBias.meanParts(results.map(\.bias)) }
}
