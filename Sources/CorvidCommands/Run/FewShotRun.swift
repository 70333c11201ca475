import ArgumentParser
import CorvidEditing
import CorvidEvaluation
import CorvidModels

/// Texts that a language model classifies after examples: from the options to the report.
struct FewShotRun {
    private let command: ClassifyCommand
    private let card: TaskCard
    private let loaded: LoadedModel

    init(_ command: ClassifyCommand, _ card: TaskCard, _ loaded: LoadedModel) {
        self.command = command
        self.card = card
        self.loaded = loaded
    }

    private var options: FewShotOptions { command.fewShot }
    private var firstSeed: UInt64 { command.firstSeed }
    /// Memory for the copies of the prompt that texts continue.
    private static let cacheBytes = 1 << 30
    /// Positions that a text takes in pages of its own, about.
    private static let ownPositions = 512

    func report(to console: Console) async throws -> FewShotReport {
        let items = try items(card)
        let pool = try options.pool(card)
        let shots = options.shots(of: pool)
        let isLabelled = items.allSatisfy { $0.label != nil }
        if command.plot.isWanted, !isLabelled {
            throw ValidationError("--plot compares methods; give texts whose labels are known.")
        }
        let corpus = try corpus(pool: pool, items: items)
        let model = loaded.model
        let classifier = FewShotClassifier(
            model, tokenizer: try model.tokenizer, card: card, settings: try options.settings(),
            scoring: try scoring(model))
        let seeds = (0..<options.seedCount(shots: shots, isLabelled: isLabelled)).map {
            firstSeed &+ UInt64($0)
        }
        var results: [FewShotResult] = []
        for (index, seed) in seeds.enumerated() {
            let shown = try Demonstrations.draw(shots, from: pool, card: card, seed: seed)
            let prefix = seeds.count > 1 ? "seed \(index + 1)/\(seeds.count): " : ""
            results.append(
                try await model.namingDamagedWeights {
                    try await classifier.run(
                        shown, texts: items.map(\.text), corpus: corpus.texts, seed: seed
                    ) { stage, done, total in
                        let unit = stage == "examples" ? "tokens" : "texts"
                        console.show(prefix + stage, done: done, total: total, unit: unit)
                    }
                })
        }
        var report = try FewShotReport(
            model: loaded.name, card: card, shots: shots, corpus: corpus, items: items, results: results,
            asked: options.calibrate.method, settings: classifier.settings)
        try command.plot.write(report.plot())
        if let path = options.destination, let first = results.first {
            try FewShotFile.write(
                SavedCalibration(first, card: card, method: report.choice.method, model: loaded.name), loaded,
                reads: [options.examples, options.corpus, command.input.file], report: report.measures,
                to: path)
            report.output = path
        }
        if !isLabelled { report.warnings.forEach(console.warn) }
        return report
    }

    /// Labels of texts by a calibration that a patch holds.
    func report(_ saved: SavedCalibration, to console: Console) async throws -> SavedFewShotReport {
        let model = loaded.model
        let card = try options.card() ?? card
        var shown = saved.demonstrations
        if options.examples != nil || options.shots != nil {
            let pool = try options.pool(card)
            shown = try Demonstrations.draw(options.shots(of: pool), from: pool, card: card, seed: firstSeed)
        }
        guard card.classNames == saved.card.classNames else {
            throw CalibrationError.saved(
                file: "the patch",
                reason: "it has the labels \(saved.card.classNames.joined(separator: ", "))")
        }
        if let warning = saved.warning(contextDigest: card.contextDigest(shown)) { console.warn(warning) }
        let items = try items(card)
        let classifier = FewShotClassifier(
            model, tokenizer: try model.tokenizer, card: card, scoring: try scoring(model))
        let masses = try await model.namingDamagedWeights {
            try await classifier.masses(shown, texts: items.map(\.text)) { stage, done, total in
                console.show(stage, done: done, total: total, unit: stage == "examples" ? "tokens" : "texts")
            }
        }
        return try SavedFewShotReport(model: loaded.name, saved: saved, items: items, masses: masses)
    }

    /// The texts to classify.
    private func items(_ card: TaskCard) throws -> [TaskExample] {
        var items = command.input.text.map { TaskExample(text: TaskText($0)) }
        if let file = command.input.file {
            items = try TaskExample.lines(try TextSource.file(file), file: file, card: card)
        }
        guard let limit = options.limit else { return items }
        return Demonstrations.part(limit, of: items, seed: 0)
    }

    /// Texts whose words make random texts; the texts to classify themselves if there are no others.
    private func corpus(pool: [TaskExample], items: [TaskExample]) throws -> FewShotReport.Corpus {
        if let corpus = options.corpus {
            let texts = try TaskExample.lines(try TextSource.file(corpus), file: corpus, card: card)
            return .init(name: "corpus", texts: texts.map(\.text))
        }
        return pool.isEmpty
            ? .init(name: "texts", texts: items.map(\.text))
            : .init(name: "examples", texts: pool.map(\.text))
    }

    private func scoring(_ model: Model) throws -> ContinuationScorerSettings {
        var scoring = ContinuationScorerSettings(
            bytes: Self.cacheBytes, cacheBytesPerPosition: model.cacheBytesPerPosition,
            positions: Self.ownPositions)
        scoring.rows = command.model.run.prefillChunk
        try MemoryNeed(
            model: model, tokens: Self.ownPositions, sequences: scoring.sequences + 1,
            prefillChunk: scoring.rows,
            besides: scoring.scoredRows.multipliedSaturated(by: model.vocabularySize)
                .multipliedSaturated(by: MemoryLayout<Float>.stride)
        ).refuseIfTooLarge()
        return scoring
    }
}
