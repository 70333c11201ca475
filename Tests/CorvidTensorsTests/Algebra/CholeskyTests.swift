import CorvidTensors
import TestSupport
import Testing

@Suite struct CholeskyTests {
    /// B Bᵀ + n I, with its products summed by hand.
    private func positiveDefinite(_ order: Int, seed: UInt64) throws -> DoubleMatrix {
        var generator = SeededGenerator(seed: seed)
        let b = try DoubleMatrix(generator.doubles(order * order), rows: order, columns: order)
        var result = try b.multiplied(by: b, otherTransposed: true)
        for index in 0..<order { result[index, index] += Double(order) }
        return result
    }

    @Test("the factor of a matrix written out by hand") func byHand() throws {
        // L = (2 0 0; 1 3 0; -1 2 1), L Lᵀ = (4 2 -2; 2 10 5; -2 5 6)
        let matrix = try DoubleMatrix([4, 2, -2, 2, 10, 5, -2, 5, 6], rows: 3, columns: 3)
        let factor = try Cholesky(matrix).factor
        expectClose(factor.values, [2, 0, 0, 1, 3, 0, -1, 2, 1], within: 1e-14)
    }

    @Test("a solution solves, and whitened rows have the products of the inverse", arguments: [1, 7, 130])
    func solves(order: Int) throws {
        let matrix = try positiveDefinite(order, seed: 4)
        var generator = SeededGenerator(seed: 5)
        let right = try DoubleMatrix(generator.doubles(order * 3), rows: order, columns: 3)
        let factor = try Cholesky(matrix)
        let solution = try factor.solve(right)
        expectClose(try matrix.multiplied(by: solution).values, right.values, within: 1e-11)
        // (L⁻¹ b)ᵀ (L⁻¹ b) = bᵀ A⁻¹ b
        let rows = try DoubleMatrix(
            (0..<3).flatMap { column in (0..<order).map { right[$0, column] } }, rows: 3, columns: order)
        let whitened = try factor.whiten(rows)
        let products = try whitened.multiplied(by: whitened, otherTransposed: true)
        let expected = try right.multiplied(by: solution, transposed: true)
        expectClose(products.values, expected.values, within: 1e-11)
    }

    @Test("more threads of the library give the same factor within rounding") func threads() throws {
        let matrix = try positiveDefinite(200, seed: 6)
        expectClose(
            try Cholesky(matrix, threads: 2).factor.values, try Cholesky(matrix).factor.values, within: 1e-11)
    }

    @Test("a matrix that is not positive definite is refused with the order of the block that is not")
    func refused() throws {
        let indefinite = try DoubleMatrix([4, 2, 2, 1], rows: 2, columns: 2)
        #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 2)) { try Cholesky(indefinite) }
        let negative = try DoubleMatrix([-1], rows: 1, columns: 1)
        #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 1)) { try Cholesky(negative) }
    }

    @Test("NaN is named with its place, and the empty matrix is no trouble") func edges() throws {
        let bad = try DoubleMatrix([1, 0, .nan, 1], rows: 2, columns: 2)
        #expect(throws: LinearAlgebraError.notFinite(row: 1, column: 0)) { try Cholesky(bad) }
        #expect(try Cholesky(DoubleMatrix(rows: 0, columns: 0)).order == 0)
        #expect(throws: LinearAlgebraError.size(rows: Int.max, columns: 2)) {
            try DoubleMatrix(rows: Int.max, columns: 2)
        }
    }
}

@Suite struct GramMatrixTests {
    @Test("sums and products are those of plain loops") func plain() throws {
        var generator = SeededGenerator(seed: 7)
        let (rows, width) = (37, 5)
        let values = generator.doubles(rows * width)
        let gram = try Self.gram(values, width: width, threads: 1, parts: 1)
        #expect(gram.count == rows)
        func column(_ index: Int) -> [Double] { (0..<rows).map { values[$0 * width + index] } }
        let scatter = try gram.scatter(0..<2, 1..<5)
        for i in 0..<width {
            expectClose([gram.sums[i]], [column(i).reduce(0, +)], within: 1e-12)
            for j in 0..<width {
                let expected = zip(column(i), column(j)).reduce(0) { $0 + $1.0 * $1.1 }
                expectClose([gram.product(i, j)], [expected], within: 1e-12)
                guard i < 2, j >= 1 else { continue }
                let (a, b) = (column(i), column(j))
                let (ma, mb) = (a.reduce(0, +) / Double(rows), b.reduce(0, +) / Double(rows))
                let centred = zip(a, b).reduce(0) { $0 + ($1.0 - ma) * ($1.1 - mb) }
                expectClose([scatter[i, j - 1]], [centred], within: 1e-12)
            }
        }
    }

    @Test("the bits do not depend on the number of threads", arguments: [2, 3])
    func threads(count: Int) throws {
        var generator = SeededGenerator(seed: 8)
        let values = generator.doubles(64 * 250)
        let one = try Self.gram(values, width: 250, threads: 1, parts: 2)
        let many = try Self.gram(values, width: 250, threads: count, parts: 2)
        #expect(one.sums == many.sums)
        #expect(try one.scatter(0..<250, 0..<250) == many.scatter(0..<250, 0..<250))
    }

    private static func gram(
        _ values: [Double], width: Int, threads: Int, parts: Int
    ) throws -> GramMatrix {
        try WorkerPool(threads: threads).runBlocking { workers in
            var gram = try GramMatrix(width: width)
            let size = values.count / width / parts * width
            for part in 0..<parts {
                let end = part == parts - 1 ? values.count : (part + 1) * size
                try gram.add(Array(values[part * size..<end]), workers: workers)
            }
            return gram
        }
    }
}

extension SeededGenerator {
    mutating func doubles(_ count: Int) -> [Double] {
        (0..<count).map { _ in Double.random(in: -1...1, using: &self) }
    }
}

/// Checks numbers against others, with an allowance for numbers around 1 and above.
func expectClose(
    _ found: [Double], _ expected: [Double], within tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (index, (a, b)) in zip(found, expected).enumerated() {
        #expect(
            abs(a - b) <= tolerance * max(1, abs(b)), "at \(index): \(a), expected \(b)",
            sourceLocation: sourceLocation)
    }
}
