import CorvidModels
import CorvidText

/// Classifies texts with a language model that is shown some examples, and measures its label biases.
///
///     let classifier = FewShotClassifier(model, tokenizer: tokenizer, card: card)
///     let result = try await classifier.run(demonstrations, texts: texts, corpus: corpus, seed: 0)
///     let labels = try result.probabilities(.domain).predictions
///
/// For each set of examples the prompt is run once; each text, and each text without content, costs its own
/// tokens. The biases do not depend on the texts, nor the other way round.
public struct FewShotClassifier<SomeModel: LanguageModel>: Sendable {
    public let model: SomeModel
    public let tokenizer: any Tokenizer
    public let card: TaskCard
    public let settings: CalibrationSettings
    public let scoring: ContinuationScorerSettings

    public init(
        _ model: SomeModel, tokenizer: any Tokenizer, card: TaskCard,
        settings: CalibrationSettings = CalibrationSettings(),
        scoring: ContinuationScorerSettings = ContinuationScorerSettings()
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.card = card
        self.settings = settings
        self.scoring = scoring
    }

    /// Is called with what is being done, how much of it, and in all.
    public typealias Progress = @Sendable (_ stage: String, _ done: Int, _ total: Int) -> Void

    /// The biases of a prompt with these examples, and the masses of the labels of `texts`.
    ///
    /// - Parameters:
    ///   - demonstrations: see ``Demonstrations/draw(_:from:card:seed:)``.
    ///   - texts: may be none.
    ///   - corpus: texts of the task without labels, whose words make random texts.
    ///   - seed: of the random texts.
    /// - Throws: ``CalibrationError``, or what the model throws.
    public func run(
        _ demonstrations: [TaskExample], texts: [TaskText], corpus: [TaskText], seed: UInt64,
        progress: Progress = { _, _, _ in }
    ) async throws -> FewShotResult {
        try settings.validate()
        let scorer = try await scorer(demonstrations, progress)
        let bias = try await bias(scorer, corpus: corpus, seed: seed, progress)
        let masses = try await scorer.masses(of: texts) { progress("texts", $0, $1) }
        return FewShotResult(
            seed: seed, demonstrations: demonstrations, contextDigest: scorer.contextDigest,
            contextTokens: scorer.contextTokens, labelPieces: scorer.labelPieces, bias: bias, masses: masses,
            shown: Demonstrations.shown(among: texts, demonstrations))
    }

    /// The masses of the labels of `texts` alone.
    public func masses(
        _ demonstrations: [TaskExample], texts: [TaskText], progress: Progress = { _, _, _ in }
    ) async throws -> [[Double]] {
        try await scorer(demonstrations, progress).masses(of: texts) { progress("texts", $0, $1) }
    }

    private func scorer(
        _ demonstrations: [TaskExample], _ progress: Progress
    ) async throws -> LabelScorer<SomeModel> {
        try await LabelScorer(
            model, tokenizer: tokenizer, card: card, demonstrations: demonstrations, settings: scoring
        ) { progress("examples", $0, $1) }
    }

    private func bias(
        _ scorer: LabelScorer<SomeModel>, corpus: [TaskText], seed: UInt64, _ progress: Progress
    ) async throws -> LabelBias {
        let random = try RandomTexts(corpus: corpus, english: settings.english, seed: seed)
        let contextual = random.texts(.contextual, 0..<3)
        let domain = random.texts(.domain, 0..<settings.randomTexts)
        let english = random.texts(.english, 0..<settings.randomTexts)
        let masses = try await scorer.masses(of: contextual + domain + english) {
            progress("texts without content", $0, $1)
        }
        let rest = masses.dropFirst(contextual.count)
        return LabelBias(
            vanilla: try await vanilla(scorer), contextual: try prior(Array(masses.prefix(contextual.count))),
            domain: try await precise(
                Array(rest.prefix(domain.count)), .domain, random, scorer, progress),
            english: try await precise(
                Array(rest.dropFirst(domain.count)), .english, random, scorer, progress))
    }

    private func prior(_ masses: [[Double]]) throws -> ContentFreePrior {
        try ContentFreePrior(masses: masses, averaging: settings.averaging, classNames: card.classNames)
    }

    /// The prior over as many random texts as the tolerance asks for.
    private func precise(
        _ masses: [[Double]], _ kind: RandomTexts.Kind, _ random: RandomTexts,
        _ scorer: LabelScorer<SomeModel>, _ progress: Progress
    ) async throws -> ContentFreePrior {
        var masses = masses
        var prior = try prior(masses)
        guard let tolerance = settings.tolerance else { return prior }
        while masses.count < settings.mostRandomTexts,
            masses.count < 2 || prior.standardErrors.contains(where: { $0 > tolerance })
        {
            let more = min(masses.count, settings.mostRandomTexts - masses.count)
            let texts = random.texts(kind, masses.count..<masses.count + more)
            masses += try await scorer.masses(of: texts) { progress("texts without content", $0, $1) }
            prior = try self.prior(masses)
        }
        return prior
    }

    /// What the model says to the bare prompt.
    private func vanilla(_ scorer: LabelScorer<SomeModel>) async throws -> ContentFreePrior {
        let bare = scorer.demonstrations.isEmpty ? scorer : try await self.scorer([]) { _, _, _ in }
        return try prior(try await bare.masses(of: [TaskText("", card.pair == nil ? nil : "")]))
    }
}

/// What a prompt with one set of examples gave.
public struct FewShotResult: Sendable {
    public let seed: UInt64
    public let demonstrations: [TaskExample]
    /// Of the prompt whose biases these are.
    public let contextDigest: Digest
    /// Tokens that all prompts share.
    public let contextTokens: Int
    /// What the tokens of each label word spell, `[words][tokens]`.
    public let labelPieces: [[String]]
    public let bias: LabelBias
    /// P(y | text), `[texts][classes]`, before anything is normalised.
    public let masses: [[Double]]
    /// Indices of texts that the prompt shows as examples.
    public let shown: [Int]

    /// Probabilities that add up to 1, `[texts][classes]`.
    /// - Throws: ``CalibrationError/noMass(index:)``.
    public func probabilities(_ method: CalibrationMethod) throws -> [[Double]] {
        guard let prior = bias.prior(method) else { return try ContentFreePrior.normalised(masses) }
        return try prior.calibrated(masses)
    }

    /// The means of the probabilities over the results of several sets of examples, `[texts][classes]`.
    /// - Throws: ``CalibrationError/noMass(index:)``.
    public static func meanProbabilities(
        _ method: CalibrationMethod, of results: [FewShotResult]
    ) throws -> [[Double]] {
        guard var sums = try results.first?.probabilities(method) else { return [] }
        for result in results.dropFirst() {
            for (text, row) in try result.probabilities(method).enumerated() {
                for (label, value) in row.enumerated() { sums[text][label] += value }
            }
        }
        return sums.map { row in row.map { $0 / Double(results.count) } }
    }
}
