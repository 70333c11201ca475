/// How token vectors are asked for the letters of their tokens. The defaults are those of Kaushal and Mahowald
/// 2022, "What do tokens know about their characters and how do they know it?", unless a value says otherwise.
public struct CharacterProbeSettings: Sendable, Equatable {
    /// What reads the letters off a vector.
    public enum Probe: String, Sendable, CaseIterable, Codable {
        /// Linear, in closed form: all letters share one factorisation. Not in the paper.
        case ridge
        /// The paper's network, one for each letter.
        case mlp
    }

    /// Which tokens stand for the absence of a letter.
    public enum Selection: String, Sendable, CaseIterable, Codable {
        /// By the rule which also labels them; tokens of one lemma are grouped without regard to case.
        case clean
        /// As the authors' code: chosen by the token as it is written, labelled without regard to case, so that
        /// about 2 % of the negatives have the letter in upper case.
        case reference
    }

    /// What is probed instead of the model's vectors, to show what a probe finds where nothing is.
    public enum Control: String, Sendable, CaseIterable, Codable {
        /// Normal numbers of deviation ``controlDeviation``.
        case random
        /// Normal numbers of the vectors' own deviation.
        case scaled
        /// The model's own vectors, each at another token.
        case permuted
    }

    public var probe = Probe.ridge
    public var selection = Selection.clean
    /// Whether "A" is another letter than "a".
    public var isCaseSensitive = false
    public var controls = Control.allCases
    public var controlDeviation = 0.01
    /// The first seed; the paper's default.
    public var seed: UInt64 = 4214
    /// How often all is repeated, each time with the next seed, which drives split, balance and weights.
    public var repeats = 5
    /// Share of the lemmas whose tokens are tested.
    public var testShare = 0.2
    /// Share of the training tokens that are left out of training, to choose rates by.
    public var developmentShare = 0.2
    /// Letters with fewer positive tokens are skipped.
    public var fewestPositives = 50

    // The network.
    public var learningRate = 3e-4
    /// The paper's default is 5, with the same result many times slower.
    public var batch = 128
    public var epochs = 5
    public var dropout = 0.1
    /// Width of the hidden layers; nil: that of the vectors.
    public var hiddenWidth: Int?
    /// Whether columns get mean 0 and deviation 1 first, so that one learning rate fits all models.
    public var isStandardised = false

    /// Most pairs of tokens in the substring experiment, training and test together.
    public var pairs = 100_000

    /// Ridges to choose from by leave-one-out scores, as multiples of the mean variance of the columns times
    /// the number of tokens.
    public var ridges = [1e-4, 1e-3, 1e-2, 1e-1, 1]

    public init() {}
}
