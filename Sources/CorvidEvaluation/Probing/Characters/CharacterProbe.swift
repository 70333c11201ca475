import CorvidTensors

/// Asks vectors of tokens, letter by letter, whether the letter is in the token.
///
/// Source: Kaushal and Mahowald 2022, "What do tokens know about their characters and how do they know it?".
/// Results depend on the seed, not on the number of threads.
public struct CharacterProbe: Sendable {
    public let vocabulary: ProbeVocabulary
    public let settings: CharacterProbeSettings
    /// The letters that occur often enough, and those that do not.
    public let letters: [Character]
    public let skipped: [CharacterReport.Skipped]
    let presence: LetterPresence
    /// Groups of tokens that stay together in a split.
    let groups: [[Int]]

    /// - Parameters:
    ///   - vocabulary: the tokens.
    ///   - letters: those to probe; nil: a to z, or those of `script` that are frequent enough.
    ///   - script: nil: the experiment with English letters, whose tokens are split by lemma; else the
    ///     experiment with the letters of a script, whose tokens are split one by one.
    ///   - lemmas: lemmas by word, before those of ``NounLemmas``.
    /// - Throws: ``CharacterProbeError`` for letters that are none, for settings that make no sense, and if no
    ///   letter is frequent enough.
    public init(
        _ vocabulary: ProbeVocabulary, letters: [Character]? = nil, script: TokenScript? = nil,
        lemmas: [String: String] = [:], settings: CharacterProbeSettings = CharacterProbeSettings()
    ) throws(CharacterProbeError) {
        try settings.check()
        self.vocabulary = vocabulary
        self.settings = settings
        let alphabet = script ?? .latin
        if let wrong = letters?.first(where: { !alphabet.writes(String($0).lowercased()) }) {
            let named = script.map { "\($0.rawValue) script" } ?? "a to z"
            throw .letter(String(wrong), alphabet: named)
        }
        let wanted =
            letters
            ?? (script.map { vocabulary.letters(in: $0, fewest: settings.fewestPositives) }
                ?? (UInt8(ascii: "a")...UInt8(ascii: "z")).map { Character(Unicode.Scalar($0)) })
        var seen: Set<Character> = []
        let distinct = wanted.filter { seen.insert($0).inserted }
        let all = LetterPresence(distinct, in: vocabulary.tokens)
        let counts = distinct.indices.map { all.count($0, isCaseSensitive: settings.isCaseSensitive) }
        let kept = distinct.indices.filter {
            // Both kinds are needed.
            counts[$0] >= settings.fewestPositives
                && vocabulary.tokens.count - counts[$0] >= settings.fewestPositives
        }
        skipped = distinct.indices.filter { !kept.contains($0) }.map {
            CharacterReport.Skipped(letter: distinct[$0], positives: counts[$0])
        }
        self.letters = kept.map { distinct[$0] }
        guard !kept.isEmpty else { throw .noLetters(fewest: settings.fewestPositives) }
        presence = LetterPresence(self.letters, in: vocabulary.tokens)
        if script == nil {
            groups = TokenSplit.groups(
                NounLemmas.keys(of: vocabulary.tokens, table: lemmas, selection: settings.selection))
        } else {
            groups = vocabulary.tokens.indices.map { [$0] }
        }
    }

