import CorvidTensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The random choices of one repetition, each looked up by its place.
struct ProbeRandom: Sendable {
    let random: CounterRandom

    /// What numbers are for; none shares numbers with another.
    enum Use: UInt32 {
        case groups = 0x7072_0001
        case examples, rows, weights, dropout, pairs, splits, windows
    }

    init(seed: UInt64) { random = CounterRandom(seed: seed) }

    /// A uniform number of [0, 1).
    func uniform(_ use: Use, _ step: UInt64, _ index: UInt32 = 0) -> Double {
        random.uniform(stream: use.rawValue, step: step, index: index)
    }

    /// Puts items in random order (Fisher and Yates).
    /// - Parameter index: tells shuffles of one use apart.
    func shuffle<Item>(_ items: inout [Item], _ use: Use, index: UInt32 = 0) {
        guard items.count > 1 else { return }
        for last in stride(from: items.count - 1, to: 0, by: -1) {
            let place = Int(uniform(use, UInt64(last), index) * Double(last + 1))
            items.swapAt(min(place, last), last)
        }
    }

    /// The numbers from 0 on in random order.
    func order(_ count: Int, _ use: Use, index: UInt32 = 0) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order, use, index: index)
        return order
    }

    /// Normal numbers of mean 0 (Box and Muller).
    func normals(_ count: Int, deviation: Double, _ use: Use, index: UInt32 = 0) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(count + 1)
        var step: UInt64 = 0
        while result.count < count {
            let words = random.words(stream: use.rawValue, step: step, index: index)
            for pair in 0..<2 where result.count < count {
                // In (0, 1], so that the logarithm is finite.
                let first = (Double(words[2 * pair]) + 1) * 0x1p-32
                let angle = 2 * Double.pi * Double(words[2 * pair + 1]) * 0x1p-32
                let radius = (-2 * log(first)).squareRoot() * deviation
                result.append(Float(radius * cos(angle)))
                if result.count < count { result.append(Float(radius * sin(angle))) }
            }
            step += 1
        }
        return result
    }
}
