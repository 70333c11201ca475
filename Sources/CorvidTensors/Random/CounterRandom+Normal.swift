#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension CounterRandom {
    /// Two independent numbers of a normal distribution with mean 0 and deviation 1 (Box and Muller, 1958).
    public func normals(stream: UInt32 = 0, step: UInt64, index: UInt32 = 0) -> (Double, Double) {
        let words = words(stream: stream, step: step, index: index)
        func uniform(_ high: UInt32, _ low: UInt32) -> Double {
            Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
        }
        // 1 - u is never 0.
        let radius = (-2 * log(1 - uniform(words[0], words[1]))).squareRoot()
        let angle = 2 * Double.pi * uniform(words[2], words[3])
        return (radius * cos(angle), radius * sin(angle))
    }
}
