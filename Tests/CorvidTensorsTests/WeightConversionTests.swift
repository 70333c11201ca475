import TestSupport
import Testing

@testable import CorvidTensors

/// Matrices on their way into another type.
@Suite struct WeightConversionTests {
    static let types: [DType] = [
        .f32, .f16, .bf16, .i8, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K,
    ]
    private let pool: WorkerPool

    init() throws { pool = try WorkerPool(threads: 3) }

    private func weights(_ rows: Int, _ columns: Int, type: DType = .f32, seed: UInt64 = 1) throws -> Tensor {
        var generator = SeededGenerator(seed: seed)
        return try RandomWeights.tensor(type, rows: rows, columns: columns, using: &generator)
    }

    private func convert(_ conversion: WeightConversion, _ range: Range<Int>? = nil) throws -> Tensor {
        try pool.runBlocking { workers in
            try conversion.rows(range ?? 0..<conversion.rows, workers: workers)
        }
    }

    private func expectSame(_ a: Tensor, _ b: Tensor, _ comment: Comment) {
        #expect(a.bytes.array == b.bytes.array, comment)
        #expect(a.rowScales?.values == b.rowScales?.values, comment)
    }

    @Test("pieces have the bytes of the whole", arguments: types)
    func pieces(type: DType) throws {
        let conversion = try WeightConversion(weights(37, 512), to: type)
        let whole = try convert(conversion)
        #expect(whole.shape == [37, 512])
        for range in [0..<1, 5..<20, 36..<37, 12..<12] {
            expectSame(try convert(conversion, range), try whole.rows(range), "\(range)")
        }
    }

    @Test("a transposed matrix converts like one that was stored so", arguments: types)
    func transposed(type: DType) throws {
        let stored = try weights(256, 150)
        let values = try stored.floats()
        let flipped = (0..<150).flatMap { column in (0..<256).map { values[$0 * 150 + column] } }
        let expected = try convert(WeightConversion(Tensor(flipped, shape: [150, 256]), to: type))
        let conversion = try WeightConversion(stored, to: type, transposed: true)
        expectSame(try convert(conversion), expected, "whole")
        expectSame(try convert(conversion, 60..<131), try expected.rows(60..<131), "part")
    }

    @Test("quantised weights can be transposed, too", arguments: [DType.q4_0, .q6_K, .i8, .bf16])
    func transposedBlocks(type: DType) throws {
        let plain = try weights(40, 512)
        let stored = try convert(WeightConversion(plain, to: type))
        let values = try stored.floats()
        let flipped = try convert(WeightConversion(stored, to: .f32, transposed: true))
        #expect(try flipped.floats() == (0..<512).flatMap { c in (0..<40).map { values[$0 * 512 + c] } })
        let part = try convert(WeightConversion(stored, to: .f32, transposed: true), 100..<300)
        #expect(part.bytes.array == (try flipped.rows(100..<300)).bytes.array)
    }

    @Test("an order puts stored rows elsewhere")
    func order() throws {
        let stored = try weights(6, 32)
        let order = [5, 0, 0, 3, 1, 2]
        let found = try convert(WeightConversion(stored, to: .q8_0, order: order))
        let plain = try convert(WeightConversion(stored, to: .q8_0))
        for (place, row) in order.enumerated() {
            #expect(try found.rows(place..<place + 1).bytes.array == plain.rows(row..<row + 1).bytes.array)
        }
    }

    @Test("f32 is what the weights decode to, from every type", arguments: types)
    func decodes(type: DType) throws {
        let stored = try convert(WeightConversion(weights(9, 256), to: type))
        #expect(try convert(WeightConversion(stored, to: .f32)).floats() == stored.floats())
    }

