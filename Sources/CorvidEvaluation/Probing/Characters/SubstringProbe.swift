import CorvidTensors

/// Asks two vectors whether the second token is spelled within the first: one network for all pairs.
///
/// The bound is the same network over the letters that both tokens have, which is what vectors that knew them
/// perfectly could tell. Source: as ``CharacterProbe``, section "substring".
public struct SubstringProbe: Sendable {
    public let vocabulary: ProbeVocabulary
    public let settings: CharacterProbeSettings
    private let spellings: SubstringPairs.Spellings
    private let groups: [[Int]]

    /// Width of the bound's layers.
    private static let boundWidth = 1000
    private static let fewestTokens = 20

    /// - Throws: ``CharacterProbeError`` for settings that make no sense and a vocabulary that is too small.
    public init(
        _ vocabulary: ProbeVocabulary, lemmas: [String: String] = [:], settings: CharacterProbeSettings
    ) throws(CharacterProbeError) {
        try settings.check()
        self.vocabulary = vocabulary
        self.settings = settings
        spellings = SubstringPairs.Spellings(vocabulary, selection: settings.selection)
        guard spellings.places.count >= Self.fewestTokens else {
            throw .tooFew(
                what: "lower-case tokens", found: spellings.places.count, fewest: Self.fewestTokens)
        }
        let keys = NounLemmas.keys(of: vocabulary.tokens, table: lemmas, selection: settings.selection)
        let places = spellings.places
        groups = TokenSplit.groups(places.map { keys[$0] }).map { group in group.map { places[$0] } }
    }

    /// - Throws: `LinearAlgebraError`, `CancellationError`, ``CharacterProbeError``.
    public func run(
        on vectors: TokenVectors, pool: WorkerPool,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> SubstringReport {
        precondition(vectors.count == vocabulary.tokens.count, "each token must have a vector")
        try vectors.checkFinite(vocabulary)
        let vectors = settings.isStandardised ? vectors.standardised() : vectors
        let subjects = 2 + settings.controls.count
        let counter = ProbeRun.Counter(total: settings.repeats * subjects, progress)
        var report = SubstringReport(settings: settings, tokens: spellings.places.count)
        var found: [[ConfusionCounts]] = []
        for repetition in 0..<settings.repeats {
            let random = ProbeRandom(seed: settings.seed &+ UInt64(repetition))
            let (training, test) = pairs(random)
            guard !training.labels.isEmpty, !test.labels.isEmpty else {
                throw CharacterProbeError.tooFew(
                    what: "pairs of tokens", found: training.labels.count + test.labels.count, fewest: 2)
            }
            report.trainingPairs = training.labels.count
            report.testPairs = test.labels.count
            found.append(
                try await ProbeRun.run(on: pool) { workers, isCancelled in
                    let subjects =
                        [vectors]
                        + settings.controls.map {
                            vectors.control($0, deviation: settings.controlDeviation, random: random)
                        } + [letters]
                    return try ProbeRun.jobs(
                        Array(subjects.indices), workers: workers, work: { $0 == subjects.count - 1 ? 2 : 1 }
                    ) { subject in
                        let counts = try probe(
                            subjects[subject], isBound: subject == subjects.count - 1, training, test,
                            random, isCancelled)
                        counter.add()
                        return counts
                    }
                })
        }
        func value(_ subject: Int) -> RepeatedValue {
            RepeatedValue(found.map { 100 * $0[subject].macroF1 })
        }
        report.f1 = value(0)
        report.controls = settings.controls.indices.map { value($0 + 1) }
        report.bound = value(subjects - 1)
        return report
    }

    /// Pairs whose longer tokens have lemmas of either half.
    func pairs(_ random: ProbeRandom) -> (training: SubstringPairs, test: SubstringPairs) {
        let split = TokenSplit(
            groups: groups, order: random.order(groups.count, .groups), testShare: settings.testShare)
        let most = Double(settings.pairs)
        return (
            SubstringPairs(
                split.training, among: spellings, most: Int(most * (1 - settings.testShare)), random: random,
                half: 0),
            SubstringPairs(
                split.test, among: spellings, most: Int(most * settings.testShare), random: random, half: 1)
        )
    }

    /// The letters that each token has, as numbers.
    private var letters: TokenVectors {
        TokenVectors(
            vocabulary.tokens.flatMap { token in
                let present = Set(token.folded.utf8)
                return (UInt8(ascii: "a")...UInt8(ascii: "z")).map { present.contains($0) ? Float(1) : 0 }
            }, width: 26)
    }

    private func probe(
        _ vectors: TokenVectors, isBound: Bool, _ training: SubstringPairs, _ test: SubstringPairs,
        _ random: ProbeRandom, _ isCancelled: () -> Bool
    ) throws -> ConfusionCounts {
        let inputs = 2 * vectors.width
        let bound = settings.hiddenWidth ?? Self.boundWidth
        var network =
            isBound
            ? ProbeNetwork<Float>(
                widths: [inputs, bound, bound, bound, 1], activations: [.relu, .selu, .tanh, .identity],
                dropout: settings.dropout, random: random, index: 1)
            : ProbeNetwork<Float>.characterProbe(
                inputs: inputs, hidden: settings.hiddenWidth ?? vectors.width, dropout: settings.dropout,
                random: random, index: 0)
        let schedule = ProbeSchedule(
            learningRate: settings.learningRate, batch: settings.batch, epochs: settings.epochs)
        try network.train(
            training.examples, of: vectors, schedule, random: random, index: isBound ? 1 : 0,
            isCancelled: isCancelled)
        return try network.test(test.examples, of: vectors)
    }
}

/// What ``SubstringProbe`` found; scores are macro-F1 in points.
public struct SubstringReport: Sendable, Equatable {
    public let settings: CharacterProbeSettings
    /// Lower-case tokens.
    public let tokens: Int
    /// Of the last repetition.
    public internal(set) var trainingPairs = 0, testPairs = 0
    public internal(set) var f1 = RepeatedValue([])
    /// In the order of the settings' controls.
    public internal(set) var controls: [RepeatedValue] = []
    /// Of the letters of both tokens.
    public internal(set) var bound = RepeatedValue([])
}
