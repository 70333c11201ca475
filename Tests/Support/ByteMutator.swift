/// Damages bytes without knowing what they mean.
public enum ByteMutator {
    /// One to four changes: flipped bits, other bytes, a cut, a piece moved, doubled or taken from `others`.
    public static func mutate(
        _ input: [UInt8], others: [[UInt8]] = [], using generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = input
        for _ in 0...generator.index(below: 4) { change(&bytes, others, &generator) }
        return bytes
    }

    private static func change(
        _ bytes: inout [UInt8], _ others: [[UInt8]], _ generator: inout SeededGenerator
    ) {
        guard !bytes.isEmpty else {
            bytes = [UInt8(truncatingIfNeeded: generator.next())]
            return
        }
        let place = generator.index(below: bytes.count)
        switch generator.index(below: 9) {
        case 0, 1: bytes[place] ^= 1 << UInt8(generator.index(below: 8))
        case 2: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 3: bytes.removeSubrange(place...)
        case 4: bytes.removeSubrange(piece(of: bytes, &generator))
        case 5: bytes.insert(contentsOf: bytes[piece(of: bytes, &generator)], at: place)
        case 6:
            let other = others.isEmpty ? bytes : others[generator.index(below: others.count)]
            bytes.insert(contentsOf: other[piece(of: other, &generator)], at: place)
        case 7: setInteger(&bytes, at: place, width: 1 << generator.index(below: 4), &generator)
        default:
            let other = others.isEmpty ? bytes : others[generator.index(below: others.count)]
            let cut = min(place, other.count)
            bytes.replaceSubrange(place..., with: other[cut...])
        }
    }

    /// Overwrites a little-endian integer with a value that readers get wrong.
    public static func setInteger(
        _ bytes: inout [UInt8], at offset: Int, width: Int, _ generator: inout SeededGenerator
    ) {
        guard offset + width <= bytes.count else { return }
        var old: UInt64 = 0
        for byte in 0..<width { old |= UInt64(bytes[offset + byte]) << UInt64(8 * byte) }
        let new = interestingInteger(near: old, bits: width * 8, &generator)
        for byte in 0..<width { bytes[offset + byte] = UInt8(truncatingIfNeeded: new >> UInt64(8 * byte)) }
    }

    /// Zero, one, the limits of each width, powers of two and their neighbours, small steps and random bits.
    public static func interestingInteger(
        near old: UInt64, bits: Int, _ generator: inout SeededGenerator
    ) -> UInt64 {
        let power = UInt64(1) << UInt64(generator.index(below: min(bits, 64)))
        switch generator.index(below: 12) {
        case 0: return 0
        case 1: return 1
        case 2: return UInt64.max
        case 3: return UInt64.max >> 1
        case 4: return (UInt64.max >> 1) + 1
        case 5: return old &+ 1
        case 6: return old &- 1
        case 7: return power
        case 8: return power - 1
        case 9: return UInt64.max - power + 1
        case 10: return UInt64(generator.index(below: 64))
        default: return generator.next()
        }
    }

    /// A short piece, a long one now and then.
    private static func piece(of bytes: [UInt8], _ generator: inout SeededGenerator) -> Range<Int> {
        let start = generator.index(below: bytes.count)
        let longest = generator.chance(4) ? bytes.count - start : min(16, bytes.count - start)
        return start..<start + generator.index(below: longest + 1)
    }
}