    /// Probes the vectors of the vocabulary's tokens, and the controls.
    /// - Throws: `LinearAlgebraError`, `CancellationError`, ``CharacterProbeError/notFinite(id:piece:)``.
    public func run(
        on vectors: TokenVectors, pool: WorkerPool,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> CharacterReport {
        precondition(vectors.count == vocabulary.tokens.count, "each token must have a vector")
        try vectors.checkFinite(vocabulary)
        let vectors = settings.isStandardised ? vectors.standardised() : vectors
        let subjects = 1 + settings.controls.count
        let counter = ProbeRun.Counter(total: settings.repeats * subjects * letters.count, progress)
        // By repetition, subject and letter.
        var found: [[[ConfusionCounts]]] = []
        var ridges: [Double] = []
        var leaveOneOut: [Double] = []
        for repetition in 0..<settings.repeats {
            let random = ProbeRandom(seed: settings.seed &+ UInt64(repetition))
            let round = try await ProbeRun.run(on: pool) { workers, isCancelled in
                try Round(self, vectors, random).run(workers, isCancelled, counter)
            }
            found.append(round.counts)
            if let ridge = round.ridge { ridges.append(ridge) }
            if let score = round.leaveOneOut { leaveOneOut.append(100 * score) }
        }
        func scores(_ subject: Int, _ letter: Int) -> CharacterReport.Scores {
            CharacterReport.Scores(found.map { $0[subject][letter] })
        }
        return CharacterReport(
            settings: settings, vocabulary: vocabulary.size, tokens: vocabulary.tokens.count,
            groups: groups.count, width: vectors.width,
            letters: letters.indices.map { letter in
                CharacterReport.Letter(
                    letter: letters[letter],
                    positives: presence.count(letter, isCaseSensitive: settings.isCaseSensitive),
                    model: scores(0, letter), controls: (1..<subjects).map { scores($0, letter) })
            }, skipped: skipped, ridges: ridges,
            leaveOneOut: leaveOneOut.isEmpty ? nil : RepeatedValue(leaveOneOut))
    }

    /// The split of one seed.
    public func split(seed: UInt64) -> TokenSplit {
        split(ProbeRandom(seed: seed))
    }

    func split(_ random: ProbeRandom) -> TokenSplit {
        TokenSplit(
            groups: groups, order: random.order(groups.count, .groups), testShare: settings.testShare)
    }

    /// Training and test examples of one letter.
    func examples(
        _ letter: Int, _ split: TokenSplit, _ random: ProbeRandom
    ) -> (
        training: LetterExamples, test: LetterExamples
    ) {
        func examples(_ places: [Int], _ half: UInt32) -> LetterExamples {
            LetterExamples(
                letter, among: places, presence: presence, selection: settings.selection,
                isCaseSensitive: settings.isCaseSensitive
            ) { random.shuffle(&$0, .examples, index: UInt32(letter) * 2 + half) }
        }
        return (examples(split.training, 0), examples(split.test, 1))
    }
}

/// One repetition: a split, and all probes of it.
private struct Round: Sendable {
    struct Outcome: Sendable {
        /// By subject and letter.
        var counts: [[ConfusionCounts]]
        var ridge, leaveOneOut: Double?
    }

    let probe: CharacterProbe
    let vectors: TokenVectors
    let random: ProbeRandom
    let split: TokenSplit
    let examples: [(training: LetterExamples, test: LetterExamples)]

    init(_ probe: CharacterProbe, _ vectors: TokenVectors, _ random: ProbeRandom) {
        self.probe = probe
        self.vectors = vectors
        self.random = random
        let split = probe.split(random)
        self.split = split
        examples = probe.letters.indices.map { probe.examples($0, split, random) }
    }

    func run(
        _ workers: Workers, _ isCancelled: @Sendable () -> Bool, _ counter: ProbeRun.Counter
    ) throws -> Outcome {
        switch probe.settings.probe {
        case .ridge: try ridge(workers, isCancelled, counter)
        case .mlp: try networks(workers, isCancelled, counter)
        }
    }

    private var subjects: [TokenVectors] {
        [vectors]
            + probe.settings.controls.map {
                vectors.control($0, deviation: probe.settings.controlDeviation, random: random)
            }
    }

    private func ridge(
        _ workers: Workers, _ isCancelled: @Sendable () -> Bool, _ counter: ProbeRun.Counter
    ) throws -> Outcome {
        let labels = probe.letters.indices.map {
            probe.presence.labels($0, isCaseSensitive: probe.settings.isCaseSensitive)
        }
        var outcome = Outcome(counts: [])
        for (place, subject) in subjects.enumerated() {
            let ridge = try RidgeProbe(
                subject, places: split.training, labels: labels, ridges: probe.settings.ridges,
                workers: workers, isCancelled: isCancelled)
            outcome.counts.append(
                try ProbeRun.jobs(
                    Array(probe.letters.indices), workers: workers, work: { examples[$0].test.examples.count }
                ) { letter in
                    ridge.test(examples[letter].test.examples, letter: letter, of: subject)
                })
            counter.add(probe.letters.count)
            if place == 0 { (outcome.ridge, outcome.leaveOneOut) = (ridge.ridge, ridge.leaveOneOut) }
        }
        return outcome
    }

