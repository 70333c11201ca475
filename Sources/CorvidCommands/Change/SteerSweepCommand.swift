import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidPlots
import CorvidText

/// Looks for the layer and the coefficient that do most for a topic and least to other texts.
struct SteerSweepCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Try layers and coefficients on topical and unrelated texts.",
        discussion: """
            Each point is a layer with a coefficient. 'topical' and 'unrelated' are ratios of perplexities with and \
            without the vector: below 1 texts have become likelier. 'drift' is how far the predictions for unrelated \
            texts move (KL divergence, in nats for each token). A point on the front is beaten by no other in both \
            topical ratio and drift. Tokens that a vector is laid over are not scored.

            Example: corvid steer sweep --positive " weddings" --topical weddings.txt --unrelated other.txt
            Example: corvid steer sweep --pairs polite.json --layer 8-20 --strengths 0.05,0.1,0.2 \\
              --topical polite.txt --unrelated other.txt --plot sweep.svg --output polite.patch
            """)

    @OptionGroup(title: "Vectors") var steering: SteeringOptions

    @Option(
        help: ArgumentHelp("Coefficients to try. (default: 0.5,1,2,4 for --positive)", valueName: "C,C"))
    var coefficients: NumberList?

    @Option(
        help: ArgumentHelp(
            "Parts of the stream's norm to try. (default: 0.05,0.1,0.2,0.4 for --pairs)", valueName: "R,R"))
    var strengths: NumberList?

    @Option(help: ArgumentHelp("Texts on the topic, one on each line.", valueName: "path"))
    var topical: String?

    @Option(help: ArgumentHelp("Other texts, one on each line.", valueName: "path"))
    var unrelated: String?

    @Option(help: ArgumentHelp("Tokens of a text that are run.", valueName: "N"))
    var mostTokens: Int = 128

    @Option(
        help: ArgumentHelp("Greatest ratio of unrelated texts that the best point may have.", valueName: "R"))
    var mostDrift: Double = 1.1

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write a patch with the best point's vector here.", valueName: "path"))
    var destination: String?

    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        try steering.check()
        guard topical != nil, unrelated != nil else {
            throw ValidationError("give texts with --topical and --unrelated.")
        }
        guard coefficients == nil || strengths == nil else {
            throw ValidationError("give one of --coefficients and --strengths.")
        }
        if mostTokens < 2 { throw ValidationError("--most-tokens is \(mostTokens); expected 2 or more.") }
        if steering.vector != nil, strengths != nil {
            throw ValidationError(
                "a vector from a file does not know the stream's norm; give --coefficients.")
        }
    }

    var recorded: RunDeclaration {
        RunDeclaration(
            model: model, reads: [steering.pairs, steering.vector, topical, unrelated],
            writes: [destination, plot.path])
    }

    func report(to console: Console) async throws -> SteerSweepReport {
        let texts = try [topical, unrelated].map { try SteeringTexts.read($0 ?? "") }
        let loaded = try model.load(console)
        let model = loaded.model
        return try await model.namingDamagedWeights {
            let all = Array(0..<model.configuration.layers)
            let source = try await SteeringSource(steering, model, layers: all, console)
            let ids = texts.map { SteeringTexts.ids($0, source.tokens, most: mostTokens, model) }
            let isRelative = strengths != nil || (coefficients == nil && !steering.isActivationAddition)
            let tried =
                (strengths ?? coefficients)?.values ?? (isRelative ? [0.05, 0.1, 0.2, 0.4] : [0.5, 1, 2, 4])
            let sweep = try await SteeringSweep.run(
                source.vectors, coefficients: tried, isRelative: isRelative, topical: ids[0],
                unrelated: ids[1],
                model: model
            ) { console.show("sweep", done: $0, total: $1, unit: "tokens") }
            let best = sweep.best(within: mostDrift)
            var answer = SteerSweepReport(
                model: loaded.name, source: source, sweep: sweep, best: best, mostDrift: mostDrift)
            if let destination, let best,
                let vector = source.vectors.first(where: { $0.site == best.site })?.scaled(
                    to: best.coefficient)
            {
                try SteeringFile.write(
                    [vector], source, loaded, reading: steering, seed: nil, prompt: nil,
                    report: SteerSweepReport.json(best), to: destination)
                answer.output = destination
            }
            try plot.write(answer.heatMap(coefficients: tried.count, isRelative: isRelative))
            return answer
        }
    }
}

