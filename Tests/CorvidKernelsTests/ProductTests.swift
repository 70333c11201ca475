import CorvidKernels
import Foundation
import TestSupport
import Testing

/// Activations rounded to int8 in blocks of 32.
private struct Activations {
    var q: [Int8]
    var d: [Float]
    var sum: [Int32]

    init(_ x: [Float], rows: Int, k: Int, stride: Int) {
        q = [Int8](repeating: 0, count: rows * k)
        d = [Float](repeating: 0, count: rows * k / 32)
        sum = [Int32](repeating: 0, count: rows * k / 32)
        ck_quantize_activations(rows, k, x, stride, &q, &d, &sum)
    }
}

private enum Blocks {
    case ordinary
    case extreme
    case notFinite
}

/// Rows of weights in blocks of any bits, whose scales are ordinary numbers or not.
private func weights(
    _ type: ck_type, count: Int, blocks kind: Blocks, using generator: inout SeededGenerator
) -> [UInt8] {
    let size = ck_block_bytes(type)
    var bytes = (0..<(count * size)).map { _ in
        let any = UInt8.random(in: 0...255, using: &generator)
        return kind == .extreme ? (any < 128 ? 0x00 : 0xff) : any
    }
    let hasMinima = [CK_Q4_1, CK_Q5_1, CK_Q4_K, CK_Q5_K].contains(type)
    let places = type == CK_Q6_K ? [208] : hasMinima ? [0, 2] : [0]
    for block in 0..<count {
        for place in places {
            var value = Float.random(in: -1...1, using: &generator)
            if kind == .notFinite, Int.random(in: 0..<9, using: &generator) == 0 {
                value = Bool.random(using: &generator) ? .infinity : .nan
            }
            var half: UInt16 = 0
            ck_f32_to_f16(1, &value, &half)
            bytes[block * size + place] = UInt8(truncatingIfNeeded: half)
            bytes[block * size + place + 1] = UInt8(half >> 8)
        }
    }
    return bytes
}

private func product(
    _ type: ck_type, rows: Int, outputs: Int, k: Int, weights: [UInt8], _ x: Activations, outStride: Int
) -> [Float] {
    var out = [Float](repeating: -7, count: rows * outStride)
    let bytes = ck_product_scratch_bytes(type, rows, k)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { scratch.deallocate() }
    // Weights lie at any address.
    ([0] + weights).withUnsafeBufferPointer { moved in
        guard let base = moved.baseAddress else { return }
        ck_product_quantized(type, rows, outputs, k, base + 1, x.q, x.d, x.sum, &out, outStride, scratch)
    }
    return out
}

private func plainProduct(
    _ type: ck_type, rows: Int, outputs: Int, k: Int, weights: [UInt8], _ x: Activations, outStride: Int
) -> [Float] {
    var out = [Float](repeating: -7, count: rows * outStride)
    ck_product_quantized_plain(type, rows, outputs, k, weights, x.q, x.d, x.sum, &out, outStride)
    return out
}

/// Products with block-quantised weights.
@Suite struct ProductTests {
    /// Rows on both sides of each tile's height, outputs on both sides of each group's width.
    static let shapes: [(rows: Int, outputs: Int)] = [
        (0, 5), (1, 0), (1, 1), (1, 15), (1, 16), (1, 17), (2, 33), (3, 31), (4, 48), (5, 7), (5, 16),
        (6, 40),
        (7, 32), (8, 65), (13, 50), (31, 19), (64, 34),
    ]

