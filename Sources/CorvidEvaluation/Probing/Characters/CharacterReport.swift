/// What probing found. All scores are macro-F1 in points, 0 to 100; 50 is about chance.
public struct CharacterReport: Sendable, Equatable {
    /// What was probed: the model's vectors, or a control in their place.
    public struct Scores: Sendable, Equatable {
        /// One for each seed.
        public internal(set) var f1: RepeatedValue
        /// Of the tokens with the letter, and of those without.
        public internal(set) var positiveF1, negativeF1: RepeatedValue
    }

    public struct Letter: Sendable, Equatable {
        public let letter: Character
        /// Tokens that have it.
        public let positives: Int
        public internal(set) var model: Scores
        /// In the order of the settings' controls.
        public internal(set) var controls: [Scores]

        /// How much better the model's vectors are than those of the first control.
        public var gain: Double? { controls.first.map { model.f1.mean - $0.f1.mean } }
    }

    public struct Skipped: Sendable, Equatable {
        public let letter: Character
        public let positives: Int
    }

    public let settings: CharacterProbeSettings
    /// Ids of the vocabulary, tokens of letters among them, and groups of tokens with one lemma.
    public let vocabulary, tokens, groups: Int
    public let width: Int
    public internal(set) var letters: [Letter]
    /// Letters with too few tokens.
    public let skipped: [Skipped]
    /// Of ridge probes: the chosen ridge of each seed, and the leave-one-out score.
    public internal(set) var ridges: [Double] = []
    public internal(set) var leaveOneOut: RepeatedValue?

    /// The mean over the letters, for each seed.
    public var mean: RepeatedValue { Self.mean(letters.map(\.model.f1)) }

    /// The same of a control; nil if it was not asked for.
    public func mean(of control: CharacterProbeSettings.Control) -> RepeatedValue? {
        settings.controls.firstIndex(of: control).map { index in
            Self.mean(letters.map { $0.controls[index].f1 })
        }
    }

    /// The model's mean less that of normal numbers: the paper's knowledge gain.
    public var gap: RepeatedValue? { less(.random) }
    /// The model's mean less that of the same vectors at other tokens: what the probe itself does not bring.
    public var selectivity: RepeatedValue? { less(.permuted) }

    private func less(_ control: CharacterProbeSettings.Control) -> RepeatedValue? {
        mean(of: control).map { RepeatedValue(zip(mean.values, $0.values).map { $0 - $1 }) }
    }

    private static func mean(_ letters: [RepeatedValue]) -> RepeatedValue {
        let repeats = letters.map(\.values.count).min() ?? 0
        return RepeatedValue(
            (0..<repeats).map { seed in
                letters.reduce(0) { $0 + $1.values[seed] } / Double(letters.count)
            })
    }
}

extension CharacterReport.Scores {
    init(_ counts: [ConfusionCounts]) {
        f1 = RepeatedValue(counts.map { 100 * $0.macroF1 })
        positiveF1 = RepeatedValue(counts.map { 100 * $0.positiveF1 })
        negativeF1 = RepeatedValue(counts.map { 100 * $0.negativeF1 })
    }
}