/// What each point of a sweep gave.
struct SteerSweepReport: Report {
    let model: String
    let source: SteeringSource
    let sweep: SteeringSweep
    let best: SteeringSweep.Point?
    let mostDrift: Double
    var output: String?

    static func json(_ point: SteeringSweep.Point) -> JSON {
        var object: JSONObject = [
            "site": .string("\(point.site)"), "layer": .count(point.site.layer ?? 0),
            "coefficient": .number(Double(point.coefficient)), "topical": .number(point.topicalRatio),
            "unrelated": .number(point.unrelatedRatio), "drift": .number(point.unrelatedDivergence),
            "is_on_front": .bool(point.isOnFront),
        ]
        if let norm = point.relativeNorm { object["relative_norm"] = .number(norm) }
        return .object(object)
    }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "name": .string(source.name), "method": .string(source.method),
            "topical_texts": .count(sweep.topicalTexts), "unrelated_texts": .count(sweep.unrelatedTexts),
            "points": .array(sweep.points.map(Self.json)), "front": .array(sweep.front.map(Self.json)),
            "best": best.map(Self.json) ?? .null,
        ]
        if let output { object["output"] = .string(output) }
        return .object(object)
    }

    /// How much likelier texts on the topic become beside others, at each layer with each coefficient.
    func heatMap(coefficients: Int, isRelative: Bool) -> HeatMap {
        let layers = stride(from: 0, to: sweep.points.count, by: max(1, coefficients)).map { start in
            Array(sweep.points[start..<min(start + coefficients, sweep.points.count)])
        }
        return HeatMap(
            title: "Steering \(model) towards \(source.name)",
            rows: layers.map { "\($0[0].site)" },
            columns: (layers.first ?? []).map { point in
                isRelative
                    ? point.relativeNorm.map(Figures.percent) ?? "-" : Figures.rate(Double(point.coefficient))
            }, values: layers.map { $0.map(\.selectivity) }, rowAxis: "site",
            columnAxis: isRelative ? "part of the stream's norm" : "coefficient",
            valueAxis: "perplexity ratio of topical texts / of others", colors: .diverging(center: 1),
            showsValues: true)
    }

    var lines: String {
        var table = TextTable(.left, .right, .right, .right, .right, .right, .left)
        table.add("site", "coefficient", "of stream", "topical", "unrelated", "drift", "")
        for point in sweep.points {
            let mark = point == best ? "best" : point.isOnFront ? "front" : ""
            table.add(
                "\(point.site)", Figures.rate(Double(point.coefficient)),
                point.relativeNorm.map(Figures.percent) ?? "-", Figures.cosine(point.topicalRatio),
                Figures.cosine(point.unrelatedRatio), Figures.cosine(point.unrelatedDivergence), mark)
        }
        var parts = [
            table.lines,
            "\(Figures.count(sweep.topicalTexts, "topical text")), "
                + "\(Figures.count(sweep.unrelatedTexts, "unrelated text"))",
        ]
        if let best {
            parts.append(
                "best with unrelated texts at most \(Figures.rate(mostDrift)): \(best.site), "
                    + "coefficient \(Figures.rate(Double(best.coefficient)))")
        } else {
            parts.append(
                "no point leaves unrelated texts at \(Figures.rate(mostDrift)) or less; try smaller "
                    + "coefficients")
        }
        if let output { parts.append("written to \(output)") }
        return parts.joined(separator: "\n\n")
    }
}
