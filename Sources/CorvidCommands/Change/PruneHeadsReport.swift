import CorvidEditing
import CorvidModels
import CorvidPlots
import CorvidTensors
import CorvidText

/// A written model beside the one it was made of.
struct PrunedModel: Sendable {
    let path: String
    let bytes: Int
    let type: DType
    let removal: HeadRemoval
    /// Numbers in the tensors of both.
    let parameters: (before: Int, after: Int)
    /// Tokens that a pass over a prompt reads in a second, of the source's weights in the same type and of the
    /// written model.
    let speed: (before: Double, after: Double)

    static func measure(
        _ result: ModelConversion.Result, removal: HeadRemoval, base: LoadedModel, type: DType,
        removedOf configuration: ModelConfiguration
    ) async throws -> PrunedModel {
        let files = try ModelFiles(path: result.path)
        func count(_ files: ModelFiles) -> Int {
            files.tensors.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
        }
        let pruned = try Model.load(files, options: LoadOptions(threads: base.model.options.threads))
        var options = base.base.options
        options.computeType = type == .i8 ? nil : type
        let whole = try Model.load(base.files, options: options)
        let tokens = min(256, whole.contextLength, pruned.contextLength)
        var best = (before: Double.infinity, after: Double.infinity)
        // In turns, so that what else the machine does touches both.
        for _ in 0..<3 {
            best.before = min(best.before, try await seconds(whole, tokens))
            best.after = min(best.after, try await seconds(pruned, tokens))
        }
        return PrunedModel(
            path: result.path, bytes: result.bytes, type: type, removal: removal,
            parameters: (count(base.files), count(files)),
            speed: (Double(tokens) / best.before, Double(tokens) / best.after))
    }

    private static func seconds(_ model: Model, _ tokens: Int) async throws -> Double {
        let rows = (0..<tokens).map {
            Batch<KeyValueCache>.Row(
                token: Int32(($0 * 31 + 7) % max(1, model.vocabularySize)), sequence: 0, position: $0,
                wantsLogits: $0 == tokens - 1)
        }
        let start = ContinuousClock.now
        _ = try await model.output(.logits, for: Batch(rows: rows, caches: [try model.makeCache()]))
        return (ContinuousClock.now - start).inSeconds
    }
}

/// Which heads were chosen, and what the model does with and without them.
struct PruneHeadsReport: Report {
    let model: String
    let selection: HeadSelection
    let total: Int
    let scale: Float
    let critical: [HeadIndex]
    let before: HeadEffects.Measurement
    let after: HeadEffects.Measurement
    let seed: UInt64
    var points: [ParetoPoint] = []
    var export: PrunedModel?
    var patch: String?

    static var measured: Set<String> { ["tokens_per_second_before", "tokens_per_second_after"] }

    private struct Axis {
        let name: String
        let before, after: GroupBias
        let change: ConfidenceInterval
    }

    private var axes: [Axis] {
        zip(before.toxicity, after.toxicity).map { old, new in
            let intervals = GroupBias.intervals(
                before: old.values, after: new.values, buckets: old.buckets, seed: seed)
            return Axis(
                name: old.axis, before: GroupBias(toxicity: old.values, buckets: old.buckets),
                after: GroupBias(toxicity: new.values, buckets: new.buckets), change: intervals.change)
        }
    }

    private static func list(_ heads: [HeadIndex]) -> JSON {
        .array(heads.map { ["layer": .count($0.layer), "head": .count($0.head)] })
    }

