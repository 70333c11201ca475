import CorvidEvaluation
import CorvidPlots
import CorvidText
import Foundation

/// The effects of one fact by token and layer, or of many by the part that a token plays.
struct TraceReport: Report {
    let model: String
    let settings: TracingSettings
    let noiseLevel: Double
    /// nil for facts of a file.
    let prompt: String?
    /// Facts that were read, known to the model or not.
    let read: Int
    let traces: [FactTrace]
    let average: TraceAverage
    /// Of a single prompt.
    private let tokens: [String]
    private let answer: String

    /// - Throws: ``TracingError/noFacts`` if the model knows none.
    init(
        model: String, settings: TracingSettings, noiseLevel: Double, prompt: String?, read: Int,
        traces: [FactTrace], tokenizer: any Tokenizer
    ) throws {
        self.model = model
        self.settings = settings
        self.noiseLevel = noiseLevel
        self.prompt = prompt
        self.read = read
        self.traces = traces
        guard let first = traces.first else { throw TraceReportError.noneKnown(read: read) }
        average = try TraceAverage(traces)
        tokens = first.ids.map { TokenText.shown($0, tokenizer) }
        answer = TokenText.shown(first.answer, tokenizer)
    }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "kind": .string(settings.restored.rawValue),
            "window": settings.restored == .state ? .null : .count(settings.window),
            "severed": settings.severed.map { .string($0.rawValue) } ?? .null,
            "samples": .count(settings.samples), "seed": .seed(settings.seed),
            "distribution": .string(settings.noise.shape.rawValue), "noise": .number(noiseLevel),
            "replaces_embeddings": .bool(settings.noise.replaces),
        ]
        if let prompt, let trace = traces.first {
            object["prompt"] = .string(prompt)
            object["ids"] = .ids(trace.ids)
            object["tokens"] = .array(tokens.map { .string($0) })
            object["subject"] = [
                "first": .count(trace.subject.lowerBound), "last": .count(trace.subject.upperBound - 1),
            ]
            object["answer"] = ["id": .integer(Int64(trace.answer)), "token": .string(answer)]
            object["clean_probability"] = .number(trace.cleanProbability)
            object["corrupted_probability"] = .number(trace.corruptedProbability)
            object["corrupted_probabilities"] = .numbers(trace.corruptedProbabilities)
            object["total_effect"] = .number(trace.totalEffect)
            object["indirect_effects"] = .array(
                trace.ids.indices.map { .numbers(trace.indirectEffects(token: $0)) })
        } else {
            func mean(_ mean: TraceAverage.Mean) -> JSON {
                [
                    "mean": .number(mean.value), "half_width": .number(mean.halfWidth),
                    "count": .count(mean.count),
                ]
            }
            object["facts"] = .count(read)
            object["known_facts"] = .count(average.facts)
            object["clean_probability"] = mean(average.cleanProbability)
            object["corrupted_probability"] = mean(average.corruptedProbability)
            object["total_effect"] = mean(average.totalEffect)
            object["indirect_effects"] = .array(
                average.indirectEffects.map { effects in
                    [
                        "part": .string(effects.part.rawValue), "count": .count(effects.layers[0].count),
                        "mean": .numbers(effects.layers.map(\.value)),
                        "half_width": .numbers(effects.layers.map(\.halfWidth)),
                    ]
                })
        }
        return .object(object)
    }

    var lines: String { prompt == nil ? averageLines : factLines }

    /// The effects as colours, a row for each token or part of the prompt.
    var heatMap: HeatMap {
        let layers = (0..<(average.indirectEffects.first?.layers.count ?? 0)).map { "\($0)" }
        if prompt != nil, let trace = traces.first {
            return HeatMap(
                title: "Indirect effect of \(restored) on \(answer)",
                rows: trace.ids.indices.map { tokens[$0] + (trace.subject.contains($0) ? "*" : "") },
                columns: layers, values: trace.ids.indices.map(trace.indirectEffects), rowAxis: "token",
                columnAxis: "layer", valueAxis: "probability that comes back")
        }
        return HeatMap(
            title: "Mean indirect effect of \(restored), \(Figures.count(average.facts, "fact"))",
            rows: average.indirectEffects.map(\.part.rawValue), columns: layers,
            values: average.indirectEffects.map { $0.layers.map(\.value) }, columnAxis: "layer",
            valueAxis: "probability that comes back")
    }

    private var restored: String {
        let severed = settings.severed.map { ", \($0.rawValue) severed" } ?? ""
        switch settings.restored {
        case .state: return "one state\(severed)"
        case .mlp: return "the MLPs of \(Figures.count(settings.window, "layer"))"
        case .attention: return "the attention of \(Figures.count(settings.window, "layer"))"
        }
    }

    private var factLines: String {
        guard let trace = traces.first else { return "" }
        var table = TextTable(.left, .left, .right, .right)
        let scale = trace.ids.indices.flatMap { trace.indirectEffects(token: $0) }.max() ?? 0
        table.add("token", "effect by layer", "greatest", "at layer")
        for token in trace.ids.indices {
            let effects = trace.indirectEffects(token: token)
            let best = effects.indices.max { effects[$0] < effects[$1] } ?? 0
            let mark = trace.subject.contains(token) ? "*" : ""
            table.add(
                tokens[token] + mark, EffectBar.text(effects, scale: scale), Figures.cosine(effects[best]),
                "\(best)")
        }
        return """
            answer \(answer)  clean \(Figures.percent(trace.cleanProbability))  corrupted \
            \(Figures.percent(trace.corruptedProbability))  total effect \(Figures.cosine(trace.totalEffect))
            indirect effect of \(restored), \(Figures.count(settings.samples, "sample")), noise \
            \(String(format: "%.4g", noiseLevel)); * is the subject

            \(table.lines)
            """
    }

    private var averageLines: String {
        var table = TextTable(.left, .right, .left, .right, .right, .right)
        let scale = average.indirectEffects.flatMap { $0.layers.map(\.value) }.max() ?? 0
        table.add("part", "tokens", "effect by layer", "greatest", "±", "at layer")
        for effects in average.indirectEffects {
            let values = effects.layers.map(\.value)
            let best = values.indices.max { values[$0] < values[$1] } ?? 0
            table.add(
                effects.part.rawValue, Figures.grouped(effects.layers[best].count),
                EffectBar.text(values, scale: scale), Figures.cosine(values[best]),
                Figures.cosine(effects.layers[best].halfWidth), "\(best)")
        }
        return """
            \(Figures.grouped(average.facts)) of \(Figures.count(read, "fact")) known  clean \
            \(Figures.percent(average.cleanProbability.value))  corrupted \
            \(Figures.percent(average.corruptedProbability.value))  total effect \
            \(Figures.cosine(average.totalEffect.value)) ± \(Figures.cosine(average.totalEffect.halfWidth))
            indirect effect of \(restored), \(Figures.count(settings.samples, "sample")), noise \
            \(String(format: "%.4g", noiseLevel))

            \(table.lines)
            """
    }
}

/// Why a trace has nothing to report.
enum TraceReportError: Error, Equatable, CustomStringConvertible {
    case noneKnown(read: Int)

    var description: String {
        switch self {
        case .noneKnown(let read):
            "the model gives another answer than the attribute to all \(Figures.count(read, "fact")); try others, or --prompt."
        }
    }
}

/// A row of bars, one for each value: as high as its part of the greatest.
enum EffectBar {
    static func text(_ values: [Double], scale: Double) -> String {
        let bars = Array(" ▁▂▃▄▅▆▇█")
        return String(
            values.map { value in
                let part = scale > 0 ? value / scale : 0
                return bars[min(bars.count - 1, max(0, Int((part * Double(bars.count - 1)).rounded())))]
            })
    }
}

/// A token as a table shows it: its text, with blanks and breaks made visible.
enum TokenText {
    static func shown(_ id: Int32, _ tokenizer: any Tokenizer) -> String {
        let text = String(decoding: tokenizer.bytes(of: id), as: UTF8.self)
        let shown = text.isEmpty ? tokenizer.piece(of: id) : text
        return shown.replacing(" ", with: "·").replacing("\n", with: "↵").replacing("\t", with: "→")
    }
}
