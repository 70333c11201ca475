/// How often a yes-or-no answer was right and wrong.
public struct ConfusionCounts: Sendable, Equatable {
    public var truePositives = 0
    public var falsePositives = 0
    public var falseNegatives = 0
    public var trueNegatives = 0

    public init() {}

    public mutating func add(predicted: Bool, actual: Bool) {
        switch (predicted, actual) {
        case (true, true): truePositives += 1
        case (true, false): falsePositives += 1
        case (false, true): falseNegatives += 1
        case (false, false): trueNegatives += 1
        }
    }

    public var count: Int { truePositives + falsePositives + falseNegatives + trueNegatives }

    /// 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0.
    public var positiveF1: Double { Self.f1(truePositives, falsePositives, falseNegatives) }
    /// The same with the answers exchanged.
    public var negativeF1: Double { Self.f1(trueNegatives, falseNegatives, falsePositives) }
    /// The mean of both, 0 to 1.
    public var macroF1: Double { (positiveF1 + negativeF1) / 2 }

    /// Macro-F1 as it would be with as many tokens of either kind, 0 to 1.
    public var balancedMacroF1: Double {
        let positives = Double(max(1, truePositives + falseNegatives))
        let negatives = Double(max(1, trueNegatives + falsePositives))
        let (hit, rejected) = (Double(truePositives) / positives, Double(trueNegatives) / negatives)
        let errors = (1 - hit) + (1 - rejected)
        func f1(_ rate: Double) -> Double { rate > 0 ? 2 * rate / (2 * rate + errors) : 0 }
        return (f1(hit) + f1(rejected)) / 2
    }

    private static func f1(_ hits: Int, _ wrong: Int, _ missed: Int) -> Double {
        let sum = 2 * hits + wrong + missed
        return sum > 0 ? 2 * Double(hits) / Double(sum) : 0
    }
}
