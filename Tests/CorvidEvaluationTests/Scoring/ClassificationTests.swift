import CorvidEvaluation
import Testing

@Suite struct ClassificationTests {
    @Test("accuracy and macro-F1 are those worked out by hand") func measures() throws {
        // Class 0: 3 items, 2 found, 1 false alarm: P = 2/3, R = 2/3, F1 = 2/3.
        // Class 1: 2 items, 1 found, 1 false alarm: P = R = 1/2, F1 = 1/2.
        // Class 2: 1 item, found, no false alarm: F1 = 1.
        let matrix = try ConfusionMatrix(
            truth: [0, 0, 0, 1, 1, 2], predictions: [0, 0, 1, 0, 1, 2], classes: 3)
        #expect(matrix.counts == [[2, 1, 0], [1, 1, 0], [0, 0, 1]])
        #expect(abs(matrix.accuracy - 4.0 / 6) < 1e-12)
        #expect(abs(matrix.macroF1 - (2.0 / 3 + 0.5 + 1) / 3) < 1e-12)
        #expect(matrix.absent.isEmpty && matrix.neverPredicted.isEmpty)
    }

    @Test("a class without items counts with an F1 of 0 and is named") func absentClass() throws {
        let matrix = try ConfusionMatrix(truth: [0, 1, 1], predictions: [0, 1, 1], classes: 3)
        #expect(matrix.accuracy == 1)
        #expect(abs(matrix.macroF1 - 2.0 / 3) < 1e-12)
        #expect(matrix.absent == [2] && matrix.neverPredicted == [2])
        #expect(matrix.f1(of: 2) == 0 && matrix.precision(of: 2) == 0 && matrix.recall(of: 2) == 0)
    }

    @Test("what cannot be scored is refused") func refused() {
        #expect(throws: ScoringError.noItems) {
            try ConfusionMatrix(truth: [], predictions: [], classes: 2)
        }
        #expect(throws: ScoringError.counts(truth: 2, predictions: 1)) {
            try ConfusionMatrix(truth: [0, 1], predictions: [0], classes: 2)
        }
        #expect(throws: ScoringError.label(index: 1, found: [2, 0], classes: 2)) {
            try ConfusionMatrix(truth: [0, 2], predictions: [0, 0], classes: 2)
        }
        #expect(throws: ScoringError.label(index: 0, found: [0, -1], classes: 2)) {
            try ConfusionMatrix(truth: [0], predictions: [-1], classes: 2)
        }
        #expect(throws: ScoringError.noItems) { try Spread([]) }
        #expect(throws: ScoringError.noItems) { try Bootstrap.interval(count: 0) { _ in 0 } }
        #expect(throws: ScoringError.notFinite) { try Bootstrap.interval(count: 1) { _ in .nan } }
    }

    @Test("mean, standard deviation and range of some values") func spread() throws {
        let spread = try Spread([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(spread.mean == 5 && spread.standardDeviation == 2)
        #expect(spread.minimum == 2 && spread.maximum == 9)
        #expect(try Spread([3]).standardDeviation == 0)
    }

    @Test("guesses are right in one of as many cases as there are classes in the set") func chance() throws {
        let truth = (0..<300).map { $0 % 3 }
        let matrices = try Chance.matrices(truth: truth, classes: 5)
        let accuracy = try Spread(matrices.map(\.accuracy))
        #expect(abs(accuracy.mean - 1.0 / 3) < 0.01)
        #expect(matrices.allSatisfy { $0.neverPredicted == [3, 4] })
        #expect(try Chance.matrices(truth: truth, classes: 5) == matrices)
        #expect(try Chance.matrices(truth: truth, classes: 5, seed: 1) != matrices)
    }

    @Test("an interval over resampled items is as wide as the theory of a mean says") func bootstrap() throws
    {
        // The mean of 400 items, half 0 and half 1: standard error sqrt(0.25 / 400) = 0.025.
        let values = (0..<400).map { Double($0 % 2) }
        let interval = try Bootstrap.interval(count: 400, rounds: 2_000) { chosen in
            chosen.reduce(0) { $0 + values[$1] } / 400
        }
        #expect(abs(interval.lowerBound - (0.5 - 1.96 * 0.025)) < 0.005)
        #expect(abs(interval.upperBound - (0.5 + 1.96 * 0.025)) < 0.005)
        let same = try Bootstrap.interval(count: 5) { _ in 0.25 }
        #expect(same == 0.25...0.25)
    }

    @Test("a score over seeds holds the spread of each measure and intervals around the means")
    func score() throws {
        let truth = (0..<200).map { $0 % 2 }
        let good = truth.enumerated().map { $0 % 10 == 0 ? 1 - $1 : $1 }
        let bad = truth.map { _ in 0 }
        let score = try ClassificationScore(
            truth: truth, predictions: [good, bad], classes: 2, bootstrapRounds: 200)
        #expect(score.accuracy.values == [0.9, 0.5])
        #expect(abs(score.macroF1.values[1] - 1.0 / 3) < 1e-12)
        #expect(score.accuracyInterval.contains(score.accuracy.mean))
        #expect(score.macroF1Interval.contains(score.macroF1.mean))
        #expect(score.accuracyInterval.upperBound - score.accuracyInterval.lowerBound < 0.12)
        #expect(throws: ScoringError.noItems) {
            try ClassificationScore(truth: truth, predictions: [], classes: 2)
        }
    }
}
