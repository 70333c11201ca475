/// The factor L of a symmetric positive definite matrix, A = L Lᵀ, and what is solved with it.
public struct Cholesky: Sendable {
    public var order: Int { factor.rows }
    /// L, `[order, order]`; zeros above the diagonal.
    public let factor: DoubleMatrix

    /// Reads the lower triangle of `matrix`, `[n, n]`. Costs n³ / 3 multiply-adds.
    /// - Parameter threads: threads of the library. Another number may give other last bits.
    /// - Throws: ``LinearAlgebraError/notPositiveDefinite(order:)`` (also of a singular matrix: add a ridge),
    ///   ``LinearAlgebraError/notFinite(row:column:)``, ``LinearAlgebraError/missingLibrary(reason:)``.
    public init(_ matrix: DoubleMatrix, threads: Int = 1) throws(LinearAlgebraError) {
        precondition(matrix.rows == matrix.columns, "a matrix to be factorised must be square")
        try matrix.checkFinite()
        let library = try OpenBLAS.shared
        let order = matrix.rows
        var values = matrix.values
        var info: Int32 = 0
        if order > 0 {
            values.withUnsafeMutableBufferPointer { values in
                guard let base = values.baseAddress else { return }
                var size = Int32(order)
                // By columns, as LAPACK reads it, the lower triangle of our rows is the upper one: A = Uᵀ U.
                library.withThreads(threads) {
                    [CChar](arrayLiteral: 85, 0).withUnsafeBufferPointer { upper in
                        guard let upper = upper.baseAddress else { return }
                        library.dpotrf(upper, &size, base, &size, &info, 1)
                    }
                }
            }
        }
        guard info == 0 else { throw .notPositiveDefinite(order: Int(info.magnitude)) }
        for row in 0..<order {
            guard values[row * order + row].isFinite else { throw .notPositiveDefinite(order: row + 1) }
            for column in row + 1..<max(row + 1, order) { values[row * order + column] = 0 }
        }
        factor = DoubleMatrix(unchecked: values, rows: order, columns: order)
    }

    /// X with A X = B, `[order, columns]`.
    public func solve(_ right: DoubleMatrix) throws(LinearAlgebraError) -> DoubleMatrix {
        precondition(right.rows == order, "the right side must have as many rows as the matrix")
        var result = right
        try Self.solve(
            factor, side: OpenBLAS.left, transposed: false, &result.values, rows: order,
            columns: right.columns)
        try Self.solve(
            factor, side: OpenBLAS.left, transposed: true, &result.values, rows: order,
            columns: right.columns)
        return result
    }

    /// L⁻¹ x of each row x of `rows`, `[count, order]`: rows whose products are those of A⁻¹,
    /// (L⁻¹ x) · (L⁻¹ y) = xᵀ A⁻¹ y.
    public func whiten(_ rows: DoubleMatrix) throws(LinearAlgebraError) -> DoubleMatrix {
        precondition(rows.columns == order, "the rows must be as wide as the matrix")
        var result = rows
        try whiten(&result.values, count: rows.rows)
        return result
    }

    /// The same in place, of `count` rows.
    func whiten(_ rows: inout [Double], count: Int) throws(LinearAlgebraError) {
        try Self.solve(
            factor, side: OpenBLAS.right, transposed: true, &rows, rows: count, columns: order)
    }

    private static func solve(
        _ factor: DoubleMatrix, side: Int32, transposed: Bool, _ values: inout [Double], rows: Int,
        columns: Int
    ) throws(LinearAlgebraError) {
        let library = try OpenBLAS.shared
        guard rows > 0, columns > 0 else { return }
        factor.values.withUnsafeBufferPointer { factorValues in
            values.withUnsafeMutableBufferPointer { values in
                guard let a = factorValues.baseAddress, let b = values.baseAddress else { return }
                library.dtrsm(
                    OpenBLAS.rowMajor, side, OpenBLAS.lower, OpenBLAS.transposition(transposed),
                    OpenBLAS.nonUnit, Int32(rows), Int32(columns), 1, a, Int32(factor.columns), b,
                    Int32(columns))
            }
        }
    }
}
