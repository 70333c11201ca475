import Foundation

/// What steering does to the prediction of some texts.
///
/// Only rows count that no vector was laid over: what is predicted at a token that was written over says nothing
/// about the text.
public struct TextEffect: Sendable, Equatable {
    /// Mean log-probability of the tokens of each text, in nats, without and with steering. Texts without a row that
    /// counts are left out.
    public internal(set) var texts: [(base: Double, steered: Double)] = []
    /// Index of each of ``texts`` among those that were given.
    public internal(set) var indices: [Int] = []
    /// Predicted tokens in all.
    public internal(set) var tokens = 0
    /// Sum over the tokens of KL(base ‖ steered), in nats.
    var divergence = 0.0
    /// By the token that is predicted: how often, and the sum of its differences in log-probability.
    public internal(set) var shifts: [Int32: (count: Int, sum: Double)] = [:]
    /// Sums over the tokens; nil if no tokens were named.
    public internal(set) var aligned: AlignedEffect?

    /// exp of minus the mean over texts of the difference in mean log-probability; below 1 the texts have become
    /// likelier. (The paper prints the minus outside of the exponential.)
    public var perplexityRatio: Double {
        guard !texts.isEmpty else { return .nan }
        let mean = texts.reduce(0) { $0 + $1.steered - $1.base } / Double(texts.count)
        return exp(-mean)
    }

    /// Mean KL(base ‖ steered) of a token's prediction, in nats.
    public var meanDivergence: Double { tokens > 0 ? divergence / Double(tokens) : .nan }

    /// Mean perplexities over texts, exp of minus the mean log-probability.
    public var perplexities: (base: Double, steered: Double) {
        guard !texts.isEmpty else { return (.nan, .nan) }
        let count = Double(texts.count)
        return (
            exp(-texts.reduce(0) { $0 + $1.base } / count), exp(-texts.reduce(0) { $0 + $1.steered } / count)
        )
    }

    /// Tokens that became likelier or less likely, seen at least so often; the largest gain first.
    public func shifts(seen least: Int) -> [(token: Int32, count: Int, mean: Double)] {
        shifts.filter { $0.value.count >= least }
            .map { (token: $0.key, count: $0.value.count, mean: $0.value.sum / Double($0.value.count)) }
            .sorted { ($1.mean, $0.token) < ($0.mean, $1.token) }
    }

    public static func == (left: TextEffect, right: TextEffect) -> Bool {
        left.texts.elementsEqual(right.texts) { $0 == $1 } && left.indices == right.indices
            && left.tokens == right.tokens && left.divergence == right.divergence
            && left.aligned == right.aligned
            && left.shifts.mapValues { "\($0)" } == right.shifts.mapValues { "\($0)" }
    }
}

/// How steering moves probability to a set of tokens, and how much it disturbs the rest; sums over tokens.
///
///     effectiveness = log p_steered(T) - log p(T)
///     disruption = p_steered(T) KL(p_steered|T ‖ p|T) + p_steered(not T) KL(p_steered|not T ‖ p|not T)
public struct AlignedEffect: Sendable, Equatable {
    var effectivenessSum = 0.0
    var disruptionSum = 0.0
    var count = 0

    /// Mean over tokens, in nats.
    public var effectiveness: Double { count > 0 ? effectivenessSum / Double(count) : .nan }
    /// Mean over tokens, in nats.
    public var disruption: Double { count > 0 ? disruptionSum / Double(count) : .nan }

    mutating func add(_ row: RowComparison, tokens: Set<Int32>) {
        let (base, steered) = row.masses(of: tokens)
        // KL(p_steered ‖ p) falls into three parts: how the set's probability moved, and what moved inside of the
        // set and outside.
        let moved = Self.divergence(steered, base) + Self.divergence(1 - steered, 1 - base)
        effectivenessSum += log(max(steered, 1e-300)) - log(max(base, 1e-300))
        disruptionSum += max(0, row.reverseDivergence - moved)
        count += 1
    }

    private static func divergence(_ p: Double, _ q: Double) -> Double {
        p > 0 ? p * log(p / max(q, 1e-300)) : 0
    }
}

/// What the model says at one token without and with steering.
struct RowComparison {
    let base: ArraySlice<Float>
    let steered: ArraySlice<Float>
    /// log Σ exp of both.
    let baseSum: Double
    let steeredSum: Double
    /// e^(base - baseSum)
    let probabilities: [Float]

    /// KL(base ‖ steered)
    var divergence: Double {
        var sum = 0.0
        let (a, b) = (base.startIndex, steered.startIndex)
        for index in probabilities.indices {
            sum += Double(probabilities[index]) * Double(base[a + index] - steered[b + index])
        }
        return max(0, sum - baseSum + steeredSum)
    }

    /// KL(steered ‖ base)
    var reverseDivergence: Double {
        var sum = 0.0
        for (mine, other) in zip(steered, base) {
            let logarithm = Double(mine) - steeredSum
            if logarithm > -40 { sum += exp(logarithm) * (Double(mine) - Double(other)) }
        }
        return max(0, sum - steeredSum + baseSum)
    }

    /// Log-probabilities of a token.
    func logProbabilities(of token: Int32) -> (base: Double, steered: Double) {
        let index = Int(token)
        return (
            Double(base[base.startIndex + index]) - baseSum,
            Double(steered[steered.startIndex + index]) - steeredSum
        )
    }

    /// Probability of a set of tokens.
    func masses(of tokens: Set<Int32>) -> (base: Double, steered: Double) {
        var sums = (base: 0.0, steered: 0.0)
        for token in tokens where Int(token) < base.count && token >= 0 {
            let (a, b) = logProbabilities(of: token)
            sums.base += exp(a)
            sums.steered += exp(b)
        }
        return sums
    }
}
