import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidPlots
import CorvidText

/// Measures state vectors beside what they are compared with.
struct IclEvaluateCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure how well vectors stand for a task's demonstrations.",
        discussion: """
            Each seed divides the pairs anew. A table compares the model as it is, without and with demonstrations \
            (the latter is in-context learning), with state vectors (vanilla, inner, momentum), a task vector and a \
            function vector, put in at the query's arrow. Layers are chosen by the validation pairs, for each vector. \
            An answer is right if its first token is the likeliest. --plot draws accuracies by layer.

            Example: corvid steer icl evaluate --task plurals.json --seeds 3
            Example: corvid steer icl evaluate --task plurals.json --ablations --zero-shot --json
            Example: corvid steer icl evaluate --task antonyms.json --groups 10 --plot layers.svg
            """)

    @OptionGroup(title: "Task") var icl: InContextOptions

    @Option(help: ArgumentHelp("How many divisions are measured, from --seed on.", valueName: "N"))
    var seeds: Int = 3

    @Option(help: ArgumentHelp("Pairs that are tested in each. (default: all that are left)", valueName: "N"))
    var test: Int?

    @Option(help: ArgumentHelp("The last layer that is replaced, or auto.", valueName: "L"))
    var layer: LayerChoice = LayerChoice(nil)

    @Flag(help: "Only queries without demonstrations.")
    var zeroShot = false

    @Flag(help: "No task vector and no function vector.")
    var noBaselines = false

    @Flag(help: "Adaptive optimisers, too (AdaGrad, RMSprop, Adam).")
    var ablations = false

    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration {
        RunDeclaration(model: model, seed: model.run.seed ?? 0, reads: [icl.task], writes: [plot.path])
    }

    func checkOptions() throws {
        try icl.check()
        guard (1...1_000).contains(seeds) else {
            throw ValidationError("--seeds is \(seeds); expected 1 to 1000.")
        }
        if let test, test < 1 { throw ValidationError("--test is \(test); expected 1 or more.") }
        if plot.isWanted, layer.layer != nil {
            throw ValidationError("--plot draws accuracies by layer; leave --layer out.")
        }
    }

    func report(to console: Console) async throws -> IclEvaluateReport {
        let data = try icl.data()
        let loaded = try model.load(console)
        let first = model.run.seed ?? 0
        return try await loaded.model.namingDamagedWeights {
            var settings = InContextEvaluationSettings()
            settings.division = icl.division
            settings.division.test = test
            settings.groups = icl.groups
            settings.layer = layer.layer
            if zeroShot { settings.settings = [.zeroShot] }
            if noBaselines { (settings.comparesTaskVector, settings.comparesFunctionVector) = (false, false) }
            if ablations {
                settings.optimizers += [.init(.adagrad), .init(.rmsprop), .init(.adam)]
            }
            let evaluator = InContextEvaluator(try icl.extractor(loaded.model), settings: settings)
            let result = try await evaluator.evaluate(
                data, seeds: (0..<seeds).map { first &+ UInt64($0) }
            ) { console.show($0, done: $1, total: $2, unit: "steps") }
            for warning in result.warnings { console.warn("\(warning)") }
            let report = IclEvaluateReport(model: loaded.name, result: result)
            try plot.write(report.plot)
            return report
        }
    }
}

struct IclEvaluateReport: Report {
    let model: String
    let result: InContextReport

    /// Accuracy by layer, of each vector.
    var plot: LinePlot {
        LinePlot(
            title: "Right answers by the last layer that is replaced",
            series: result.curves.map {
                LinePlot.Series("\($0.method.rawValue), \($0.setting.rawValue)", $0.accuracies)
            },
            xAxis: "layer", yAxis: "accuracy")
    }

    var json: JSON {
        [
            "model": .string(model),
            "seeds": .array(result.seeds.map { .seed($0) }),
            "tests": .array(result.tests.map { .count($0) }),
            "spread": .numbers(result.spreads),
            "results": .array(
                result.rows.map { row in
                    [
                        "setting": .string(row.setting.rawValue), "method": .string(row.method.rawValue),
                        "accuracy": .number(row.accuracy), "deviation": .number(row.deviation),
                        "accuracies": .numbers(row.accuracies),
                        "layers": .array(row.layers.map { $0.map { .count($0) } ?? .null }),
                    ]
                }),
            "curves": .array(
                result.curves.map { curve in
                    [
                        "setting": .string(curve.setting.rawValue), "method": .string(curve.method.rawValue),
                        "accuracies": .numbers(curve.accuracies),
                    ]
                }),
            "warnings": .array(result.warnings.map { .string("\($0)") }),
        ]
    }

    var lines: String {
        var table = TextTable(.left, .left, .right, .right, .left)
        table.add("setting", "method", "accuracy", "deviation", "layers")
        for row in result.rows {
            let layers = row.layers.compactMap { $0 }.map { "\($0)" }.joined(separator: ", ")
            table.add(
                row.setting.rawValue, row.method.rawValue, Figures.percent(row.accuracy),
                Figures.percent(row.deviation), layers)
        }
        let tests = result.tests.reduce(0, +)
        return table.lines
            + "\n\(Figures.count(tests, "test")) over \(Figures.count(result.seeds.count, "seed")); "
            + "few-shot regular is in-context learning"
    }
}