    @Test("a bad value is reported with its row")
    func faults() throws {
        var values = [Float](repeating: 1, count: 4 * 32)
        values[2 * 32 + 5] = .nan
        let bad = try WeightConversion(Tensor(values, shape: [4, 32]), to: .q4_0)
        #expect(throws: WeightConversionError.notFinite(row: 2)) { try convert(bad) }
        values[2 * 32 + 5] = 1e9
        let large = try WeightConversion(Tensor(values, shape: [4, 32]), to: .f16)
        #expect(throws: WeightConversionError.tooLarge(row: 2, type: .f16)) { try convert(large) }
        #expect(throws: TensorError.blocks(type: .q4_K, shape: [4, 32])) {
            try WeightConversion(Tensor(values, shape: [4, 32]), to: .q4_K)
        }
        #expect(throws: TensorError.notWeights(type: .i32)) {
            try WeightConversion(Tensor(values, shape: [4, 32]), to: .i32)
        }
    }

    @Test("short rows get smaller blocks, then f16")
    func fallbacks() {
        let expected: [(DType, Int, DType)] = [
            (.q4_K, 256, .q4_K), (.q4_K, 576, .q5_0), (.q5_K, 576, .q5_1), (.q6_K, 576, .q8_0),
            (.q4_K, 100, .f16), (.q4_0, 576, .q4_0), (.q8_0, 100, .f16), (.i8, 7, .i8), (.bf16, 7, .bf16),
        ]
        for (type, columns, found) in expected { #expect(type.weightType(columns: columns) == found) }
    }

    @Test("a product with int8 weights is that of the kernel, over threads and ranges")
    func int8Product() throws {
        var generator = SeededGenerator(seed: 8)
        let weight = try convert(WeightConversion(weights(70, 100), to: .i8))
        let bias = try Vector(generator.floats(70))
        let linear = try Linear(weight, bias: bias)
        #expect(linear.compute == .int8)
        let x = try Matrix.random(rows: 11, columns: 100, using: &generator)
        var reference: [Float]?
        for threads in [1, 2, 4] {
            for rows in [11, 1, 5] {
                let out = try WorkerPool(threads: threads).runBlocking { workers in
                    let arena = Arena()
                    let out = try Matrix(rows: rows, columns: 70)
                    let input = try ProductInput(
                        x.rows(0..<rows), for: [linear], workers: workers, arena: arena)
                    try Linear.multiply(input, by: [linear], into: [out], workers: workers)
                    return out
                }
                let expected = reference ?? out.values
                #expect(out.values == Array(expected.prefix(rows * 70)), "\(threads) threads, \(rows) rows")
                reference = expected
            }
        }
        // Against the values that the integers stand for: activations lose half a step of 1/127.
        let values = try weight.floats()
        for row in 0..<11 {
            let most = x.row(row).map(abs).max() ?? 0
            for output in 0..<70 {
                let part = values[output * 100..<(output + 1) * 100]
                let exact = zip(part, x.row(row)).reduce(bias.values[output]) { $0 + $1.0 * $1.1 }
                let bound = part.reduce(0) { $0 + abs($1) } * most / 254 + 1e-4
                #expect(abs((reference?[row * 70 + output] ?? .nan) - exact) <= bound)
            }
        }
    }

    @Test("scales that do not fit are refused")
    func scales() throws {
        let matrix = try Tensor(type: .i8, shape: [2, 3], bytes: Bytes([1, 2, 3, 4, 5, 255]))
        #expect(!matrix.holdsWeights)
        #expect(throws: TensorError.scales(type: .i8, shape: [2, 3], found: 3)) {
            try matrix.scaled(byRows: Vector([1, 2, 3]))
        }
        let weights = try matrix.scaled(byRows: Vector([0.5, 2]))
        #expect(weights.holdsWeights)
        #expect(try weights.floats() == [0.5, 1, 1.5, 8, 10, -2])
        #expect(throws: LinearError.conversion(from: .i8, to: .f32)) { try Linear(weights, as: .f32) }
        #expect(throws: LinearError.columnsInBlocks(type: .i8)) {
            try Linear(weights, orientation: .columns)
        }
    }
}