    @Test(
        "every type, shape and instruction set has the bits of the plain loop",
        arguments: blockTypes.map(\.name))
    func sameBits(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        let size = ck_block_size(type)
        var seed: UInt64 = 1
        for (rows, outputs) in Self.shapes {
            for blocks in size == 32 ? [0, 1, 3, 16, 17, 40] : [0, 1, 2, 3, 5] {
                for kind in [Blocks.ordinary, .extreme, .notFinite] {
                    seed += 1
                    var generator = SeededGenerator(seed: seed)
                    let k = blocks * size
                    let stride = k + Int.random(in: 0...3, using: &generator)
                    let outStride = outputs + Int.random(in: 0...3, using: &generator)
                    let x = Activations(
                        generator.floats(rows * stride + 1), rows: rows, k: k, stride: stride)
                    let bytes = weights(type, count: outputs * blocks, blocks: kind, using: &generator)
                    let expected = plainProduct(
                        type, rows: rows, outputs: outputs, k: k, weights: bytes, x, outStride: outStride)
                    ProductForms.each { form in
                        let found = product(
                            type, rows: rows, outputs: outputs, k: k, weights: bytes, x, outStride: outStride)
                        #expect(
                            bits(found) == bits(expected),
                            "seed \(seed): \(form), \(rows) rows, \(outputs) outputs, k \(k)")
                    }
                }
            }
        }
    }

    @Test("the plain loop is the product of the decoded numbers", arguments: blockTypes.map(\.name))
    func value(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        var generator = SeededGenerator(seed: 5)
        let (rows, outputs, k) = (3, 4, 512)
        let bytes = weights(
            type, count: outputs * k / ck_block_size(type), blocks: .ordinary, using: &generator)
        let x = Activations(generator.floats(rows * k), rows: rows, k: k, stride: k)
        let found = plainProduct(
            type, rows: rows, outputs: outputs, k: k, weights: bytes, x, outStride: outputs)
        var w = [Float](repeating: 0, count: outputs * k)
        ck_dequantize(type, outputs * k, bytes, &w)
        for r in 0..<rows {
            for j in 0..<outputs {
                var expected = 0.0
                var magnitude = 0.0
                for i in 0..<k {
                    let term = Double(w[j * k + i]) * Double(x.q[r * k + i]) * Double(x.d[(r * k + i) / 32])
                    expected += term
                    magnitude += abs(term)
                }
                // 16 blocks and their minima: 32 roundings of 2^-24, and those of the scales.
                #expect(abs(Double(found[r * outputs + j]) - expected) <= magnitude * 4e-6)
            }
        }
    }

    @Test(
        "a row and a range of outputs give the same bits alone and in company",
        arguments: blockTypes.map(\.name))
    func company(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        var generator = SeededGenerator(seed: 6)
        let (rows, outputs, k) = (23, 70, 768)
        let rowBytes = k / ck_block_size(type) * ck_block_bytes(type)
        let bytes = weights(
            type, count: outputs * k / ck_block_size(type), blocks: .ordinary, using: &generator)
        let x = generator.floats(rows * k)
        let all = product(
            type, rows: rows, outputs: outputs, k: k, weights: bytes,
            Activations(x, rows: rows, k: k, stride: k),
            outStride: outputs)
        for r in [0, 7, 22] {
            let one = Activations(Array(x[(r * k)..<((r + 1) * k)]), rows: 1, k: k, stride: k)
            for range in [0..<outputs, 3..<40, 69..<70] {
                let part = Array(bytes[(range.lowerBound * rowBytes)..<(range.upperBound * rowBytes)])
                let alone = product(
                    type, rows: 1, outputs: range.count, k: k, weights: part, one, outStride: range.count)
                let expected = Array(all[(r * outputs + range.lowerBound)..<(r * outputs + range.upperBound)])
                #expect(bits(alone) == bits(expected), "row \(r), outputs \(range)")
            }
        }
    }

    @Test(
        "a row with a NaN or an infinity spoils itself only, in every type and form",
        arguments: blockTypes.map(\.name), [5, 9])
    func poisonedRow(name: String, rows: Int) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        var generator = SeededGenerator(seed: 7)
        let (outputs, k) = (20, 512)
        let bytes = weights(
            type, count: outputs * k / ck_block_size(type), blocks: .ordinary, using: &generator)
        let clean = generator.floats(rows * k)
        for poison in [Float.nan, .infinity, -.infinity] {
            var x = clean
            x[4 * k + 50] = poison
            ProductForms.each { form in
                let expected = product(
                    type, rows: rows, outputs: outputs, k: k, weights: bytes,
                    Activations(clean, rows: rows, k: k, stride: k), outStride: outputs)
                let found = product(
                    type, rows: rows, outputs: outputs, k: k, weights: bytes,
                    Activations(x, rows: rows, k: k, stride: k), outStride: outputs)
                for r in 0..<rows {
                    let row = (r * outputs)..<((r + 1) * outputs)
                    if r == 4 {
                        let allNaN = found[row].allSatisfy { $0.isNaN }
                        #expect(allNaN, "\(form)")
                    } else {
                        #expect(bits(Array(found[row])) == bits(Array(expected[row])), "\(form), row \(r)")
                    }
                }
            }
        }
    }
}

/// Rounding of activations.
@Suite struct QuantizeActivationsTests {
    @Test("each block follows the formula of the header on every instruction set")
    func formula() {
        for seed in UInt64(1)...20 {
            var generator = SeededGenerator(seed: seed)
            let (rows, k) = (3, 160)
            let stride = k + Int(seed % 4)
            var x = generator.floats(rows * stride)
            for block in 0..<(rows * stride / 32) {
                let scale = Float(pow(10, Double.random(in: -30...30, using: &generator)))
                for i in 0..<32 { x[32 * block + i] *= scale }
            }
            InstructionSets.each { level in
                let found = Activations(x, rows: rows, k: k, stride: stride)
                for r in 0..<rows {
                    for b in 0..<(k / 32) {
                        let block = x[(r * stride + 32 * b)..<(r * stride + 32 * (b + 1))]
                        let maximum = block.map(abs).max() ?? 0
                        let q = block.map { Int8(($0 * (127 / maximum)).rounded(.toNearestOrEven)) }
                        let at = r * k / 32 + b
                        #expect(found.d[at] == maximum / 127, "seed \(seed), level \(level.rawValue)")
                        #expect(Array(found.q[(32 * at)..<(32 * (at + 1))]) == q, "seed \(seed)")
                        #expect(found.sum[at] == q.reduce(0) { $0 + Int32($1) }, "seed \(seed)")
                    }
                }
            }
        }
    }

    @Test("zeros and magnitudes too small to divide by give zeros, a fault gives a NaN scale")
    func corners() {
        let cases: [(Float, Float)] = [
            (0, 0), (-0.0, 0), (.leastNonzeroMagnitude, 0), (3e-37, 0), (.nan, .nan), (.infinity, .nan),
            (-.infinity, .nan),
        ]
        for (value, scale) in cases {
            InstructionSets.each { level in
                var x = [Float](repeating: 0, count: 32)
                x[9] = value
                let found = Activations(x, rows: 1, k: 32, stride: 32)
                #expect(bits(found.d) == bits([scale]), "\(value), level \(level.rawValue)")
                #expect(found.q == [Int8](repeating: 0, count: 32))
                #expect(found.sum == [0])
            }
        }
    }
}
