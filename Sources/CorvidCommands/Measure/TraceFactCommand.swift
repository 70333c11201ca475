import ArgumentParser
import CorvidEvaluation
import CorvidModels
import CorvidText

/// Restores what was computed at single tokens and layers, and says how much of an answer comes back.
struct TraceFactCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "fact",
        abstract: "Trace the answer to a prompt back to tokens and layers (causal tracing).",
        discussion: """
            The subject's embeddings are corrupted by noise; then the clean run's value at one token and layer is put \
            back, and the answer's probability says how much came back with it: the indirect effect. With --facts \
            many prompts are averaged over the part that a token plays; facts that the model does not know are left \
            out.

            Example: corvid trace --prompt "The Space Needle is in the city of" --subject "Space Needle"
            Example: corvid trace --facts known.json --limit 100 --kind mlp --window 5 --plot effects.svg
            """)

    @Option(help: ArgumentHelp("The text whose next token is traced.", valueName: "text"))
    var prompt: String?

    @Option(
        help: ArgumentHelp("The piece of the prompt that is corrupted; it occurs once.", valueName: "text"))
    var subject: String?

    @Option(
        help: ArgumentHelp(
            "The answer, of which the first token counts. (default: the model's own)", valueName: "text"))
    var answer: String?

    @Option(
        help: ArgumentHelp(
            "Facts instead of a prompt: objects with prompt, subject and attribute, as a JSON array or line by line.",
            valueName: "path"))
    var facts: String?

    @Option(help: ArgumentHelp("At most this many facts of the file.", valueName: "N"))
    var limit: Int?

    @Option(help: "What is restored: state, mlp or attention.")
    var kind: TracingSettings.Restored = .state

    @Option(help: ArgumentHelp("Layers around the layer, for mlp and attention.", valueName: "N"))
    var window = TracingSettings().window

    @Option(help: "What stays corrupted at the restored token, in every layer: mlp or attention.")
    var severed: TracingSettings.Severed?

    @Option(help: ArgumentHelp("Corrupted runs.", valueName: "N"))
    var samples = TracingSettings().samples

    @Option(
        help: ArgumentHelp(
            "Level: 3s is 3 standard deviations of the subjects' embeddings, 0.1 is a number.",
            valueName: "level"))
    var noise = NoiseLevel(level: .deviations(3))

    @Option(help: "Distribution: gaussian, uniform, covariance (of the subjects' embeddings) or student.")
    var distribution: EmbeddingNoise.Shape = .gaussian

    @Flag(help: "Put the noise in place of the embeddings, rather than adding it.")
    var replaceEmbeddings = false

    @Flag(help: "Run one full pass for each cell, as the authors' code does (slow, for checks).")
    var naive = false

    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration {
        RunDeclaration(model: model, seed: settings.seed, reads: [facts], writes: [plot.path])
    }

    func checkOptions() throws {
        guard (prompt == nil) != (facts == nil) else {
            throw ValidationError("give one of --prompt and --facts.")
        }
        if prompt != nil, subject == nil {
            throw ValidationError("--subject is missing; name the piece of the prompt that is corrupted.")
        }
        if facts != nil, subject != nil || answer != nil {
            throw ValidationError("--subject and --answer go with --prompt; a file of facts has its own.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); expected 1 or more.") }
        try settings.validate()
    }

    private var settings: TracingSettings {
        var settings = TracingSettings()
        settings.restored = kind
        settings.window = window
        settings.severed = severed
        settings.samples = samples
        settings.seed = model.run.seed ?? settings.seed
        settings.noise = EmbeddingNoise(level: noise.level, shape: distribution, replaces: replaceEmbeddings)
        return settings
    }

    func report(to console: Console) async throws -> TraceReport {
        let loaded = try model.load(console)
        let tokenizer = try loaded.model.tokenizer
        let known = try read(tokenizer)
        let report = try await loaded.base.namingDamagedWeights {
            let tracer = try await CausalTracer(loaded.model, settings: settings, facts: known)
            var traces: [FactTrace] = []
            for (index, fact) in known.enumerated() {
                let show = { @Sendable (done: Int, total: Int) in
                    console.show(
                        "trace", done: index * total + done, total: known.count * total, unit: "steps")
                }
                let found =
                    naive
                    ? try await tracer.traceNaively(fact, progress: show)
                    : try await tracer.trace(fact, progress: show)
                if let found { traces.append(found) }
            }
            return try TraceReport(
                model: loaded.name, settings: settings, noiseLevel: tracer.noiseLevel, prompt: prompt,
                read: known.count, traces: traces, tokenizer: tokenizer)
        }
        try plot.write(report.heatMap)
        return report
    }

    private func read(_ tokenizer: any Tokenizer) throws -> [TracedFact] {
        if let facts {
            return try TracedFact.facts(in: try TextSource.file(facts), limit: limit, tokenizer: tokenizer)
        }
        guard let prompt, let subject else { throw CleanExit.helpRequest(self) }
        let fact = try TracedFact(
            prompt: prompt, subject: subject, answer: answer, tokenizer: tokenizer)
        return [fact]
    }
}

extension TracingSettings.Restored: ExpressibleByArgument {}
extension TracingSettings.Severed: ExpressibleByArgument {}
extension EmbeddingNoise.Shape: ExpressibleByArgument {}

/// `3s` or `0.1`.
struct NoiseLevel: ExpressibleByArgument, Sendable, CustomStringConvertible {
    let level: EmbeddingNoise.Level

    init(level: EmbeddingNoise.Level) { self.level = level }

    init?(argument: String) {
        if argument.last == "s", let factor = Double(argument.dropLast()) {
            level = .deviations(factor)
        } else if let value = Double(argument) {
            level = .absolute(value)
        } else {
            return nil
        }
    }

    var description: String {
        switch level {
        case .absolute(let value): "\(value)"
        case .deviations(let factor): "\(factor == factor.rounded() ? "\(Int(factor))" : "\(factor)")s"
        }
    }

    var defaultValueDescription: String { description }
}
