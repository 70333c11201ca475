import CorvidKernels
import TestSupport
import Testing

/// Stored weights of a float product and their values after rounding.
private struct FloatWeights {
    var type: ck_type
    var rounding: ck_type
    var byColumns: Bool
    var bytes: [UInt8]
    var stride: Int
    var outputs: Int
    /// `[stored rows, stored columns]`
    var values: [Float]
    private var columns: Int

    /// Any bits that are numbers, in rows with a gap between them, from an odd address on.
    init(
        _ type: ck_type, rounding: ck_type, byColumns: Bool, outputs: Int, k: Int,
        using generator: inout SeededGenerator
    ) {
        self.type = type
        self.rounding = rounding
        self.byColumns = byColumns
        self.outputs = outputs
        let rows = byColumns ? k : outputs
        columns = byColumns ? outputs : k
        let rowBytes = columns / ck_block_size(type) * ck_block_bytes(type)
        stride = rowBytes + 3
        bytes = [UInt8](repeating: 0xff, count: rows * stride + 1)
        values = []
        for row in 0..<rows {
            let stored = Self.row(type, columns, using: &generator)
            bytes.replaceSubrange(row * stride + 1..<row * stride + 1 + rowBytes, with: stored)
            var decoded = [Float](repeating: 0, count: columns)
            ck_dequantize(type, columns, stored, &decoded)
            values += Self.rounded(decoded, to: rounding)
        }
    }

    private static func row(
        _ type: ck_type, _ count: Int, using generator: inout SeededGenerator
    ) -> [UInt8] {
        if ck_block_size(type) > 1 {
            var row = (0..<count / 32 * 34).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for block in 0..<count / 32 { row[34 * block + 1] = 0x2c }
            return row
        }
        let floats = generator.floats(count)
        if type == CK_F32 { return floats.flatMap { withUnsafeBytes(of: $0) { [UInt8]($0) } } }
        var halves = [UInt16](repeating: 0, count: count)
        if type == CK_F16 {
            ck_f32_to_f16(count, floats, &halves)
        } else {
            ck_f32_to_bf16(count, floats, &halves)
        }
        return halves.flatMap { withUnsafeBytes(of: $0) { [UInt8]($0) } }
    }

    private static func rounded(_ values: [Float], to type: ck_type) -> [Float] {
        values.map { value in
            switch type {
            case CK_F16: Float(Float16(value))
            case CK_BF16: bfloat(value)
            default: value
            }
        }
    }

    static func bfloat(_ value: Float) -> Float {
        let bits = value.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    func weight(_ output: Int, _ input: Int) -> Float {
        byColumns ? values[input * columns + output] : values[output * columns + input]
    }

    /// The rows `x`, arranged, times the weights; in pairs of bf16 if asked for.
    func product(
        rows: Int, k: Int, _ x: [Float], xStride: Int, outStride: Int, inPairs: Bool = false
    ) -> [Float] {
        let bf16: Int32 = inPairs ? 1 : 0
        var out = [Float](repeating: -7, count: rows * outStride)
        var arranged = [Float](repeating: .nan, count: ck_arranged_floats(bf16, rows, k))
        // In two parts, as threads do it.
        let first = rows / 3
        ck_arrange_rows(bf16, first, k, x, xStride, 0, rows, &arranged)
        let rest = Array(x.dropFirst(first * xStride))
        ck_arrange_rows(bf16, rows - first, k, rest, xStride, first, rows, &arranged)
        let scratch = UnsafeMutableRawPointer.allocate(
            byteCount: ck_product_float_scratch_bytes(), alignment: 64)
        defer { scratch.deallocate() }
        scratch.initializeMemory(
            as: UInt8.self, repeating: 0xff, count: ck_product_float_scratch_bytes())
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var weights = ck_float_weights(
                type: type, rounding: inPairs ? CK_F32 : rounding, by_columns: byColumns ? 1 : 0,
                bytes: base + 1, stride: stride)
            if inPairs {
                ck_product_bf16(&weights, rows, outputs, k, arranged, &out, outStride, scratch)
            } else {
                ck_product_float(&weights, rows, outputs, k, arranged, &out, outStride, scratch)
            }
        }
        return out
    }
}

