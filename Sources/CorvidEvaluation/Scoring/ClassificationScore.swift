/// How well predictions of one method hit, over several seeds.
public struct ClassificationScore: Sendable, Equatable {
    /// One for each seed.
    public let matrices: [ConfusionMatrix]
    public let accuracy: Spread
    public let macroF1: Spread
    /// 95 % intervals over resampled items of the mean over the seeds.
    public let accuracyInterval: ClosedRange<Double>
    public let macroF1Interval: ClosedRange<Double>

    /// - Parameters:
    ///   - truth: the right class of each item, `[items]`.
    ///   - predictions: `[seeds][items]`, at least one seed.
    /// - Throws: ``ScoringError``.
    public init(
        truth: [Int], predictions: [[Int]], classes: Int, bootstrapRounds: Int = 1_000, seed: UInt64 = 0
    ) throws {
        matrices = try predictions.map {
            try ConfusionMatrix(truth: truth, predictions: $0, classes: classes)
        }
        accuracy = try Spread(matrices.map(\.accuracy))
        macroF1 = try Spread(matrices.map(\.macroF1))
        func interval(_ measure: (ConfusionMatrix) -> Double) throws -> ClosedRange<Double> {
            try Bootstrap.interval(count: truth.count, rounds: bootstrapRounds, seed: seed) { chosen in
                let drawn = chosen.map { truth[$0] }
                let values = try predictions.map { row in
                    measure(
                        try ConfusionMatrix(
                            truth: drawn, predictions: chosen.map { row[$0] }, classes: classes))
                }
                return values.reduce(0, +) / Double(values.count)
            }
        }
        accuracyInterval = try interval(\.accuracy)
        macroF1Interval = try interval(\.macroF1)
    }
}
