import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidStore
import CorvidText

/// Makes a state vector of a task, and keeps it as a patch.
struct IclExtractCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Make a state vector of a task's demonstrations.",
        discussion: """
            The demonstrations run once; the states at their arrows and at those of dummy queries are put together \
            by inner averaging or momentum. --layer auto tries all layers on the validation pairs. With --groups the \
            vectors of several groups of demonstrations become one.

            Example: corvid steer icl extract --task plurals.json --output plural.patch
            Example: corvid steer icl extract --task plurals.json --layer 20 --optimise inner --output plural.patch
            Example: corvid steer icl extract --task antonyms.json --groups 10 --output opposite.patch
            """)

    @OptionGroup(title: "Task") var icl: InContextOptions

    @Option(help: ArgumentHelp("The last layer that is replaced, or auto.", valueName: "L"))
    var layer: LayerChoice = LayerChoice(nil)

    @Option(
        help: ArgumentHelp(
            "none (the last state as it is), inner, momentum, or adagrad, rmsprop, adam, which are known to fail. (default: momentum)",
            valueName: "method"))
    var optimise: OptimiserChoice?

    @Option(help: ArgumentHelp("States that are averaged.", valueName: "N"))
    var window: Int = 7

    @Option(
        help: ArgumentHelp("What a difference keeps of its weight with each later one.", valueName: "part"))
    var retention: Double = 0.5

    @Option(
        help: ArgumentHelp(
            "How groups become one: divide-and-conquer or average. (default: divide-and-conquer)",
            valueName: "method"))
    var aggregate: AggregationChoice?

    @Option(help: ArgumentHelp("Part of what stood at the arrow that is kept.", valueName: "part"))
    var old: Float = 0

    @Option(help: ArgumentHelp("Factor of the vector.", valueName: "factor"))
    var stored: Float = 1

    @Option(help: ArgumentHelp("Name of the patch. (default: that of the task's file)", valueName: "name"))
    var name: String?

    @Option(name: .customLong("output"), help: ArgumentHelp("Write the patch here.", valueName: "path"))
    var destination: String?

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration {
        RunDeclaration(model: model, seed: model.run.seed ?? 0, reads: [icl.task], writes: [destination])
    }

    func checkOptions() throws {
        try icl.check()
        if destination == nil { throw ValidationError("--output is missing; name the patch to write.") }
        if icl.groups > 0, optimise != nil { throw ValidationError("--optimise does not go with --groups.") }
        if icl.groups == 0, aggregate != nil { throw ValidationError("--aggregate goes with --groups.") }
        guard (1...100_000).contains(window) else {
            throw ValidationError("--window is \(window); expected 1 to 100000.")
        }
        guard retention > 0, retention <= 1 else {
            throw ValidationError("--retention is \(retention); expected more than 0, up to 1.")
        }
        guard old.isFinite, stored.isFinite else {
            throw ValidationError("--old and --stored must be finite numbers.")
        }
    }

    func report(to console: Console) async throws -> IclExtractReport {
        guard let destination else { throw CleanExit.helpRequest(self) }
        let data = try icl.data()
        let loaded = try model.load(console)
        return try await loaded.model.namingDamagedWeights {
            let extractor = try icl.extractor(loaded.model)
            var settings = InContextEvaluationSettings()
            settings.division = icl.division
            settings.groups = icl.groups
            settings.layer = layer.layer
            let evaluator = InContextEvaluator(extractor, settings: settings)
            let seed = model.run.seed ?? 0
            let task = try data.task(evaluator.division, seed: seed)
            if let layer = layer.layer, layer >= loaded.model.configuration.layers {
                throw InContextError.layer(layer, layers: loaded.model.configuration.layers)
            }
            var answer = IclExtractReport(model: loaded.name, sink: extractor.builder.sink)
            let vector =
                icl.groups > 0
                ? try await aggregated(evaluator, task, seed, &answer, console)
                : try await optimised(evaluator, task, &answer, console)
            for warning in answer.warnings { console.warn("\(warning)") }
            try save(vector, loaded, seed, answer, to: destination)
            answer.complete(vector, path: destination, extractor)
            return answer
        }
    }

    private func optimised(
        _ evaluator: InContextEvaluator, _ task: InContextTask, _ answer: inout IclExtractReport,
        _ console: Console
    ) async throws -> StateVector {
        var optimizer = StateOptimizer(optimise?.method ?? .momentum)
        optimizer.window = window
        optimizer.retention = retention
        let shown = Array(task.demonstrations.prefix(icl.shots))
        let dummies = task.dummies.map(\.input)
        console.show("states", done: 0, total: 1, unit: "prompts")
        let states = try await evaluator.extractor.states(shown, dummies: dummies)
        answer.method = optimizer.method.rawValue
        answer.demonstrations = states.demonstrations.count
        answer.spread = states.spread
        answer.warnings =
            try evaluator.extractor.warnings(shown, dummies: dummies)
            + optimizer.warnings(states: states.sequence.count)
        let vector = try optimizer.vector(of: states)
        if let layer = layer.layer { return try vector.through(layer) }
        console.show("layers", done: 0, total: 1, unit: "sweeps")
        let best = try await evaluator.bestLayer(for: vector, task.validation)
        answer.accuracies = best.accuracies
        return try vector.through(best.layer)
    }

    private func aggregated(
        _ evaluator: InContextEvaluator, _ task: InContextTask, _ seed: UInt64,
        _ answer: inout IclExtractReport, _ console: Console
    ) async throws -> StateVector {
        let made = try await evaluator.aggregate(task, (aggregate ?? .divideAndConquer).method, seed: seed) {
            console.show($0, done: $1, total: $2, unit: "steps")
        }
        answer.method = (aggregate ?? .divideAndConquer).rawValue
        answer.demonstrations = made.groups.reduce(0) { $0 + $1.demonstrations.count }
        answer.spread = try StateVector.spread(made.result.groups)
        answer.warnings = evaluator.extractor.builder.warnings
        return made.result.vector
    }

    private func save(
        _ vector: StateVector, _ loaded: LoadedModel, _ seed: UInt64, _ answer: IclExtractReport,
        to path: String
    ) throws {
        var settings = icl.settings
        settings["method"] = .string(answer.method)
        settings["layer"] = .count(vector.layers.count - 1)
        settings["window"] = .count(window)
        settings["retention"] = .number(retention)
        var sources: [PatchHeader.Source] = []
        if let task = icl.task, task != "-" {
            sources.append(PatchHeader.Source(name: task, digest: try Digest(fileAt: task)))
        }
        let header = PatchHeader(
            name: name ?? taskName, method: "icl", settings: .object(settings), seed: seed, data: sources,
            report: ["spread": .number(answer.spread)])
        let digests = DigestStore(try Store())
        try vector.patch(header, mixing: StateMixing(old: old, stored: stored))
            .bound(to: loaded.model, cache: digests).save(to: path)
        digests.save()
    }

    /// `plurals` for `data/plurals.json`.
    private var taskName: String {
        let file = (icl.task ?? "").split(separator: "/").last.map(String.init) ?? ""
        let stem = file.hasSuffix(".json") ? String(file.dropLast(5)) : file
        return stem.isEmpty || stem == "-" ? "task" : stem
    }
}

