import CorvidTensors

/// What somebody reaches who guesses.
public enum Chance {
    /// Confusion matrices of labels drawn uniformly from the classes that occur in `truth`, one for each round.
    /// Corvid draws several rounds, the paper's code one.
    /// - Throws: ``ScoringError``.
    public static func matrices(
        truth: [Int], classes: Int, rounds: Int = 100, seed: UInt64 = 0
    ) throws -> [ConfusionMatrix] {
        let present = Set(truth).sorted()
        let random = CounterRandom(seed: seed)
        return try (0..<max(1, rounds)).map { round in
            let guesses = truth.indices.map { index in
                let value = random.uniform(step: UInt64(round), index: UInt32(truncatingIfNeeded: index))
                return present[min(Int(value * Double(present.count)), present.count - 1)]
            }
            return try ConfusionMatrix(truth: truth, predictions: guesses, classes: classes)
        }
    }
}