    private static func number(_ value: Double?) -> JSON {
        value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "method": .string(selection.method.rawValue),
            "ratio": .number(selection.ratio), "protect": .number(selection.protection),
            "scale": .number(Double(scale)), "seed": .seed(seed), "total_heads": .count(total),
            "heads": Self.list(selection.heads), "protected_heads": .count(selection.protected.count),
            "critical_heads": Self.list(critical),
            "perplexity_before": Self.number(before.perplexity),
            "perplexity_after": Self.number(after.perplexity),
        ]
        object["axes"] = .array(
            axes.map { axis in
                let relative = axis.before.bias > 0 ? axis.after.bias / axis.before.bias - 1 : nil
                return [
                    "axis": .string(axis.name), "bias_before": .number(axis.before.bias),
                    "bias_after": .number(axis.after.bias), "bias_change": Self.number(relative),
                    "bias_change_interval": .numbers([axis.change.low, axis.change.high]),
                    "toxicity_before": .number(axis.before.toxicity),
                    "toxicity_after": .number(axis.after.toxicity),
                    "toxic_share_before": .number(axis.before.toxicShare),
                    "toxic_share_after": .number(axis.after.toxicShare),
                    "buckets": .array(
                        zip(axis.before.buckets, axis.after.buckets).map { old, new in
                            [
                                "bucket": .string(old.name), "prompts": .count(old.prompts),
                                "toxicity_before": .number(old.toxicity),
                                "toxicity_after": .number(new.toxicity),
                            ]
                        }),
                ]
            })
        if !points.isEmpty {
            object["pareto_estimates"] = .array(
                points.map { point in
                    [
                        "ratio": .number(point.ratio), "protect": .number(point.protection),
                        "heads": .count(point.heads), "bias": Self.number(point.bias),
                        "perplexity": Self.number(point.perplexity), "on_front": .bool(point.isOnFront),
                    ]
                })
        }
        if let export {
            object["export"] = [
                "path": .string(export.path), "bytes": .count(export.bytes),
                "dtype": .string(export.type.weightName),
                "parameters_before": .count(export.parameters.before),
                "parameters_after": .count(export.parameters.after),
                "removed_heads": .count(export.removal.removed.values.reduce(0) { $0 + $1.count }),
                "masked_heads": .count(export.removal.masked.values.reduce(0) { $0 + $1.count }),
                "tokens_per_second_before": .number(export.speed.before),
                "tokens_per_second_after": .number(export.speed.after),
            ]
        }
        object["patch"] = patch.map { .string($0) } ?? .null
        return .object(object)
    }

    var lines: String {
        var table = TextTable(.left, .left)
        let protection = selection.method == .fasp ? ", \(selection.protected.count) protected" : ""
        table.add(
            "heads", "\(selection.heads.count) of \(total) by \(selection.method.rawValue)\(protection)")
        for (layer, heads) in selection.heads.byLayer.sorted(by: { $0.key < $1.key }) {
            table.add("", "layer \(layer): " + heads.map(String.init).joined(separator: ", "))
        }
        if !critical.isEmpty {
            table.add("critical", critical.map(\.description).joined(separator: ", "))
        }
        func add(_ name: String, _ old: Double?, _ new: Double?, _ note: String = "") {
            guard let old, let new else { return }
            func figure(_ value: Double) -> String {
                value.magnitude < 10 ? Figures.cosine(value) : Figures.rate(value)
            }
            table.add(name, "\(figure(old)) -> \(figure(new))" + note)
        }
        add("perplexity", before.perplexity, after.perplexity)
        for axis in axes {
            let share =
                axis.before.bias > 0
                ? ", " + Figures.percent(axis.after.bias / axis.before.bias - 1) : ""
            let interval =
                " (change \(Figures.cosine(axis.change.low)) to \(Figures.cosine(axis.change.high))\(share))"
            add("bias, \(axis.name)", axis.before.bias, axis.after.bias, interval)
            add("toxicity", axis.before.toxicity, axis.after.toxicity)
        }
        if let export {
            table.add("model", export.path)
            table.add(
                "parameters",
                "\(Figures.grouped(export.parameters.before)) -> \(Figures.grouped(export.parameters.after))")
            table.add("size", "\(Figures.bytes(export.bytes)) as \(export.type.weightName)")
            table.add(
                "prompt speed",
                "\(Figures.rate(export.speed.before)) -> \(Figures.rate(export.speed.after)) tokens/s")
            let masked = export.removal.masked.values.reduce(0) { $0 + $1.count }
            if masked > 0 {
                table.add(
                    "masked",
                    "\(Figures.count(masked, "head")) stay with zeros: others need their keys and values")
            }
        }
        if let patch { table.add("patch", patch) }
        return table.lines
    }

    /// Each head's number: the bias without it, else the perplexity, else whether it was chosen.
    func heatMap(_ scores: HeadScores, _ configuration: ModelConfiguration, axis: String?) -> HeatMap {
        let chosen = Set(selection.heads)
        func value(_ head: HeadIndex) -> Double {
            let entry = scores[head]
            return axis.flatMap { entry.bias[$0] } ?? entry.perplexity ?? entry.sensitivity ?? entry.magnitude
                ?? (chosen.contains(head) ? 1 : 0)
        }
        let hasBias = axis.map { axis in scores.heads.contains { scores[$0].bias[axis] != nil } } ?? false
        return HeatMap(
            title: "Heads of \(model), one at a time",
            rows: (0..<configuration.layers).map(String.init),
            columns: (0..<configuration.heads).map(String.init),
            values: (0..<configuration.layers).map { layer in
                (0..<configuration.heads(layer: layer)).map { value(HeadIndex(layer: layer, head: $0)) }
            }, rowAxis: "layer", columnAxis: "head",
            valueAxis: hasBias ? "bias without it" : "perplexity without it")
    }
}
