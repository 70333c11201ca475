import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidText

/// Measures what steering does: to texts on the topic and others, to answers, to tokens.
struct SteerEvaluateCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure what a steering vector does to texts and answers.",
        discussion: """
            Texts: perplexities without and with the vector, drift, and the tokens that moved most. Answers: with \
            --prompt and --topic the part of the answers that has a word of the topic, for the model as it is, with \
            the vector, and with random vectors of the same norms. --good and --bad are lists of words by which the \
            answers' sentiment is guessed. --cloze has lines {"prompt": ..., "target": ...}: how often the target \
            is among the likeliest tokens.

            Effectiveness is how much likelier the words of the topic become as next token (in nats), disruption \
            how much the vector moves among them and among all other tokens.

            Example: corvid steer evaluate --vector w.patch --topical weddings.txt --unrelated other.txt
            Example: corvid steer evaluate --vector w.patch --topic wedding,bride,groom --samples 50 \\
              --prompt "I went up to my friend and said"
            """)

    @OptionGroup(title: "Vectors") var steering: SteeringOptions

    @Option(help: ArgumentHelp("Times the vector is added. (default: 1)", valueName: "C"))
    var coefficient: Double?

    @Option(
        help: ArgumentHelp(
            "Norm of the vector as a part of the stream's, in place of --coefficient.", valueName: "R")
    )
    var strength: Double?

    @Option(help: ArgumentHelp("Texts on the topic, one on each line.", valueName: "path"))
    var topical: String?

    @Option(help: ArgumentHelp("Other texts, one on each line.", valueName: "path"))
    var unrelated: String?

    @Option(help: ArgumentHelp("Tokens of a text that are run.", valueName: "N"))
    var mostTokens: Int = 128

    @Option(help: ArgumentHelp("Words of the topic, or a file of them.", valueName: "word,word"))
    var topic: String?

    @Option(help: ArgumentHelp("Words of praise, or a file of them.", valueName: "word,word"))
    var good: String?

    @Option(help: ArgumentHelp("Words of blame, or a file of them.", valueName: "word,word"))
    var bad: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A text to continue; may be given again.", valueName: "text"))
    var prompt: [String] = []

    @Option(help: ArgumentHelp("Answers to each prompt.", valueName: "K"))
    var samples: Int = 20

    @Option(help: ArgumentHelp("Most tokens of an answer.", valueName: "N"))
    var maxTokens: Int = 40

    @Option(help: ArgumentHelp("Lines with a prompt and the token that follows it.", valueName: "path"))
    var cloze: String?

    @Option(help: ArgumentHelp("Show tokens that occur at least so often.", valueName: "N"))
    var seen: Int = 20

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func checkOptions() throws {
        try steering.check()
        try SteerVectorCommand.check(coefficient: coefficient, strength: strength)
        guard topical != nil || unrelated != nil || !prompt.isEmpty || cloze != nil else {
            throw ValidationError("give something to measure: --topical, --unrelated, --prompt or --cloze.")
        }
        if !prompt.isEmpty, topic == nil, good == nil, bad == nil {
            throw ValidationError("--prompt needs words to look for: --topic, or --good and --bad.")
        }
        guard (good == nil) == (bad == nil) else { throw ValidationError("--good and --bad go together.") }
        if mostTokens < 2 { throw ValidationError("--most-tokens is \(mostTokens); expected 2 or more.") }
        if maxTokens < 1 { throw ValidationError("--max-tokens is \(maxTokens); expected 1 or more.") }
        guard (1...GenerationRequest.samplesLimit).contains(samples) else {
            throw ValidationError("--samples is \(samples); expected 1 to \(GenerationRequest.samplesLimit).")
        }
        if seen < 1 { throw ValidationError("--seen is \(seen); expected 1 or more.") }
    }

    var recorded: RunDeclaration {
        RunDeclaration(
            model: model, seed: model.run.chosenSeed(),
            reads: [steering.pairs, steering.vector, topical, unrelated, cloze])
    }

    func report(to console: Console) async throws -> SteerEvaluateReport {
        let groups = try [("topical", topical), ("unrelated", unrelated)].compactMap { name, path in
            try path.map { (name: name, texts: try SteeringTexts.read($0)) }
        }
        let topic = try topic.map(SteeringTexts.words)
        let loaded = try model.load(console)
        let model = loaded.model
        let seed = self.model.run.chosenSeed()
        return try await model.namingDamagedWeights {
            let source = try await SteeringSource(steering, model, console)
            let vectors = try source.vectors.map { try SteerVectorCommand.scaled($0, coefficient, strength) }
            var answer = SteerEvaluateReport(model: loaded.name, source: source, vectors: vectors, seed: seed)
            let tokenizer = try model.tokenizer
            var meter = SteeringMeter(model)
            meter.keepsShifts = true
            meter.aligned =
                topic.map { SteeringEvaluation.aligned($0) { tokenizer.encode($0, addSpecialTokens: false) } }
                ?? []
            for group in groups {
                let ids = SteeringTexts.ids(group.texts, source.tokens, most: mostTokens, model)
                let effects = try await meter.effects(of: [vectors], on: ids) {
                    console.show(group.name, done: $0, total: $1, unit: "tokens")
                }
                guard let effect = effects.first, !effect.texts.isEmpty else {
                    throw SteeringError.nothingToScore(group: group.name)
                }
                answer.groups.append(
                    .init(
                        name: group.name, effect: effect,
                        bins: topic.map { SteeringEvaluation.bins(effect, texts: group.texts, topic: $0) }
                            ?? [],
                        shifts: effect.shifts(seen: seen).map { shift in
                            .init(
                                token: tokenizer.decode([shift.token]), id: shift.token, count: shift.count,
                                mean: shift.mean)
                        }))
            }
            if !prompt.isEmpty {
                answer.answers = try await answers(source, vectors, topic, model, seed, console)
            }
            if let cloze { answer.cloze = try await clozes(cloze, source, vectors, model, console) }
            return answer
        }
    }

    private func answers(
        _ source: SteeringSource, _ vectors: [SteeringVector], _ topic: TopicWords?, _ model: Model,
        _ seed: UInt64, _ console: Console
    ) async throws -> [SteerEvaluateReport.Answers] {
        let sentiment: SentimentWords? =
            if let good, let bad {
                SentimentWords(
                    positive: try SteeringTexts.words(good), negative: try SteeringTexts.words(bad))
            } else {
                nil
            }
        let prompts = prompt.map(source.tokens.ids)
        let longest = prompts.map(\.count).max() ?? 0
        try MemoryNeed(
            model: model, tokens: longest.addingSaturated(maxTokens),
            sequences: samples.multipliedSaturated(by: prompts.count),
            prefillChunk: self.model.run.prefillChunk
        ).refuseIfTooLarge()
        let generator = Generator(model: model, tokenizer: try model.tokenizer)
        let random = try vectors.enumerated().map {
            try $0.element.random(seed: seed &+ UInt64($0.offset))
        }
        var answers: [SteerEvaluateReport.Answers] = []
        for (name, vectors) in [("plain", []), ("steered", vectors), ("random", random)] {
            let completions = try await SteeredCompletions.draw(
                generator, prompts: prompts, vectors: vectors, samples: samples, maxTokens: maxTokens,
                sampling: sampling.settings(seed: seed)
            ) { console.show(name, done: $0, total: $1, unit: "answers") }
            answers.append(
                .init(
                    name: name, completions: completions,
                    share: topic.map(completions.share), words: topic.map(completions.meanWords),
                    sentiment: sentiment.map(completions.sentiment)))
        }
        return answers
    }

    private func clozes(
        _ path: String, _ source: SteeringSource, _ vectors: [SteeringVector], _ model: Model,
        _ console: Console
    ) async throws -> SteerEvaluateReport.Cloze {
        let tokenizer = try model.tokenizer
        var prompts: [[Int32]] = []
        var targets: [Int32] = []
        let lines = try TextSource.file(path).split(whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() where line.contains(where: { !$0.isWhitespace }) {
            guard let item = try? JSON.parse(String(line)), let prompt = item["prompt"]?.string,
                let target = item["target"]?.string
            else {
                throw CommandError.file(
                    path: path, reason: "line \(index + 1): expected {\"prompt\": ..., \"target\": ...}")
            }
            // Only targets of one token can be looked up in one prediction.
            let ids = tokenizer.encode(" " + target, addSpecialTokens: false)
            guard ids.count == 1 else { continue }
            prompts.append(source.tokens.ids(prompt))
            targets.append(ids[0])
        }
        let result = try await SteeringEvaluation.cloze(
            model, prompts: prompts, targets: targets, vectors: vectors, ranks: [1, 5, 10, 100]
        ) { console.show("cloze", done: $0, total: $1, unit: "prompts") }
        return .init(prompts: result.prompts, parts: result.parts)
    }
}
