/// How probable a model finds the classes of a task when the text says nothing: its label bias.
///
///     u_y = mean over texts t of P(y | t),   p_cf(y) = u_y / sum of u
///
/// Source: Fei et al. 2023, "Mitigating Label Biases for In-context Learning", and their code, which averages
/// the masses before it normalises them: a text that makes label words more probable weighs more.
public struct ContentFreePrior: Sendable, Equatable {
    /// p_cf, `[classes]`; the sum is 1.
    public let probabilities: [Double]
    /// Standard error of each probability by the spread over the texts; 0 for one text.
    public let standardErrors: [Double]
    /// Over how many texts it was taken.
    public let textCount: Int

    /// How the masses of several texts become one prior.
    public enum Averaging: String, Sendable, CaseIterable {
        /// Mean of the masses, then normalised.
        case masses
        /// Normalised for each text, then the mean.
        case normalised
    }

    /// - Parameters:
    ///   - masses: P(y | t), `[texts][classes]`, at least one text.
    ///   - classNames: for messages.
    /// - Throws: ``CalibrationError/zeroPrior(label:)`` if a class has no mass on any text.
    public init(masses: [[Double]], averaging: Averaging = .masses, classNames: [String]) throws {
        let rows = averaging == .masses ? masses : try Self.normalised(masses)
        let count = Double(rows.count)
        let means = classNames.indices.map { label in rows.reduce(0) { $0 + $1[label] } / count }
        if let zero = means.firstIndex(where: { !($0 > 0) }) {
            throw CalibrationError.zeroPrior(label: classNames[zero])
        }
        let sum = means.reduce(0, +)
        let probabilities = means.map { $0 / sum }
        self.probabilities = probabilities
        textCount = rows.count
        // A ratio of means: its error is that of the mean of what a text has more than its share.
        standardErrors = classNames.indices.map { label in
            guard rows.count > 1 else { return 0 }
            let squares = rows.reduce(0) { total, row in
                let excess = row[label] - probabilities[label] * row.reduce(0, +)
                return total + excess * excess
            }
            return (squares / (count * (count - 1))).squareRoot() / sum
        }
    }

    /// A prior that was saved.
    /// - Throws: ``CalibrationError/zeroPrior(label:)`` for a probability that is not above 0.
    public init(probabilities: [Double], textCount: Int, classNames: [String]) throws {
        for (probability, name) in zip(probabilities, classNames) where !(probability > 0) {
            throw CalibrationError.zeroPrior(label: name)
        }
        self.probabilities = probabilities
        self.textCount = textCount
        standardErrors = probabilities.map { _ in 0 }
    }

    /// The prior to a power, normalised: at 0 no calibration, at 1 the prior itself.
    /// - Throws: ``CalibrationError/zeroPrior(label:)`` if a probability vanishes.
    public func raised(to power: Double, classNames: [String]) throws -> ContentFreePrior {
        if power == 1 { return self }
        let logs = probabilities.map { power * logarithm($0) }
        let most = logs.max() ?? 0
        let powers = logs.map { exponential($0 - most) }
        let sum = powers.reduce(0, +)
        return try ContentFreePrior(
            probabilities: powers.map { $0 / sum }, textCount: textCount, classNames: classNames)
    }

    /// Of probabilities of each text that add up to 1: no calibration.
    /// - Throws: ``CalibrationError/noMass(index:)`` for a text whose masses are all 0.
    public static func normalised(_ masses: [[Double]]) throws -> [[Double]] {
        try masses.enumerated().map { index, row in
            let sum = row.reduce(0, +)
            guard sum > 0 else { throw CalibrationError.noMass(index: index) }
            return row.map { $0 / sum }
        }
    }

    /// Calibrated probabilities, `[texts][classes]`: p_y / p_cf(y), normalised, where p are the normalised masses.
    /// - Throws: ``CalibrationError/noMass(index:)``.
    public func calibrated(_ masses: [[Double]]) throws -> [[Double]] {
        try Self.normalised(masses).map { row in
            let ratios = zip(row, probabilities).map { $0 / $1 }
            let sum = ratios.reduce(0, +)
            return ratios.map { $0 / sum }
        }
    }

    /// -sum p log p, in nats; the logarithm of the number of classes where the model has no bias.
    public var entropy: Double {
        -probabilities.reduce(0) { $0 + $1 * logarithm($1) }
    }

    /// Total variation distance, 0 to 1: half the sum of the absolute differences.
    public func distance(to other: ContentFreePrior) -> Double {
        zip(probabilities, other.probabilities).reduce(0) { $0 + ($1.0 - $1.1).magnitude } / 2
    }

    /// Total variation distance to equal probabilities.
    public var distanceToUniform: Double {
        let equal = 1 / Double(probabilities.count)
        return probabilities.reduce(0) { $0 + ($1 - equal).magnitude } / 2
    }
}

extension Sequence where Element == [Double] {
    /// The class with the greatest value of each row, the first of equal ones.
    public var predictions: [Int] {
        map { row in
            var best = 0
            for (index, value) in row.enumerated() where value > row[best] { best = index }
            return best
        }
    }
}