/// The product whose weights are used as floats.
@Suite struct ProductFloatTests {
    /// Rows on both sides of a tile's and a block's height and of the few, outputs on both sides of a panel's, a
    /// group's and a block's width, inputs on both sides of a vector's, a part's and a piece's length.
    static let shapes: [(rows: Int, outputs: Int, k: Int)] = [
        (0, 5, 7), (1, 0, 7), (3, 4, 0), (1, 1, 1), (1, 15, 31), (1, 16, 64), (1, 17, 300), (2, 33, 129),
        (3, 31, 70), (4, 48, 257), (5, 7, 128), (6, 40, 65), (7, 16, 255), (7, 65, 256), (16, 33, 300),
        (17, 20, 577), (12, 80, 513),
        (13, 130, 40), (1, 530, 40), (8, 530, 270), (9, 49, 600), (11, 1100, 20), (265, 17, 30), (530, 3, 9),
    ]

    static let types: [(String, ck_type, ck_type, byColumns: Bool)] = [
        ("f32", CK_F32, CK_F32, false), ("f16", CK_F16, CK_F32, false), ("bf16", CK_BF16, CK_BF16, false),
        ("f32 rounded to bf16", CK_F32, CK_BF16, false), ("bf16 rounded to f16", CK_BF16, CK_F16, false),
        ("f16 rounded to f16", CK_F16, CK_F16, false), ("Q8_0", CK_Q8_0, CK_F32, false),
        ("Q8_0 rounded to f16", CK_Q8_0, CK_F16, false), ("f32 by columns", CK_F32, CK_F32, true),
        ("f16 by columns", CK_F16, CK_F32, true), ("bf16 by columns", CK_BF16, CK_F32, true),
        ("f32 by columns, rounded to bf16", CK_F32, CK_BF16, true),
    ]

