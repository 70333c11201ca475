import CorvidTensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What networks learn from: rows of a table that are put together, and answers.
struct ProbeExamples: Sendable {
    /// Rows of the table in each example, one after the other.
    let rowsEach: Int
    /// Places of rows, `rowsEach` for each example.
    let places: [Int]
    let labels: [Bool]

    var count: Int { labels.count }

    /// The examples `range` as numbers, `[range, rowsEach · width]`.
    func inputs<Number: NetworkNumber>(_ range: Range<Int>, of vectors: TokenVectors) -> [Number] {
        Number.gather(
            vectors.values, width: vectors.width,
            places[range.lowerBound * rowsEach..<range.upperBound * rowsEach])
    }
}

extension ProbeExamples {
    init(_ letter: ArraySlice<LetterExamples.Example>) {
        self.init(rowsEach: 1, places: letter.map(\.place), labels: letter.map(\.label))
    }
}

/// How a network is trained.
struct ProbeSchedule: Sendable {
    var learningRate: Double
    var batch: Int
    var epochs: Int
}

extension ProbeNetwork {
    /// Trains by Adam on the examples, in the same order in each epoch.
    /// - Parameter index: tells networks of one seed apart.
    mutating func train(
        _ examples: ProbeExamples, of vectors: TokenVectors, _ schedule: ProbeSchedule, random: ProbeRandom,
        index: UInt32, isCancelled: () -> Bool
    ) throws {
        var weightMoments = layers.map { AdamMoments<Number>(count: $0.weights.count) }
        var biasMoments = layers.map { AdamMoments<Number>(count: $0.outputs) }
        let lastWidth = layers.last?.inputs ?? 0
        var step = AdamStep(learningRate: schedule.learningRate, number: 0)
        for _ in 0..<schedule.epochs {
            for start in stride(from: 0, to: examples.count, by: schedule.batch) {
                if isCancelled() { throw CancellationError() }
                let range = start..<min(start + schedule.batch, examples.count)
                step.number += 1
                let mask: [Number]? =
                    dropout > 0
                    ? Number.dropoutMask(
                        count: range.count * lastWidth, rate: dropout, random: random.random,
                        stream: ProbeRandom.Use.dropout.rawValue &+ index << 8, step: UInt64(step.number))
                    : nil
                let gradient = try gradient(
                    examples.inputs(range, of: vectors), labels: examples.labels[range], mask: mask)
                for place in layers.indices {
                    Number.adam(
                        &layers[place].weights, gradient: gradient.weights[place],
                        moments: &weightMoments[place], step)
                    Number.adam(
                        &layers[place].bias, gradient: gradient.biases[place],
                        moments: &biasMoments[place], step)
                }
            }
        }
    }

    /// Right and wrong answers, a logit above 0 being a yes.
    func test(_ examples: ProbeExamples, of vectors: TokenVectors) throws -> ConfusionCounts {
        var counts = ConfusionCounts()
        for start in stride(from: 0, to: examples.count, by: 512) {
            let range = start..<min(start + 512, examples.count)
            let logits = try logits(examples.inputs(range, of: vectors), rows: range.count)
            for (logit, label) in zip(logits, examples.labels[range]) {
                counts.add(predicted: logit > 0, actual: label)
            }
        }
        return counts
    }
}

func logarithm(onePlus x: Double) -> Double { log1p(x) }
