import ArgumentParser
import CorvidModels
import CorvidText

/// Continues a text. No chat template is applied.
struct GenerateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Complete a text.",
        discussion: """
            Prints the generated part as it is made.

            Example: corvid generate --prompt "Once upon a time" --max-tokens 50
            """)

    @Option(help: "The text to continue; - reads standard input.")
    var prompt: String?

    @Option(
        help: ArgumentHelp("A file with the text to continue; - reads standard input.", valueName: "path"))
    var file: String?

    @Option(help: ArgumentHelp("Most tokens to generate.", valueName: "N"))
    var maxTokens: Int = 128

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("End before this text; may be given again.", valueName: "text"))
    var stop: [String] = []

    @Option(help: ArgumentHelp("Answers to generate; they share one pass over the prompt.", valueName: "K"))
    var samples: Int?

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        guard (prompt == nil) != (file == nil) else {
            throw ValidationError("give one of --prompt and --file.")
        }
        if maxTokens < 0 { throw ValidationError("--max-tokens is \(maxTokens); expected 0 or more.") }
        if let samples, !(1...GenerationRequest.samplesLimit).contains(samples) {
            throw ValidationError("--samples is \(samples); expected 1 to \(GenerationRequest.samplesLimit).")
        }
        if stop.contains("") { throw ValidationError("--stop is empty; expected at least one character.") }
    }

    func report(to console: Console) async throws -> GenerateReport {
        let text = try file.map { try TextSource.file($0) } ?? TextSource.argument(prompt ?? "")
        guard !text.isEmpty else { throw CommandError.emptyPrompt }
        let loaded = try model.load(console)
        let model = loaded.model
        let tokenizer = try model.tokenizer
        let ids = tokenizer.encode(text)
        guard model.configuration.encoderLayers > 0 else {
            return try await report(request(ids), loaded, running: model, tokenizer, to: console)
        }
        // An encoder-decoder reads the text and answers it.
        let answering = try await ModelWithSource(model, source: ids)
        return try await report(
            request([answering.startToken]), loaded, running: answering, tokenizer, to: console)
    }

    private func report(
        _ request: GenerationRequest, _ loaded: LoadedModel, running model: some LanguageModel,
        _ tokenizer: any Tokenizer, to console: Console
    ) async throws -> GenerateReport {
        try MemoryNeed(
            model: loaded.model, tokens: request.prompt.count.addingSaturated(maxTokens),
            sequences: request.samples,
            prefillChunk: request.prefillChunk
        ).refuseIfTooLarge()

        let streams = samples == nil
        let failure = FirstFailure()
        let results = try await loaded.model.namingDamagedWeights {
            try await Generator(model: model, tokenizer: tokenizer).run([request]) { event in
                switch event {
                case .prefill(_, let done, let total):
                    console.show("prompt", done: done, total: total, unit: "tokens")
                case .token(_, let sample, _) where sample == 0 && !streams:
                    console.show("answers", done: 0, total: request.samples, unit: "answers")
                case .text(_, _, let piece) where streams:
                    failure.keep { try console.stream(piece) }
                default: break
                }
            }
        }
        try failure.rethrow()
        if streams { try console.stream("\n") }
        return GenerateReport(
            model: loaded.name, seed: request.sampling.seed, promptIDs: request.prompt,
            results: results.first ?? [], showsSamples: !streams)
    }

    private func request(_ ids: [Int32]) -> GenerationRequest {
        var request = GenerationRequest(
            prompt: ids, maxTokens: maxTokens, sampling: sampling.settings(seed: model.run.chosenSeed()),
            stopStrings: stop, samples: samples ?? 1)
        request.usesCache = !model.run.noCache
        request.prefillChunk = model.run.prefillChunk
        return request
    }
}

struct GenerateReport: Report {
    let model: String
    let seed: UInt64
    let promptIDs: [Int32]
    let results: [GenerationResult]
    /// Whether `--samples` was given: then each answer is an element of `samples`.
    let showsSamples: Bool

    var wasInterrupted: Bool { results.contains { $0.stopReason == .cancelled } }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "seed": .seed(seed),
            "prompt_ids": .ids(promptIDs), "prompt_tokens": .count(promptIDs.count),
        ]
        if let first = results.first { Self.add(first, to: &object) }
        if showsSamples {
            object["samples"] = .array(
                results.map { result in
                    var sample: JSONObject = ["prompt_tokens": .count(promptIDs.count)]
                    Self.add(result, to: &sample)
                    return .object(sample)
                })
        }
        return .object(object)
    }

    private static func add(_ result: GenerationResult, to object: inout JSONObject) {
        object["text"] = .string(result.text)
        object["ids"] = .ids(result.ids)
        object["stop_reason"] = .string(result.stopReason.rawValue)
        object["prefill_tokens_per_second"] = .number(result.prefillTokensPerSecond)
        object["decode_tokens_per_second"] = .number(result.decodeTokensPerSecond)
    }

    /// The text itself has been streamed, except where there are several.
    var lines: String {
        guard showsSamples else { return "" }
        return results.map {
            "--- \($0.sample + 1) of \(results.count) (\($0.stopReason.rawValue))\n\($0.text)"
        }
        .joined(separator: "\n")
    }
}
