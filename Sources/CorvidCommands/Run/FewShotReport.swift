import CorvidEditing
import CorvidEvaluation
import CorvidText

/// What a language model makes of texts after examples: their labels, and if these are known, how good it is.
struct FewShotReport: Report {
    /// Texts whose words make random texts.
    struct Corpus: Sendable {
        /// `corpus`, `examples` or `texts`.
        let name: String
        let texts: [TaskText]
    }

    let model: String
    let card: TaskCard
    let shots: Int
    let corpus: Corpus
    let items: [TaskExample]
    let results: [FewShotResult]
    let settings: CalibrationSettings
    /// How the labels were found that are shown.
    let choice: CalibrationChoice
    let isChosen: Bool
    /// Probabilities of each text by the method chosen, `[texts][classes]`, means over the seeds.
    let probabilities: [[Double]]
    /// nil if the labels are not known.
    let scores: FewShotScores?
    /// The patch that was written.
    var output: String?

    init(
        model: String, card: TaskCard, shots: Int, corpus: Corpus, items: [TaskExample],
        results: [FewShotResult], asked: CalibrationMethod?, settings: CalibrationSettings
    ) throws {
        self.model = model
        self.card = card
        self.shots = shots
        self.corpus = corpus
        self.items = items
        self.results = results
        self.settings = settings
        let automatic = CalibrationChoice(results.map(\.bias), settings: settings)
        isChosen = asked == nil
        choice = asked.map { CalibrationChoice(method: $0) } ?? automatic
        probabilities = try FewShotResult.meanProbabilities(choice.method, of: results)
        let truth = items.compactMap(\.label)
        scores =
            truth.count == items.count
            ? try FewShotScores(truth: truth, results: results, classes: card.labels.count) : nil
    }

    /// What the user should know before trusting the result.
    var warnings: [String] {
        var warnings: [String] = []
        if let scores {
            let absent = scores.absent.map { "\"\(card.classNames[$0])\"" }
            if !absent.isEmpty {
                warnings.append(
                    "no text has the label \(absent.joined(separator: ", ")), whose F1 of 0 counts in macro-F1"
                )
            }
        }
        let shown = Set(results.flatMap(\.shown))
        if !shown.isEmpty {
            warnings.append(
                "\(Figures.count(shown.count, "text")) to classify also \(shown.count == 1 ? "stands" : "stand") "
                    + "among the examples shown, with the label")
        }
        if corpus.name == "texts" {
            warnings.append(
                "random texts are made of the words of the texts to classify; give others with --corpus")
        }
        let long = (results.first?.labelPieces ?? []).filter { $0.count > 1 }
        if !long.isEmpty {
            let words = long.map { $0.joined(separator: "|") }.joined(separator: ", ")
            warnings.append(
                "some label words have several tokens, whose probabilities are multiplied:\(words)")
        }
        return warnings
    }
}

/// Measures of the methods side by side.
struct FewShotScores: Sendable {
    let chance: ClassificationScoreSummary
    let methods: [(method: CalibrationMethod, score: ClassificationScore)]
    /// Classes without a text.
    let absent: [Int]

    init(truth: [Int], results: [FewShotResult], classes: Int) throws {
        let guesses = try Chance.matrices(truth: truth, classes: classes)
        chance = ClassificationScoreSummary(
            accuracy: try Spread(guesses.map(\.accuracy)), macroF1: try Spread(guesses.map(\.macroF1)))
        methods = try CalibrationMethod.allCases.map { method in
            let predictions = try results.map { try $0.probabilities(method).predictions }
            return (
                method,
                try ClassificationScore(truth: truth, predictions: predictions, classes: classes)
            )
        }
        absent = guesses.first?.absent ?? []
    }
}

/// The two measures without their intervals.
struct ClassificationScoreSummary: Sendable {
    let accuracy: Spread
    let macroF1: Spread
}
