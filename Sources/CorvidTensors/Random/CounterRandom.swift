/// Random numbers that are looked up, not drawn: a number depends on the seed and on its place
/// (stream, step, index) alone, never on how many others were asked for before it.
///
/// So a sample of a batch gets the same numbers whatever the other samples do, and a run can be resumed at
/// any step. The generator is ``Philox4x32``; key = seed, counter = (index, step, stream).
public struct CounterRandom: Sendable, Hashable {
    public let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Four uniform 32-bit words.
    public func words(stream: UInt32 = 0, step: UInt64, index: UInt32 = 0) -> SIMD4<UInt32> {
        Philox4x32.block(
            counter: SIMD4(index, Self.low(step), Self.high(step), stream),
            key: SIMD2(Self.low(seed), Self.high(seed)))
    }

    /// A uniform number of [0, 1), a multiple of 2^-53.
    public func uniform(stream: UInt32 = 0, step: UInt64, index: UInt32 = 0) -> Double {
        let words = words(stream: stream, step: step, index: index)
        let bits = UInt64(words[0]) << 32 | UInt64(words[1])
        return Double(bits >> 11) * 0x1p-53
    }

    private static func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }
    private static func high(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
}
