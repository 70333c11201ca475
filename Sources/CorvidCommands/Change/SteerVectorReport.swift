import CorvidEditing
import CorvidModels
import CorvidText

/// Vectors, how large they are, and what a text becomes with them.
struct SteerVectorReport: Report {
    let model: String
    let source: SteeringSource
    let vectors: [SteeringVector]
    let seed: UInt64
    var promptIDs: [Int32]?
    var diagnoses: [SteeringDiagnosis] = []
    var plain: [String] = []
    var steered: [String] = []
    var output: String?

    private var warnings: [String] {
        var warnings = diagnoses.filter(\.isTooStrong).map { diagnosis in
            "at \(diagnosis.site) the vector is \(Figures.rate(diagnosis.greatestRatio)) times as large as the "
                + "stream; texts may break. Use a smaller --coefficient or a later --layer."
        }
        for vector in vectors where vector.norms.allSatisfy({ $0 == 0 }) {
            warnings.append(
                "the vector at \(vector.site) is zero: both prompts give the same, or the coefficient is 0.")
        }
        return warnings
    }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "name": .string(source.name), "method": .string(source.method),
            "vectors": .array(vectors.indices.map { .object(json(of: $0)) }),
            "warnings": .array(warnings.map { .string($0) }), "seed": .seed(seed),
        ]
        if let pair = source.pairIDs {
            object["positive_ids"] = .ids(pair.positive)
            object["negative_ids"] = .ids(pair.negative)
        }
        if let output { object["output"] = .string(output) }
        guard let promptIDs else { return .object(object) }
        object["prompt_ids"] = .ids(promptIDs)
        object["diagnosis"] = .array(
            diagnoses.map { diagnosis in
                [
                    "site": .string("\(diagnosis.site)"),
                    "tokens": .array(
                        diagnosis.tokens.map {
                            [
                                "position": .count($0.position), "added": .number($0.added),
                                "stream": .number($0.stream), "ratio": .number($0.ratio),
                            ]
                        }),
                ]
            })
        object["samples"] = .array(
            zip(plain, steered).map { ["plain": .string($0), "steered": .string($1)] })
        return .object(object)
    }

    private func json(of index: Int) -> JSONObject {
        let vector = vectors[index]
        var object: JSONObject = [
            "site": .string("\(vector.site)"), "place": .string(vector.place.rawValue),
            "tokens": .count(vector.count), "coefficient": .number(Double(vector.coefficient)),
            "norm": .number(vector.meanNorm),
        ]
        if let stream = vector.streamNorm {
            object["stream_norm"] = .number(stream)
            object["relative_norm"] = .number(vector.meanNorm / stream)
        }
        if source.contrast.indices.contains(index) {
            let contrast = source.contrast[index]
            object["pairs"] = .count(contrast.pairs)
            object["separation"] = .number(contrast.separation)
            if let accuracy = contrast.accuracy { object["accuracy"] = .number(accuracy) }
            if let accuracy = contrast.heldOutAccuracy { object["held_out_accuracy"] = .number(accuracy) }
        }
        return object
    }

    var lines: String {
        var parts = [table]
        if !diagnoses.isEmpty, vectors.count == 1, vectors[0].place.isByPosition { parts.append(tokenTable) }
        if !plain.isEmpty {
            for (index, texts) in zip(plain, steered).enumerated() {
                let heading = plain.count > 1 ? " \(index + 1)" : ""
                parts.append(SideBySide.lines(("plain" + heading, texts.0), ("steered" + heading, texts.1)))
            }
        }
        parts += warnings.map { "warning: " + $0 }
        if let output { parts.append("written to \(output)") }
        return parts.joined(separator: "\n\n")
    }

    private var table: String {
        var table = TextTable(.left, .left, .right, .right, .right, .right, .right)
        let hasPairs = !source.contrast.isEmpty
        table.add(
            ["site", "place", "coefficient", "norm", "of stream"]
                + (hasPairs ? ["told apart", "held out"] : []))
        for (index, vector) in vectors.enumerated() {
            var cells = [
                "\(vector.site)", vector.place.rawValue, Figures.rate(Double(vector.coefficient)),
                Figures.rate(vector.meanNorm),
                vector.streamNorm.map { Figures.percent(vector.meanNorm / $0) } ?? "-",
            ]
            if hasPairs, source.contrast.indices.contains(index) {
                let contrast = source.contrast[index]
                cells += [contrast.accuracy, contrast.heldOutAccuracy].map { $0.map(Figures.percent) ?? "-" }
            }
            table.add(cells)
        }
        return table.lines
    }

    /// How large the vector is at each token of the prompt.
    private var tokenTable: String {
        var table = TextTable(.right, .right, .right, .right)
        table.add("position", "added", "stream", "ratio")
        for token in diagnoses.first?.tokens ?? [] {
            table.add(
                "\(token.position)", Figures.rate(token.added), Figures.rate(token.stream),
                Figures.rate(token.ratio))
        }
        return table.lines
    }
}

extension SteeringVector {
    /// Mean norm of the rows that are not zero, times the coefficient.
    var meanNorm: Double {
        let norms = norms.filter { $0 > 0 }
        return norms.isEmpty ? 0 : norms.reduce(0, +) / Double(norms.count)
    }
}
