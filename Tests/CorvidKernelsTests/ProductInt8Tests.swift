import CorvidKernels
import Foundation
import TestSupport
import Testing

/// Activations rounded to int8 row by row.
private struct Activations {
    var q: [Int8]
    var d: [Float]
    var sum: [Int32]

    init(_ x: [Float], rows: Int, k: Int, stride: Int) {
        q = [Int8](repeating: 0, count: rows * k)
        d = [Float](repeating: 0, count: rows)
        sum = [Int32](repeating: 0, count: rows)
        ck_quantize_rows(rows, k, x, stride, &q, &d, &sum)
    }
}

/// int8 weights scaled by row; `extreme`: -128 and 127 only.
private struct Weights {
    var values: [Int8]
    var scales: [Float]

    init(outputs: Int, k: Int, extreme: Bool, using generator: inout SeededGenerator) {
        values = (0..<(outputs * k)).map { _ in
            let any = Int8.random(in: -128...127, using: &generator)
            return extreme ? (any < 0 ? -128 : 127) : any
        }
        scales = generator.floats(outputs)
    }
}

/// The product, its weights at any address.
private func product(
    rows: Int, outputs: Int, k: Int, _ weights: Weights, _ x: Activations, outStride: Int, offset: Int = 0
) -> [Float] {
    var out = [Float](repeating: -7, count: rows * outStride)
    let moved = [Int8](repeating: 0, count: offset) + weights.values
    let scratch = UnsafeMutableRawPointer.allocate(
        byteCount: ck_product_int8_scratch_bytes(rows, k), alignment: 64)
    defer { scratch.deallocate() }
    moved.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        ck_product_int8(
            rows, outputs, k, base + offset, weights.scales, x.q, x.d, x.sum, &out, outStride, scratch)
    }
    return out
}

private func plainProduct(
    rows: Int, outputs: Int, k: Int, _ weights: Weights, _ x: Activations, outStride: Int
) -> [Float] {
    var out = [Float](repeating: -7, count: rows * outStride)
    ck_product_int8_plain(rows, outputs, k, weights.values, weights.scales, x.q, x.d, &out, outStride)
    return out
}

