import CorvidTensors

/// Chooses a token from a row of logits: the steps in order, then the best candidate or a random one.
///
/// The choice is a function of (logits, history, seed, sample, position) and of nothing else.
public struct Sampler: Sendable {
    public let steps: [any LogitsStep]
    /// Whether the best candidate is taken rather than a random one.
    public let isGreedy: Bool
    /// How many tokens the tokenizer has; further columns of the logits are never chosen.
    public let size: Int
    /// Which of several samples this is: its stream of random numbers.
    public let sample: Int
    private let random: CounterRandom

    /// - Parameters:
    ///   - steps: applied before those of `settings`.
    ///   - size: how many tokens the tokenizer has.
    ///   - sample: index of the sample, from 0.
    public init(settings: SamplingSettings, steps: [any LogitsStep] = [], size: Int, sample: Int = 0) {
        self.steps = steps + settings.steps
        self.isGreedy = settings.isGreedy
        self.size = size
        self.sample = sample
        self.random = CounterRandom(seed: settings.seed)
    }

    /// The next token.
    /// - Parameters:
    ///   - row: the model's logits, `[vocabulary]`.
    ///   - history: tokens so far, which penalties look at.
    ///   - position: where in its sequence the token will stand; the step of the random numbers.
    /// - Throws: ``GenerationError/notFinite(position:)``, ``GenerationError/nothingToChoose(position:)``.
    public func choose(from row: ArraySlice<Float>, history: TokenHistory, position: Int) throws -> Int32 {
        guard var candidates = Candidates(row: row, count: size) else {
            throw GenerationError.notFinite(position: position)
        }
        for step in steps { step.apply(to: &candidates, history: history) }
        let entry = isGreedy ? candidates.best : draw(from: candidates, position: position)
        guard let entry else { throw GenerationError.nothingToChoose(position: position) }
        return candidates.id(at: entry)
    }

    /// The entry at which the cumulated probability passes one uniform number, entries in ascending order.
    private func draw(from candidates: Candidates, position: Int) -> Int? {
        let weights = candidates.weights()
        var total = 0.0
        for weight in weights { total += weight }
        let uniform = random.uniform(
            stream: UInt32(truncatingIfNeeded: sample), step: UInt64(truncatingIfNeeded: position))
        let target = uniform * total
        var sum = 0.0
        var last: Int?
        for (entry, weight) in weights.enumerated() where weight > 0 {
            sum += weight
            last = entry
            if target < sum { return entry }
        }
        return last
    }
}
