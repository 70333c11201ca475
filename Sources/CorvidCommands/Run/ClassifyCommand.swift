import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidText

/// Says which label a classifier, or a language model that is shown examples, gives each text.
struct ClassifyCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Label texts with a classifier, or with a language model and some examples.",
        discussion: """
            For each --text, or for each line of --file, the label that is the most likely and its probability.

            If MODEL is a sequence classifier, its config.json names the labels. Where each label holds or not for \
            itself, all that are more likely than not are shown.

            Any language model classifies with --task or --labels, and better with --examples: it is asked how \
            probable the label words are behind a prompt that shows examples. Models prefer some words whatever \
            the text says; so their probabilities are divided by those which texts without content get: "N/A" and \
            the like (cc), or random words of the task's own texts (dc). Lines may be objects: \
            {"text": ..., "label": ...}, for two texts {"text_a": ..., "text_b": ..., "label": ...}. If all texts \
            have labels, the ways are compared by accuracy and macro-F1.

            Example: corvid classify path/to/classifier --text "A wonderful film."
            Example: corvid classify path/to/classifier --file reviews.txt --json
            Example: corvid classify --labels negative,positive --text "A wonderful film."
            Example: corvid classify --task sst2 --examples train.jsonl --shots 16 --file test.jsonl
            Example: corvid classify --task sst2 --examples train.jsonl --text "Fine." --output reviews.patch
            Example: corvid classify --with reviews.patch --text "A wonderful film."
            """)

    @OptionGroup var input: LineOptions
    @OptionGroup(title: "Language models") var fewShot: FewShotOptions
    @OptionGroup var plot: PlotOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    var recorded: RunDeclaration {
        RunDeclaration(
            model: model, seed: firstSeed,
            reads: [input.file, fewShot.examples, fewShot.corpus, fewShot.words],
            writes: [fewShot.destination, plot.path])
    }

    /// Start of the random numbers: the same examples unless others are asked for.
    var firstSeed: UInt64 { model.run.seed ?? 0 }

    func checkOptions() throws { try input.check() }

    func report(to console: Console) async throws -> ClassifyAnswer {
        let loaded = try model.load(console)
        let configuration = loaded.model.configuration
        guard configuration.output.isLabels || configuration.encoderLayers > 0 || !loaded.model.continuesText
        else {
            let saved = try SavedCalibration(loaded.patches)
            if let saved, !fewShot.isMeasured {
                return .saved(try await FewShotRun(self, saved.card, loaded).report(saved, to: console))
            }
            guard let card = try fewShot.card() ?? saved?.card else {
                throw ValidationError(
                    "\(loaded.name) is a language model, no classifier; name the classes with --labels or --task."
                )
            }
            return .fewShot(try await FewShotRun(self, card, loaded).report(to: console))
        }
        if fewShot.isUsed || plot.isWanted {
            throw ValidationError(
                "\(loaded.name) is no language model; --task, --labels and what goes with them are for these."
            )
        }
        return .classifier(try await labels(loaded, console))
    }

    private func labels(_ loaded: LoadedModel, _ console: Console) async throws -> ClassifyReport {
        let texts = try input.texts()
        let model = loaded.model
        var scores: [[Float]] = []
        try await input.inParts(texts, console) { some in
            let rows = try await model.classify(try some.map(model.sentence))
            scores += (0..<rows.rowCount).map { Array(rows.row($0)) }
        }
        return ClassifyReport(
            model: loaded.name, labels: model.configuration.labels, scoring: model.configuration.scoring,
            texts: texts, scores: scores)
    }
}

/// What the one or the other kind of model says.
enum ClassifyAnswer: Report {
    case classifier(ClassifyReport)
    case fewShot(FewShotReport)
    case saved(SavedFewShotReport)

    private var report: any Report {
        switch self {
        case .classifier(let report): report
        case .fewShot(let report): report
        case .saved(let report): report
        }
    }

    var json: JSON { report.json }
    var lines: String { report.lines }
}