/// Products with int8 weights scaled by row.
@Suite struct ProductInt8Tests {
    @Test("every shape and form has the bits of the plain loop, wherever the weights lie")
    func sameBits() {
        let more = [(9, 300), (10, 1), (259, 18)]
        var seed: UInt64 = 1
        for (rows, outputs) in ProductTests.shapes + more {
            for k in [0, 1, 3, 4, 31, 32, 33, 63, 64, 65, 130, 511, 512, 514, 1029] {
                seed += 1
                var generator = SeededGenerator(seed: seed)
                let stride = k + Int.random(in: 0...3, using: &generator)
                let outStride = outputs + Int.random(in: 0...3, using: &generator)
                let offset = Int.random(in: 1...7, using: &generator)
                let extreme = seed % 3 == 0
                let values = generator.floats(rows * stride + 1)
                let x = Activations(
                    extreme ? values.map { $0 < 0 ? -1 : 1 } : values, rows: rows, k: k, stride: stride)
                let weights = Weights(outputs: outputs, k: k, extreme: extreme, using: &generator)
                let expected = plainProduct(
                    rows: rows, outputs: outputs, k: k, weights, x, outStride: outStride)
                ProductForms.each { form in
                    let found = product(
                        rows: rows, outputs: outputs, k: k, weights, x, outStride: outStride, offset: offset)
                    #expect(
                        bits(found) == bits(expected),
                        "seed \(seed): \(form), \(rows) rows, \(outputs) outputs, k \(k)")
                }
            }
        }
    }

    @Test("an output is the exact sum of products, rounded once, times the product of both scales")
    func value() {
        // Beyond 132,104 a sum of the greatest numbers leaves int32.
        for k in [1, 77, 1000, 140_001] {
            for extreme in [false, true] {
                var generator = SeededGenerator(seed: UInt64(k))
                let (rows, outputs) = (2, 3)
                let x = Activations(
                    (0..<(rows * k)).map { _ in extreme ? 1 : Float.random(in: -1...1, using: &generator) },
                    rows: rows, k: k, stride: k)
                var weights = Weights(outputs: outputs, k: k, extreme: extreme, using: &generator)
                if extreme { weights.values = weights.values.map { _ in -128 } }
                ProductForms.each { form in
                    let found = product(
                        rows: rows, outputs: outputs, k: k, weights, x, outStride: outputs)
                    for r in 0..<rows {
                        for j in 0..<outputs {
                            var sum = 0
                            for i in 0..<k { sum += Int(weights.values[j * k + i]) * Int(x.q[r * k + i]) }
                            let expected = Float(sum) * (weights.scales[j] * x.d[r])
                            #expect(found[r * outputs + j] == expected, "\(form), k \(k)")
                        }
                    }
                }
            }
        }
    }

    @Test("a row and a range of outputs give the same bits alone and in company")
    func company() {
        var generator = SeededGenerator(seed: 6)
        let (rows, outputs, k) = (23, 270, 530)
        let weights = Weights(outputs: outputs, k: k, extreme: false, using: &generator)
        let x = generator.floats(rows * k)
        let all = product(
            rows: rows, outputs: outputs, k: k, weights, Activations(x, rows: rows, k: k, stride: k),
            outStride: outputs)
        for r in [0, 7, 22] {
            let one = Activations(Array(x[(r * k)..<((r + 1) * k)]), rows: 1, k: k, stride: k)
            for range in [0..<outputs, 3..<40, 269..<270] {
                var part = weights
                part.values = Array(weights.values[(range.lowerBound * k)..<(range.upperBound * k)])
                part.scales = Array(weights.scales[range])
                let alone = product(rows: 1, outputs: range.count, k: k, part, one, outStride: range.count)
                let expected = Array(all[(r * outputs + range.lowerBound)..<(r * outputs + range.upperBound)])
                #expect(bits(alone) == bits(expected), "row \(r), outputs \(range)")
            }
        }
    }

    @Test("a row with a NaN or an infinity spoils itself only", arguments: [3, 12])
    func poisonedRow(rows: Int) {
        var generator = SeededGenerator(seed: 7)
        let (outputs, k) = (20, 96)
        let weights = Weights(outputs: outputs, k: k, extreme: false, using: &generator)
        let clean = generator.floats(rows * k)
        for poison in [Float.nan, .infinity, -.infinity] {
            var x = clean
            x[1 * k + 50] = poison
            ProductForms.each { form in
                let expected = product(
                    rows: rows, outputs: outputs, k: k, weights,
                    Activations(clean, rows: rows, k: k, stride: k), outStride: outputs)
                let found = product(
                    rows: rows, outputs: outputs, k: k, weights,
                    Activations(x, rows: rows, k: k, stride: k), outStride: outputs)
                for r in 0..<rows {
                    let row = (r * outputs)..<((r + 1) * outputs)
                    if r == 1 {
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

/// Rounding of activations row by row.
@Suite struct QuantizeRowsTests {
    @Test("each row follows the formula of the header on every instruction set")
    func formula() {
        for seed in UInt64(1)...20 {
            var generator = SeededGenerator(seed: seed)
            let (rows, k) = (3, Int(seed) * 7)
            let stride = k + Int(seed % 4)
            let scale = Float(pow(10, Double.random(in: -30...30, using: &generator)))
            let x = generator.floats(rows * stride).map { $0 * scale }
            InstructionSets.each { level in
                let found = Activations(x, rows: rows, k: k, stride: stride)
                for r in 0..<rows {
                    let row = x[(r * stride)..<(r * stride + k)]
                    let maximum = row.map(abs).max() ?? 0
                    let q = row.map { Int8(($0 * (127 / maximum)).rounded(.toNearestOrEven)) }
                    #expect(found.d[r] == maximum / 127, "seed \(seed), level \(level.rawValue)")
                    #expect(Array(found.q[(r * k)..<((r + 1) * k)]) == q, "seed \(seed)")
                    #expect(found.sum[r] == q.reduce(0) { $0 + Int32($1) }, "seed \(seed)")
                }
            }
        }
    }

    @Test("zeros and magnitudes too small to divide by give zeros, a fault gives a NaN scale")
    func corners() {
        let cases: [(Float, Float)] = [
            (0, 0), (-0.0, 0), (.leastNonzeroMagnitude, 0), (3e-37, 0), (.nan, .nan), (-.nan, .nan),
            (.infinity, .nan), (-.infinity, .nan),
        ]
        for (value, scale) in cases {
            for k in [1, 40] {
                InstructionSets.each { level in
                    var x = [Float](repeating: 0, count: k)
                    x[k - 1] = value
                    let found = Activations(x, rows: 1, k: k, stride: k)
                    #expect(bits(found.d) == bits([scale]), "\(value), level \(level.rawValue)")
                    #expect(found.q == [Int8](repeating: 0, count: k))
                    #expect(found.sum == [0])
                }
            }
        }
        let empty = Activations([], rows: 2, k: 0, stride: 0)
        #expect(empty.d == [0, 0] && empty.sum == [0, 0])
    }
}