struct IclExtractReport: Report {
    let model: String
    var method = ""
    var demonstrations = 0
    var spread = 0.0
    var accuracies: [Double] = []
    var warnings: [InContextWarning] = []
    private var layer = 0
    private var tokens = 0
    private var width = 0
    private var path = ""
    private var prompt = ""
    private let sink: Int32?

    init(model: String, sink: Int32?) {
        self.model = model
        self.sink = sink
    }

    mutating func complete(_ vector: StateVector, path: String, _ extractor: StateExtractor) {
        (layer, tokens, width) = (vector.layers.count - 1, vector.tokens, vector.columns)
        self.path = path
        let builder = extractor.builder
        prompt =
            (sink.map { builder.tokenizer.piece(of: $0) } ?? "") + builder.template.beforeInput + "QUERY"
            + builder.template.arrow
    }

    var json: JSON {
        [
            "model": .string(model), "method": .string(method), "demonstrations": .count(demonstrations),
            "layer": .count(layer), "arrow_tokens": .count(tokens), "width": .count(width),
            "spread": .number(spread), "accuracies": .numbers(accuracies), "prompt": .string(prompt),
            "output": .string(path), "warnings": .array(warnings.map { .string("\($0)") }),
        ]
    }

    var lines: String {
        var lines = [
            "state vector (\(method)) of \(Figures.count(demonstrations, "demonstration")), layers 0 to \(layer), "
                + "spread \(Figures.cosine(spread))"
        ]
        if let best = accuracies.indices.contains(layer) ? accuracies[layer] : nil {
            lines.append("right on the validation pairs: \(Figures.percent(best))")
        }
        lines.append("written to \(path); prompts are written as \(prompt.debugDescription)")
        return lines.joined(separator: "\n")
    }
}
