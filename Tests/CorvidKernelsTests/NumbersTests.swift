import CorvidKernels
import Foundation
import TestSupport
import Testing

/// What an f16 or bf16 pattern means, in double arithmetic from the definition of the format.
private func meaning(of pattern: UInt16, exponentBits: Int) -> Double {
    let fractionBits = 15 - exponentBits
    let sign: Double = pattern >> 15 == 0 ? 1 : -1
    let exponent = Int(pattern >> UInt16(fractionBits)) & ((1 << exponentBits) - 1)
    let fraction = Double(Int(pattern) & ((1 << fractionBits) - 1)) / Double(1 << fractionBits)
    let bias = (1 << (exponentBits - 1)) - 1
    switch exponent {
    case 0: return sign * fraction * pow(2, Double(1 - bias))
    case (1 << exponentBits) - 1: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * (1 + fraction) * pow(2, Double(exponent - bias))
    }
}

/// Conversions between f32, f16 and bf16.
@Suite struct NumbersTests {
    static let patterns = (0...UInt16.max).map { $0 }

    private func widen(_ patterns: [UInt16], f16: Bool) -> [Float] {
        var out = [Float](repeating: 0, count: patterns.count)
        if f16 {
            ck_f16_to_f32(patterns.count, patterns, &out)
        } else {
            ck_bf16_to_f32(patterns.count, patterns, &out)
        }
        return out
    }

    private func narrow(_ values: [Float], f16: Bool) -> [UInt16] {
        var out = [UInt16](repeating: 0, count: values.count)
        if f16 {
            ck_f32_to_f16(values.count, values, &out)
        } else {
            ck_f32_to_bf16(values.count, values, &out)
        }
        return out
    }

    @Test("all 65,536 patterns widen to the value that the format defines", arguments: [true, false])
    func widening(f16: Bool) {
        let expected = Self.patterns.map { Float(meaning(of: $0, exponentBits: f16 ? 5 : 8)) }
        InstructionSets.each { level in
            let found = widen(Self.patterns, f16: f16)
            #expect(bits(found) == bits(expected), "level \(level.rawValue)")
        }
    }

    @Test("narrowing undoes widening; a NaN keeps its sign and becomes quiet", arguments: [true, false])
    func narrowing(f16: Bool) {
        let infinity: UInt16 = f16 ? 0x7c00 : 0x7f80
        let quiet: UInt16 = f16 ? 0x0200 : 0x0040
        let expected = Self.patterns.map { $0 & 0x7fff > infinity ? $0 | quiet : $0 }
        InstructionSets.each { level in
            let found = narrow(widen(Self.patterns, f16: f16), f16: f16)
            #expect(found == expected, "level \(level.rawValue)")
        }
    }

    @Test(
        "the midpoint of two neighbours goes to the even one, anything else to the nearer",
        arguments: [true, false])
    func ties(f16: Bool) {
        let infinity: UInt16 = f16 ? 0x7c00 : 0x7f80
        var values: [Float] = []
        var expected: [UInt16] = []
        for low in 0..<(infinity - 1) {
            let exponentBits = f16 ? 5 : 8
            let below = meaning(of: low, exponentBits: exponentBits)
            let above = meaning(of: low + 1, exponentBits: exponentBits)
            let middle = Float((below + above) / 2)
            for (value, pattern) in [
                (middle.nextDown, low), (middle, low + (low & 1)), (middle.nextUp, low + 1),
            ] {
                values += [value, -value]
                expected += [pattern, pattern | 0x8000]
            }
        }
        // Past the greatest number: half a step leads to infinity.
        let greatest = infinity - 1
        let step = Float(meaning(of: greatest, exponentBits: f16 ? 5 : 8) / (f16 ? 2047 : 255) / 2)
        let top = Float(meaning(of: greatest, exponentBits: f16 ? 5 : 8))
        values += [(top + step).nextDown, top + step, .infinity]
        expected += [greatest, infinity, infinity]
        InstructionSets.each { level in
            #expect(narrow(values, f16: f16) == expected, "level \(level.rawValue)")
        }
    }

    @Test("any count from 0 to 40 converts and writes nothing behind its end")
    func counts() {
        var generator = SeededGenerator(seed: 11)
        let values = generator.floats(40)
        let all = narrow(values, f16: true)
        InstructionSets.each { level in
            for count in 0...40 {
                var half = [UInt16](repeating: 7, count: 48)
                var wide = [Float](repeating: 7, count: 48)
                ck_f32_to_f16(count, values, &half)
                ck_f16_to_f32(count, all, &wide)
                #expect(half == Array(all[..<count]) + [UInt16](repeating: 7, count: 48 - count))
                #expect(
                    wide == Array(widen(all, f16: true)[..<count]) + [Float](repeating: 7, count: 48 - count))
            }
        }
    }
}
