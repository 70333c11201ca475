/// A matrix of f64 numbers `[rows, columns]`, row after row: what needs more digits than a forward pass.
public struct DoubleMatrix: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    public internal(set) var values: [Double]

    /// A matrix of zeros.
    /// - Throws: ``LinearAlgebraError/size(rows:columns:)`` if OpenBLAS does not count so far.
    public init(rows: Int, columns: Int) throws(LinearAlgebraError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, rows <= Int32.max, columns <= Int32.max, !overflow else {
            throw .size(rows: rows, columns: columns)
        }
        self.init(
            unchecked: [Double](repeating: 0, count: count), rows: rows, columns: columns)
    }

    /// - Parameter values: `rows · columns` numbers.
    public init(_ values: [Double], rows: Int, columns: Int) throws(LinearAlgebraError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, rows <= Int32.max, columns <= Int32.max, !overflow else {
            throw .size(rows: rows, columns: columns)
        }
        precondition(values.count == count, "values must fill the matrix")
        self.init(unchecked: values, rows: rows, columns: columns)
    }

    init(unchecked values: [Double], rows: Int, columns: Int) {
        self.values = values
        self.rows = rows
        self.columns = columns
    }

    public subscript(row: Int, column: Int) -> Double {
        get {
            precondition(
                row >= 0 && row < rows && column >= 0 && column < columns, "element outside the matrix")
            return values[row * columns + column]
        }
        set {
            precondition(
                row >= 0 && row < rows && column >= 0 && column < columns, "element outside the matrix")
            values[row * columns + column] = newValue
        }
    }

    /// A · B, or with either of them transposed.
    /// - Throws: ``LinearAlgebraError/missingLibrary(reason:)``.
    public func multiplied(
        by other: DoubleMatrix, transposed: Bool = false, otherTransposed: Bool = false
    ) throws(LinearAlgebraError) -> DoubleMatrix {
        let (m, inner) = transposed ? (columns, rows) : (rows, columns)
        let (otherInner, n) = otherTransposed ? (other.columns, other.rows) : (other.rows, other.columns)
        precondition(inner == otherInner, "the inner sizes of a product must be equal")
        var result = try DoubleMatrix(rows: m, columns: n)
        try Double.multiply(
            values, transposed: transposed, other.values, otherTransposed: otherTransposed, rows: m,
            columns: n,
            inner: inner, into: &result.values)
        return result
    }

    /// The place of the first NaN or infinity.
    /// - Throws: ``LinearAlgebraError/notFinite(row:column:)``.
    func checkFinite() throws(LinearAlgebraError) {
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(row: index / max(1, columns), column: index % max(1, columns))
        }
    }
}
