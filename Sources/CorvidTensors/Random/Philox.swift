/// The block function of Philox4x32-10: 128 random bits as a function of a counter and a key.
///
/// Ten rounds of two 32 x 32 -> 64 bit multiplications each; the key is raised by two odd constants after
/// each round. Source: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3.
public enum Philox4x32 {
    /// - Parameters:
    ///   - counter: which block; all 2^128 are different.
    ///   - key: which sequence of blocks.
    /// - Returns: four independent uniform 32-bit words.
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var x = counter
        var k = key
        for _ in 0..<10 {
            let a = UInt64(0xD251_1F53) * UInt64(x[0])
            let b = UInt64(0xCD9E_8D57) * UInt64(x[2])
            x = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ x[1] ^ k[0],
                UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ x[3] ^ k[1],
                UInt32(truncatingIfNeeded: a))
            k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return x
    }
}