    @Test("each output is one chain of fused multiply-adds in order", arguments: types.map(\.0))
    func chain(name: String) throws {
        let (_, type, rounding, byColumns) = try #require(Self.types.first { $0.0 == name })
        for (index, (rows, outputs, length)) in Self.shapes.enumerated() {
            let k = length / ck_block_size(type) * ck_block_size(type)
            let seed = UInt64(100 + index)
            var generator = SeededGenerator(seed: seed)
            let weights = FloatWeights(
                type, rounding: rounding, byColumns: byColumns, outputs: outputs, k: k, using: &generator)
            let (xStride, outStride) = (k + 1, outputs + 3)
            let x = generator.floats(rows * xStride + 1)
            var expected = [Float](repeating: -7, count: rows * outStride)
            for r in 0..<rows {
                for j in 0..<outputs {
                    var y: Float = 0
                    for i in 0..<k { y.addProduct(x[r * xStride + i], weights.weight(j, i)) }
                    expected[r * outStride + j] = y
                }
            }
            InstructionSets.each { level in
                let found = weights.product(rows: rows, k: k, x, xStride: xStride, outStride: outStride)
                #expect(
                    bits(found) == bits(expected),
                    "seed \(seed): level \(level.rawValue), \(rows) rows, \(outputs) outputs, k \(k)")
            }
        }
    }

    static let pairTypes: [(String, ck_type, byColumns: Bool)] = [
        ("bf16", CK_BF16, false), ("f32", CK_F32, false), ("Q8_0", CK_Q8_0, false),
        ("bf16 by columns", CK_BF16, true), ("f16 by columns", CK_F16, true),
    ]

    @Test(
        "in bf16 each output is one chain over pairs, the second of each first",
        arguments: pairTypes.map(\.0))
    func pairs(name: String) throws {
        let (_, type, byColumns) = try #require(Self.pairTypes.first { $0.0 == name })
        for (index, (rows, outputs, length)) in Self.shapes.enumerated() {
            let k = length / ck_block_size(type) * ck_block_size(type)
            let seed = UInt64(200 + index)
            var generator = SeededGenerator(seed: seed)
            let weights = FloatWeights(
                type, rounding: CK_BF16, byColumns: byColumns, outputs: outputs, k: k, using: &generator)
            let (xStride, outStride) = (k + 1, outputs + 3)
            let x = generator.floats(rows * xStride + 1)
            var expected = [Float](repeating: -7, count: rows * outStride)
            for r in 0..<rows {
                let row = (0..<k).map { FloatWeights.bfloat(x[r * xStride + $0]) }
                for j in 0..<outputs {
                    expected[r * outStride + j] = Self.pairChain(row, (0..<k).map { weights.weight(j, $0) })
                }
            }
            InstructionSets.each { level in
                let found = weights.product(
                    rows: rows, k: k, x, xStride: xStride, outStride: outStride, inPairs: true)
                #expect(
                    bits(found) == bits(expected),
                    "seed \(seed): level \(level.rawValue), \(rows) rows, \(outputs) outputs, k \(k)")
            }
        }
    }

    /// y = fma(x₀, w₀, fma(x₁, w₁, y)) for each pair, with zeros in place of what is missing or subnormal.
    private static func pairChain(_ x: [Float], _ w: [Float]) -> Float {
        var y: Float = 0
        func add(_ index: Int) {
            let isThere = index < x.count
            y.addProduct(isThere ? flushed(x[index]) : 0, isThere ? flushed(w[index]) : 0)
            y = flushed(y)
        }
        for index in stride(from: 0, to: x.count, by: 2) {
            add(index + 1)
            add(index)
        }
        return y
    }

    private static func flushed(_ value: Float) -> Float {
        value.isSubnormal ? Float(signOf: value, magnitudeOf: 0) : value
    }

    @Test("bf16 pairs of any bits give the same: subnormal, halfway, infinite, NaN")
    func pairsOfAnyBits() {
        var generator = SeededGenerator(seed: 32)
        for index in 0..<2_000 {
            // Every other time the exponents are near each other, so that sums are rounded and cancel.
            func any() -> Float {
                let bits = UInt32.random(in: 0...0xffff, using: &generator)
                let near = bits & 0x807f | UInt32.random(in: 120...134, using: &generator) << 7
                let tiny = bits & 0x807f | UInt32.random(in: 55...72, using: &generator) << 7
                return Float(bitPattern: [bits, near, tiny, near][index % 4] << 16)
            }
            let x = (0..<4).map { _ in any() }
            let w = (0..<4).map { _ in any() }
            let expected = Self.pairChain(x, w)
            let weights = FloatWeights(row: w)
            InstructionSets.each { level in
                let found = weights.product(rows: 1, k: 4, x, xStride: 4, outStride: 1, inPairs: true)
                #expect(bits(found) == bits([expected]), "level \(level.rawValue): \(x) · \(w)")
            }
        }
    }

    @Test("a multiply-add is rounded once for any bits: subnormal, halfway, infinite, NaN")
    func fused() {
        var generator = SeededGenerator(seed: 31)
        let special: [Float] = [
            0, -0.0, 1, -1, 1 + .ulpOfOne, 1 - .ulpOfOne / 2, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .greatestFiniteMagnitude, .infinity, .nan, 0x1p-75, 0x1.000002p-100, 0x1.8p-50, 0x1p24, 0x1p-24,
        ]
        // Two steps: y = x0 w0, then fma(x1, w1, y). Every third product nearly cancels what is there.
        var x: [Float] = []
        var w: [Float] = []
        for index in 0..<6_000 {
            func any() -> Float {
                Bool.random(using: &generator)
                    ? Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
                    : special[Int.random(in: 0..<special.count, using: &generator)]
            }
            x += [any(), any()]
            w += [any(), any()]
            if index % 3 == 0 {
                let (a, b) = (x[2 * index], w[2 * index])
                x[2 * index + 1] = -a
                w[2 * index + 1] = index % 2 == 0 ? b.nextUp : b
            }
        }
        for start in stride(from: 0, to: x.count, by: 2) {
            var expected: Float = 0
            expected.addProduct(x[start], w[start])
            expected.addProduct(x[start + 1], w[start + 1])
            let weights = FloatWeights(row: [w[start], w[start + 1]])
            InstructionSets.each { level in
                let found = weights.product(
                    rows: 1, k: 2, [x[start], x[start + 1]], xStride: 2, outStride: 1)
                #expect(
                    bits(found) == bits([expected]),
                    "level \(level.rawValue): \(x[start])·\(w[start]) + \(x[start + 1])·\(w[start + 1])")
            }
        }
    }
}

extension FloatWeights {
    /// f32 weights of one output.
    fileprivate init(row: [Float]) {
        var generator = SeededGenerator(seed: 0)
        self.init(CK_F32, rounding: CK_F32, byColumns: false, outputs: 1, k: row.count, using: &generator)
        values = row
        let stored = row.flatMap { withUnsafeBytes(of: $0) { [UInt8]($0) } }
        bytes.replaceSubrange(1..<1 + stored.count, with: stored)
    }
}
