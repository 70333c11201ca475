#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a classifier's scores mean, and so how probabilities are made of them.
public enum LabelScoring: Sendable, Equatable {
    /// One of the labels holds.
    case one
    /// Each label holds or not, whatever the others do.
    case several
    /// Scores are numbers that were learned, and no probabilities.
    case value

    /// Probabilities of scores, in double; ``value`` gives the scores themselves.
    public func probabilities(of scores: some Collection<Float>) -> [Double] {
        let scores = scores.map(Double.init)
        switch self {
        case .one:
            let greatest = scores.max() ?? 0
            let powers = scores.map { exp($0 - greatest) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        case .several: return scores.map { 1 / (1 + exp(-$0)) }
        case .value: return scores
        }
    }
}
