import CorvidTensors
import TestSupport
import Testing

/// Products against a plain sum in double of the same (dequantised, rounded) numbers.
@Suite struct LinearTests {
    static let weightTypes = DType.allCases.filter(\.holdsWeights)

    @Test("a product is x Wᵀ + b for every weight type, orientation and compute type", arguments: weightTypes)
    func matchesPlainSum(type: DType) throws {
        var generator = SeededGenerator(seed: 11)
        let pool = try WorkerPool(threads: 2)
        for (rows, outputs, inputs) in [(1, 5, 256), (3, 33, 512), (70, 48, 256), (2, 1, 256), (0, 7, 256)] {
            let weight = try RandomWeights.tensor(type, rows: outputs, columns: inputs, using: &generator)
            let bias = try Vector((0..<outputs).map { _ in Float.random(in: -1...1, using: &generator) })
            let x = try Matrix.random(rows: rows, columns: inputs, using: &generator)
            for compute in [nil, DType.f32, .bf16, .f16] {
                let linear = try Linear(weight, bias: bias, as: compute)
                let out = try Self.multiply(x, linear, pool)
                // Rounding of activations to int8 moves a sum of n terms by about √n / 254 of their size;
                // bf16 by √n / 512; f32 by much less.
                let tolerance = (linear.compute == .f32 ? 1e-5 : 0.02) * Double(inputs).squareRoot()
                try Self.expectClose(out, x, weight, bias, rounding: compute, tolerance: tolerance)
            }
        }
    }

    @Test(
        "a matrix stored by columns gives what the same matrix stored by rows gives",
        arguments: [DType.f32, .f16, .bf16])
    func columns(type: DType) throws {
        var generator = SeededGenerator(seed: 12)
        let pool = try WorkerPool(threads: 2)
        for (rows, outputs, inputs) in [(1, 7, 5), (4, 50, 33), (65, 20, 40)] {
            let stored = try RandomWeights.tensor(type, rows: inputs, columns: outputs, using: &generator)
            let values = try stored.floats()
            let turned = (0..<outputs).flatMap { output in (0..<inputs).map { values[$0 * outputs + output] }
            }
            let byRows = try Tensor(turned, shape: [outputs, inputs])
            let x = try Matrix.random(rows: rows, columns: inputs, using: &generator)
            for compute in [DType.f32, .bf16] {
                let out = try Self.multiply(x, try Linear(stored, orientation: .columns, as: compute), pool)
                let tolerance = compute == .f32 ? 1e-5 : 0.01 * Double(inputs).squareRoot()
                try Self.expectClose(out, x, byRows, nil, rounding: compute, tolerance: tolerance)
            }
        }
    }

