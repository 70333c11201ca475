#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The angles of rotary positions, and how a model stretches them beyond the context it was trained on.
public struct RotarySettings: Sendable, Equatable {
    public enum Scaling: Sendable, Equatable {
        case none
        /// position / factor
        case linear(factor: Double)
        /// A larger base for positions beyond the trained context ("dynamic NTK"):
        /// base · (factor · length / context - (factor - 1))^(R / (R - 2)).
        ///
        /// Each position is rotated by the base of the length at which it is the last one. Generating token
        /// by token gives the same numbers as the reference; a whole prompt beyond the trained context, which
        /// the reference rotates by its final length, does not depend on how it was cut into chunks here.
        case dynamic(factor: Double, context: Int)
        /// LLaMA 3: low frequencies divided by the factor, high ones kept, a ramp between.
        case llama3(
            factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
        /// Divisors of the frequencies as a file gives them, `[R/2]`.
        case divisors([Double])
    }

    /// Rotated values of each head (R), even.
    public var width: Int
    public var base: Double
    public var scaling: Scaling

    public init(width: Int, base: Double, scaling: Scaling = .none) {
        self.width = width
        self.base = base
        self.scaling = scaling
    }

    /// Angle per position of each pair, `[R/2]`, for a row at `position`.
    public func frequencies(position: Int) -> [Double] {
        var base = base
        if case .dynamic(let factor, let context) = scaling, position >= context, width > 2 {
            let stretch = factor * Double(position + 1) / Double(context) - (factor - 1)
            base *= pow(stretch, Double(width) / Double(width - 2))
        }
        return (0..<width / 2).map { pair in
            let frequency = pow(base, -Double(2 * pair) / Double(width))
            switch scaling {
            case .none, .dynamic: return frequency
            case .linear(let factor): return frequency / factor
            case .divisors(let divisors):
                return pair < divisors.count ? frequency / divisors[pair] : frequency
            case .llama3(let factor, let low, let high, let original):
                let wavelength = 2 * Double.pi / frequency
                if wavelength < Double(original) / high { return frequency }
                if wavelength > Double(original) / low { return frequency / factor }
                let smooth = (Double(original) / wavelength - low) / (high - low)
                return frequency * ((1 - smooth) / factor + smooth)
            }
        }
    }

    /// Whether the frequencies depend on the position.
    var variesWithPosition: Bool {
        if case .dynamic = scaling { return true }
        return false
    }
}
