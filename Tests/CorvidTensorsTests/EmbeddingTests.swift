import CorvidTensors
import Testing

@Suite struct EmbeddingTests {
    private func look(_ type: DType?, adding: Bool = false) throws -> [Float] {
        let table = try Tensor([1 + 1 / 512, 3, 1 / 3, -2.0005], shape: [2, 2])
        let out = try Matrix([10, 20, 30, 40], rows: 2, columns: 2)
        try Embedding(table, as: type).look(up: [1, 0], into: out, adding: adding)
        return (0..<2).flatMap { row in (0..<2).map { out[row, $0] } }
    }

    @Test("vectors are looked up as if the table had been converted")
    func rounding() throws {
        #expect(try look(nil) == [1 / 3, -2.0005, 1 + 1 / 512, 3])
        #expect(try look(.f32) == look(nil))
        #expect(try look(.bf16) == [0.333984375, -2, 1, 3])
        #expect(try look(.f16) == [0.333251953125, -2, 1 + 1 / 512, 3])
        #expect(try look(.bf16, adding: true) == [10.333984375, 18, 31, 43])
    }

    @Test("a table cannot be converted to a type of blocks")
    func blocks() {
        #expect(throws: LinearError.conversion(from: .f32, to: .q8_0)) { try look(.q8_0) }
    }
}