    @Test("a row has the same bits alone, in any batch and on any number of threads", arguments: weightTypes)
    func rowBitsDoNotDependOnTheBatch(type: DType) throws {
        var generator = SeededGenerator(seed: 13)
        let inputs = 768
        let weight = try RandomWeights.tensor(type, rows: 100, columns: inputs, using: &generator)
        let x = try Matrix.random(rows: 150, columns: inputs, using: &generator)
        for compute in [nil, DType.f32, .bf16] {
            let linear = try Linear(weight, as: compute)
            let whole = try Self.multiply(x, linear, try WorkerPool(threads: 1))
            for (threads, size) in [(1, 1), (2, 2), (3, 3), (4, 8), (2, 33), (1, 64), (8, 149)] {
                let pool = try WorkerPool(threads: threads)
                for start in [0, 5, 150 - size] where start + size <= 150 {
                    let part = try Self.multiply(x.rows(start..<start + size), linear, pool)
                    for row in 0..<size {
                        #expect(
                            part.row(row).map(\.bitPattern) == whole.row(start + row).map(\.bitPattern),
                            "\(type) as \(String(describing: compute)), row \(row) of \(size) from \(start), \(threads) threads"
                        )
                    }
                }
            }
        }
    }

    @Test("several products in one region give what each gives alone, and the epilogue sees finished columns")
    func severalProducts() throws {
        var generator = SeededGenerator(seed: 14)
        let x = try Matrix.random(rows: 9, columns: 64, using: &generator)
        let linears = try [33, 5, 70].map {
            try Linear(try RandomWeights.tensor(.q8_0, rows: $0, columns: 64, using: &generator))
        }
        let alone = try linears.map { try Self.multiply(x, $0, try WorkerPool(threads: 1)) }
        let outs = try linears.map { try Matrix(rows: 9, columns: $0.outputs) }
        try WorkerPool(threads: 3).runBlocking { workers in
            let input = try ProductInput(x, for: linears, workers: workers, arena: Arena())
            try Linear.multiply(input, by: linears, into: outs, workers: workers) { index, range in
                Elementwise.add(alone[index], to: outs[index], columns: range)
            }
        }
        for (out, single) in zip(outs, alone) {
            #expect(out.values == single.values.map { $0 + $0 })
        }
    }

    @Test("a pair of products of different types fits its scratch memory, whatever its length and rows")
    func mixedPair() throws {
        var generator = SeededGenerator(seed: 16)
        let inputs = 512
        let outputs = 1_536  // more than one range of converted weights
        let linears = try [DType.q4_1, .f16, .q8_0].map {
            try Linear(try RandomWeights.tensor($0, rows: outputs, columns: inputs, using: &generator))
        }
        for rows in [1, 3, 12] {
            let x = try Matrix.random(rows: rows, columns: inputs, using: &generator)
            for (first, second) in [(0, 1), (1, 2), (1, 0), (0, 2)] {
                for threads in [1, 2, 3] {
                    let pool = try WorkerPool(threads: threads)
                    let alone = try [first, second].map { try Self.multiply(x, linears[$0], pool) }
                    let outs = try (
                        Matrix(rows: rows, columns: outputs), Matrix(rows: rows, columns: outputs)
                    )
                    try pool.runBlocking { workers in
                        let input = try ProductInput(
                            x, for: [linears[first], linears[second]], workers: workers, arena: Arena())
                        try Linear.multiplyPair(
                            input, by: linears[first], and: linears[second], into: outs, workers: workers
                        ) { range in Elementwise.add(outs.1, to: outs.0, columns: range) }
                    }
                    #expect(outs.1.values == alone[1].values)
                    #expect(outs.0.values == zip(alone[0].values, alone[1].values).map { $0 + $1 })
                }
            }
        }
    }

    @Test("a row with NaN or infinity leaves the other rows' bits unchanged and stays visible")
    func poisonedRow() throws {
        var generator = SeededGenerator(seed: 15)
        let pool = try WorkerPool(threads: 2)
        for type in [DType.q4_0, .q4_1, .q8_0, .q6_K, .f32] {
            let linear = try Linear(try RandomWeights.tensor(type, rows: 40, columns: 256, using: &generator))
            let x = try Matrix.random(rows: 20, columns: 256, using: &generator)
            let clean = try Self.multiply(x, linear, pool)
            for poison in [Float.nan, .infinity] {
                x[7, 100] = poison
                let out = try Self.multiply(x, linear, pool)
                for row in 0..<20 where row != 7 { #expect(out.row(row) == clean.row(row)) }
                #expect(out.row(7).allSatisfy { !$0.isFinite })
                x[7, 100] = 0.5
            }
        }
    }

    @Test("weights that are no matrix, or cannot compute as asked, are refused with the reason")
    func refusals() throws {
        let vector = try Tensor([1, 2, 3], shape: [3])
        #expect(throws: LinearError.notAMatrix(type: .f32, shape: [3])) { try Linear(vector) }
        let quantized = try Tensor(
            type: .q8_0, shape: [1, 32], bytes: try Bytes([UInt8](repeating: 0, count: 34)))
        #expect(throws: LinearError.conversion(from: .q8_0, to: .q4_0)) { try Linear(quantized, as: .q4_0) }
        #expect(throws: LinearError.columnsInBlocks(type: .q8_0)) {
            try Linear(quantized, orientation: .columns)
        }
        let bias = try Vector([1, 2])
        #expect(throws: LinearError.bias(found: 2, expected: 1)) { try Linear(quantized, bias: bias) }
    }

    // MARK: Helpers

    static func multiply(_ x: Matrix, _ linear: Linear, _ pool: WorkerPool) throws -> Matrix {
        let out = try Matrix(rows: x.rows, columns: linear.outputs)
        try pool.runBlocking { workers in
            let input = try ProductInput(x, for: [linear], workers: workers, arena: Arena())
            try Linear.multiply(input, by: [linear], into: [out], workers: workers)
        }
        return out
    }

    static func expectClose(
        _ out: Matrix, _ x: Matrix, _ weight: Tensor, _ bias: Vector?, rounding: DType?, tolerance: Double
    ) throws {
        var weights = try weight.floats()
        if rounding == .f16 { weights = weights.map { Float(Float16($0)) } }
        let inputs = weight.columns
        for row in 0..<out.rows {
            let values = x.row(row)
            let size = Double(values.map(abs).max() ?? 0)
            for output in 0..<out.columns {
                var sum = Double(bias?.values[output] ?? 0)
                for input in 0..<inputs {
                    sum += Double(values[input]) * Double(weights[output * inputs + input])
                }
                let difference = abs(Double(out[row, output]) - sum)
                #expect(
                    difference <= tolerance * max(size, 1e-3) + 1e-6,
                    "row \(row), output \(output) of \(weight.type)")
            }
        }
    }
}
