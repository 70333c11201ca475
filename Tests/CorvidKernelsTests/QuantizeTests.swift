import CorvidKernels
import TestSupport
import Testing

/// Weights rounded to the stored types.
@Suite struct QuantizeTests {
    private func quantize(_ type: ck_type, _ values: [Float]) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: values.count / ck_block_size(type) * ck_block_bytes(type))
        try #require(ck_quantize_weights(type, values.count, values, &bytes) == CK_QUANTIZED)
        return bytes
    }

    private func roundTrip(_ type: ck_type, _ values: [Float]) throws -> [Float] {
        var found = [Float](repeating: .nan, count: values.count)
        ck_dequantize(type, values.count, try quantize(type, values), &found)
        return found
    }

    /// Values of a normal distribution, by the sum of twelve even ones.
    private func gaussian(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) } * 0.05
        }
    }

    @Test("every block type has the bytes of ggml's quantisers", arguments: blockTypes.map(\.name))
    func golden(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        let golden = try GoldenBlocks("quantise")
        let values = try golden.floats("values")
        let expected = try golden.bytes(name + ".bytes")
        #expect(values.count >= 64 * 256)
        InstructionSets.each { level in
            let found = try? quantize(type, values)
            #expect(found == expected, "level \(level.rawValue)")
        }
    }

    @Test("all forms give the same bytes for weights of any size", arguments: blockTypes.map(\.name))
    func forms(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        var generator = SeededGenerator(seed: 91)
        var values: [Float] = []
        for _ in 0..<200 {
            let size = Float(sign: .plus, exponent: generator.int(-150...15), significand: 1)
            values += generator.floats(256, magnitude: size)
        }
        var reference: [UInt8]?
        InstructionSets.each { level in
            let found = try? quantize(type, values)
            #expect(found != nil && (reference ?? found) == found, "level \(level.rawValue)")
            reference = found
        }
    }

    @Test("a Q8_0 weight is off by half a step at most, plus what the step lost when it became f16")
    func eightBitBound() throws {
        let values = gaussian(256 * 64, seed: 3)
        let found = try roundTrip(CK_Q8_0, values)
        for block in stride(from: 0, to: values.count, by: 32) {
            let step = (block..<block + 32).map { abs(values[$0]) }.max().map { $0 / 127 } ?? 0
            let bound = step / 2 + 127 * step / 2048
            for i in block..<block + 32 { #expect(abs(found[i] - values[i]) <= bound * 1.0001) }
        }
    }

    @Test("more bits lose less: Q4_0, Q4_K, Q5_K, Q6_K, Q8_0 in this order")
    func errorsFall() throws {
        let values = gaussian(256 * 128, seed: 4)
        let errors = try [CK_Q4_0, CK_Q4_K, CK_Q5_K, CK_Q6_K, CK_Q8_0].map { type in
            zip(try roundTrip(type, values), values).reduce(0.0) {
                $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
            }
        }
        for (worse, better) in zip(errors, errors.dropFirst()) { #expect(worse > better) }
        #expect((errors[0] / Double(values.count)).squareRoot() < 0.006)
    }

    @Test("NaN and infinity are refused in every type and place")
    func notFinite() {
        let types = blockTypes.map(\.type) + [CK_F32, CK_F16, CK_BF16]
        for type in types {
            for bad in [Float.nan, -.nan, .infinity, -.infinity] {
                for place in [0, 17, 255] {
                    var values = [Float](repeating: 0.5, count: 256)
                    values[place] = bad
                    var bytes = [UInt8](repeating: 0, count: 1024)
                    #expect(ck_quantize_weights(type, 256, values, &bytes) == CK_NOT_FINITE)
                }
            }
        }
    }

    @Test("values whose scales are too large for f16 are refused")
    func tooLarge() {
        for type in blockTypes.map(\.type) + [CK_F16] {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let values = (0..<256).map { Float($0) * 1e30 }
            #expect(ck_quantize_weights(type, 256, values, &bytes) == CK_TOO_LARGE, "type \(type.rawValue)")
        }
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(ck_quantize_weights(CK_BF16, 1, [Float.greatestFiniteMagnitude], &bytes) == CK_TOO_LARGE)
        #expect(ck_quantize_weights(CK_F16, 1, [65504], &bytes) == CK_QUANTIZED)
        #expect(ck_quantize_weights(CK_F16, 1, [65520], &bytes) == CK_TOO_LARGE)
    }

    @Test("weights too small for any scale become zeros")
    func tiny() throws {
        let tiny = (0..<256).map { Float($0 - 128) * Float.leastNonzeroMagnitude }
        for (name, type) in blockTypes {
            #expect(try roundTrip(type, tiny).allSatisfy { $0 == 0 }, "\(name)")
        }
    }

    @Test("plain types round to the nearest, ties to even")
    func plainTypes() throws {
        let values: [Float] = [1 + 1 / 256, 1 + 3 / 256, -0.0, 1 / 3, 65504]
        #expect(try roundTrip(CK_F32, values).map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try roundTrip(CK_BF16, values)[0] == 1)
        #expect(try roundTrip(CK_BF16, values)[1] == 1 + 1 / 64)
        #expect(try roundTrip(CK_F16, [1 + 1 / 2048, 1 + 3 / 2048]) == [1, 1 + 1 / 512])
    }

    @Test("an int8 row has its greatest magnitude at 127 and ties at the even integer")
    func rowInt8() {
        // The factor is 127 / 254 = 1/2: ties are the odd values.
        let values: [Float] = [254, -254, 1, 3, -1, -3, 5, 0]
        InstructionSets.each { level in
            var q = [Int8](repeating: 99, count: 8)
            var scale: Float = 0
            #expect(ck_quantize_row_int8(8, values, &q, &scale) == CK_QUANTIZED)
            #expect(scale == 2)
            #expect(q == [127, -127, 0, 2, 0, -2, 2, 0], "level \(level.rawValue)")
            var back = [Float](repeating: 0, count: 8)
            ck_dequantize_row_int8(8, q, scale, &back)
            #expect(back == [254, -254, 0, 4, 0, -4, 4, 0])
        }
    }

    @Test("an int8 row of zeros, or of values too small, has scale 0; NaN and infinity are refused")
    func rowInt8Edges() {
        for row in [[Float](repeating: 0, count: 5), [1e-38, -1e-38, 0, 0, 0]] {
            var q = [Int8](repeating: 99, count: 5)
            var scale: Float = 9
            #expect(ck_quantize_row_int8(5, row, &q, &scale) == CK_QUANTIZED)
            #expect(scale == 0 && q == [0, 0, 0, 0, 0])
        }
        for bad in [Float.nan, .infinity, -.infinity] {
            var q = [Int8](repeating: 0, count: 3)
            var scale: Float = 0
            #expect(ck_quantize_row_int8(3, [1, bad, 2], &q, &scale) == CK_NOT_FINITE)
        }
    }

    @Test("an int8 weight is off by half a step at most")
    func rowInt8Bound() {
        let values = gaussian(4096, seed: 5)
        var q = [Int8](repeating: 0, count: values.count)
        var scale: Float = 0
        #expect(ck_quantize_row_int8(values.count, values, &q, &scale) == CK_QUANTIZED)
        var back = [Float](repeating: 0, count: values.count)
        ck_dequantize_row_int8(values.count, q, scale, &back)
        for (a, b) in zip(values, back) { #expect(abs(a - b) <= scale * 0.50001) }
    }
}
