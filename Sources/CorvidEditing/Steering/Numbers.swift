import CorvidTensors
import Foundation

extension CounterRandom {
    /// A draw of the standard normal distribution (Box and Muller, 1958).
    func normal(step: UInt64) -> Double {
        // 1 - u is never 0.
        let radius = (-2 * log(1 - uniform(step: step, index: 0))).squareRoot()
        return radius * cos(2 * Double.pi * uniform(step: step, index: 1))
    }
}

/// Σ x y of two vectors of one length.
func dot(_ x: [Double], _ y: [Double]) -> Double {
    var sum = 0.0
    for index in x.indices { sum += x[index] * y[index] }
    return sum
}

extension [Double] {
    /// √Σ x²
    var length: Double { dot(self, self).squareRoot() }

    /// The vector of length 1 in the same direction; nil for zero.
    var direction: [Double]? {
        let length = length
        return length > 0 && length.isFinite ? map { $0 / length } : nil
    }

    /// x + factor · y
    mutating func add(_ y: [Double], times factor: Double = 1) {
        for index in indices { self[index] += factor * y[index] }
    }
}