    private func networks(
        _ workers: Workers, _ isCancelled: @Sendable () -> Bool, _ counter: ProbeRun.Counter
    ) throws -> Outcome {
        let subjects = subjects
        let settings = probe.settings
        let schedule = ProbeSchedule(
            learningRate: settings.learningRate, batch: settings.batch, epochs: settings.epochs)
        let jobs = subjects.indices.flatMap { subject in
            probe.letters.indices.map { (subject: subject, letter: $0) }
        }
        let counts = try ProbeRun.jobs(
            jobs, workers: workers, work: { examples[$0.letter].training.examples.count }
        ) { job in
            let training = examples[job.letter].training.examples
            // The rest is the development set, from which nothing is learned.
            let learned = Int((Double(training.count) * (1 - settings.developmentShare)).rounded(.down))
            let index = UInt32(job.letter)
            var network = ProbeNetwork<Float>.characterProbe(
                inputs: vectors.width, hidden: settings.hiddenWidth ?? vectors.width,
                dropout: settings.dropout, random: random, index: index)
            try network.train(
                ProbeExamples(training[..<learned]), of: subjects[job.subject], schedule, random: random,
                index: index, isCancelled: isCancelled)
            let counts = try network.test(
                ProbeExamples(examples[job.letter].test.examples[...]), of: subjects[job.subject])
            counter.add()
            return counts
        }
        let letters = probe.letters.count
        return Outcome(
            counts: subjects.indices.map { Array(counts[$0 * letters..<($0 + 1) * letters]) })
    }
}

extension NounLemmas {
    /// The lemma of each token, by which they are grouped.
    static func keys(
        of tokens: [ProbeToken], table: [String: String], selection: CharacterProbeSettings.Selection
    ) -> [String] {
        let lemmas = NounLemmas(words: tokens.map(\.word), table: table)
        return tokens.map { token in
            if let lemma = table[token.piece] { return selection == .clean ? lemma.lowercased() : lemma }
            return lemmas.lemma(of: selection == .clean ? token.folded : token.word)
        }
    }
}

extension CharacterProbeSettings {
    /// - Throws: ``CharacterProbeError/setting(name:found:expected:)``.
    func check() throws(CharacterProbeError) {
        func require(
            _ holds: Bool, _ name: String, _ found: some CustomStringConvertible, _ expected: String
        )
            throws(CharacterProbeError)
        {
            guard holds else {
                throw .setting(name: name, found: found.description, expected: expected)
            }
        }
        try require(repeats >= 1, "the number of repeats", repeats, "1 or more")
        try require(testShare > 0 && testShare < 1, "the test share", testShare, "more than 0, less than 1")
        try require(
            developmentShare >= 0 && developmentShare < 1, "the development share", developmentShare,
            "0 or more, less than 1")
        try require(fewestPositives >= 2, "the fewest positives", fewestPositives, "2 or more")
        try require(
            learningRate > 0 && learningRate.isFinite, "the learning rate", learningRate, "more than 0")
        try require(batch >= 1, "the batch", batch, "1 or more")
        try require(epochs >= 1, "the number of epochs", epochs, "1 or more")
        try require(dropout >= 0 && dropout < 1, "the dropout", dropout, "0 or more, less than 1")
        try require(pairs >= 2, "the number of pairs", pairs, "2 or more")
        try require(hiddenWidth ?? 1 >= 1, "the hidden width", hiddenWidth ?? 0, "1 or more")
        try require(
            controlDeviation > 0 && controlDeviation.isFinite, "the control's deviation", controlDeviation,
            "more than 0")
        try require(
            !ridges.isEmpty && ridges.allSatisfy { $0 > 0 && $0.isFinite }, "a ridge",
            ridges.first { !($0 > 0 && $0.isFinite) } ?? 0, "more than 0")
    }
}
