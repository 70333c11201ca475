import CorvidTensors
import Testing

@Suite struct RandomTensorTests {
    static let types: [DType] = [
        .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K,
    ]

    private static func tensor(
        _ type: DType, shape: [Int] = [64, 1024], seed: UInt64 = 1, stream: UInt32 = 0, threads: Int = 2
    ) throws -> Tensor {
        try WorkerPool(threads: threads).runBlocking { workers in
            try Tensor.random(
                type, shape: shape, deviation: 0.02, seed: seed, stream: stream, workers: workers)
        }
    }

    @Test("the values have the deviation that was asked for, and a mean of about 0", arguments: types)
    func deviation(type: DType) throws {
        let values = try Self.tensor(type).floats().map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        // Quants of 4 bits have a mean of half a step, a tenth of the deviation.
        #expect(abs(mean) < 0.0025, "\(mean)")
        #expect((0.018...0.022).contains(variance.squareRoot()), "\(variance.squareRoot())")
        #expect(Set(values).count > 15)
    }

    @Test("the bytes depend on seed and stream, not on the threads", arguments: types)
    func sameBytes(type: DType) throws {
        // Longer than a task's share, and no multiple of it.
        let shape = [33, 1024]
        let bytes = try Self.tensor(type, shape: shape).bytes.array
        #expect(try Self.tensor(type, shape: shape, threads: 1).bytes.array == bytes)
        #expect(try Self.tensor(type, shape: shape, threads: 5).bytes.array == bytes)
        #expect(try Self.tensor(type, shape: shape, seed: 2).bytes.array != bytes)
        #expect(try Self.tensor(type, shape: shape, stream: 1).bytes.array != bytes)
    }

    @Test("rows differ from one another", arguments: types) func rows(type: DType) throws {
        let tensor = try Self.tensor(type)
        let rows = try Set((0..<64).map { try tensor.rows($0..<$0 + 1).floats() })
        #expect(rows.count == 64)
    }

    @Test("a vector may have any length") func lengths() throws {
        for count in [0, 1, 3, 5, 4097] {
            #expect(try Self.tensor(.f32, shape: [count]).floats().count == count)
            #expect(try Self.tensor(.f16, shape: [count]).floats().allSatisfy { abs($0) < 0.2 })
        }
    }

    @Test("what cannot be made is refused") func refused() throws {
        #expect(throws: TensorError.self) { try Self.tensor(.q4_0, shape: [2, 31]) }
        #expect(throws: TensorError.self) { try Self.tensor(.i64, shape: [2]) }
        #expect(throws: TensorError.self) { try Self.tensor(.f32, shape: [Int.max, 8]) }
    }
}
