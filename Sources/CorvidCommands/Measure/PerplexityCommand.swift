import ArgumentParser
import CorvidModels
import CorvidText

/// Measures how well a model predicts a text.
struct PerplexityCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well a model predicts a text.",
        discussion: """
            Each token after the first is scored once. --context is the window of the measurement here: what the \
            model sees at most before it predicts.

            Example: corvid perplexity --file prose.txt --context 512 --stride 256
            """)

    @Option(help: ArgumentHelp("The text; - reads standard input.", valueName: "path"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Tokens by which the next window begins later. (default: the window)", valueName: "N"))
    var stride: Int?

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    /// Tokens in a window when `--context` is not given.
    private static let window = 512

    func checkOptions() throws {
        if file == nil {
            throw ValidationError("--file is missing; name the text to score, or - for standard input.")
        }
        let window = model.run.context ?? Self.window
        if let stride, !(1...window).contains(stride) {
            throw ValidationError("--stride is \(stride); expected 1 to \(window), the size of the window.")
        }
    }

    var recorded: RunDeclaration { RunDeclaration(model: model, reads: [file]) }

    func report(to console: Console) async throws -> PerplexityReport {
        guard let file else { throw CleanExit.helpRequest(self) }
        let text = try TextSource.file(file)
        // The window is not the model's context: a model with less says so in its own words.
        var loading = model.run.loading
        loading.contextLength = nil
        let loaded = try model.load(loading, console)
        let model = loaded.model
        let window = self.model.run.context ?? min(Self.window, model.contextLength)
        var settings = PerplexitySettings(context: window, stride: min(stride ?? window, window))
        settings.prefillChunk = self.model.run.prefillChunk
        settings.scoredChunk = min(settings.scoredChunk, self.model.run.prefillChunk)
        try MemoryNeed(model: model, tokens: window, prefillChunk: settings.prefillChunk).refuseIfTooLarge()
        let ids = try model.tokenizer.encode(text)
        let result = try await model.namingDamagedWeights {
            try await model.perplexity(of: ids, settings: settings) { done, total in
                console.show("perplexity", done: done, total: total, unit: "tokens")
            }
        }
        return PerplexityReport(model: loaded.name, result: result, settings: settings)
    }
}

struct PerplexityReport: Report {
    let model: String
    let result: Perplexity
    let settings: PerplexitySettings

    var json: JSON {
        [
            "model": .string(model), "perplexity": .number(result.perplexity),
            "tokens": .count(result.tokens),
            "nll": .number(result.negativeLogLikelihood), "context": .count(settings.context),
            "stride": .count(settings.stride),
        ]
    }

    var lines: String {
        "perplexity \(Figures.rate(result.perplexity)) over \(Figures.grouped(result.tokens)) tokens "
            + "(window \(settings.context), stride \(settings.stride))"
    }
}
