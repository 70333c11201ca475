/// Sums over rows and over products of their columns, n, Σ x and Σ x xᵀ, in f64: what every least-squares
/// method over these rows needs of them.
///
/// The sums do not depend on the number of threads.
public struct GramMatrix: Sendable {
    public let width: Int
    /// Rows that were added.
    public private(set) var count = 0
    /// Σ x, `[width]`.
    public private(set) var sums: [Double]
    /// Σ x xᵀ `[width, width]`: the lower triangle.
    private var lower: DoubleMatrix

    /// Columns of the sums that a task adds to.
    private static let blockColumns = 96

    /// - Throws: ``LinearAlgebraError/size(rows:columns:)``.
    public init(width: Int) throws(LinearAlgebraError) {
        self.width = width
        sums = [Double](repeating: 0, count: width)
        lower = try DoubleMatrix(rows: width, columns: width)
    }

    /// Adds rows `[count, width]`. Some thousand at a time keep the threads busy; the last bits of the sums
    /// depend on how the rows are divided among calls.
    public mutating func add(_ rows: [Double], workers: Workers) throws(LinearAlgebraError) {
        precondition(width > 0 && rows.count % width == 0, "rows must be as wide as the sums")
        let library = try OpenBLAS.shared
        let added = rows.count / width
        guard added > 0 else { return }
        guard added <= Int32.max else { throw .size(rows: added, columns: width) }
        let width = width
        let blocks = (width + Self.blockColumns - 1) / Self.blockColumns
        rows.withUnsafeBufferPointer { rows in
            lower.values.withUnsafeMutableBufferPointer { products in
                guard let x = rows.baseAddress, let out = products.baseAddress else { return }
                workers.forEach(blocks) { block, _ in
                    let first = block * Self.blockColumns
                    let columns = min(Self.blockColumns, width - first)
                    library.dgemm(
                        OpenBLAS.rowMajor, OpenBLAS.transposition(true), OpenBLAS.transposition(false),
                        Int32(width - first), Int32(columns), Int32(added), 1, x + first, Int32(width),
                        x + first, Int32(width), 1, out + first * width + first, Int32(width))
                }
                sums.withUnsafeMutableBufferPointer { sums in
                    for row in 0..<added {
                        let values = x + row * width
                        for column in 0..<width { sums[column] += values[column] }
                    }
                }
            }
        }
        count += added
    }

    /// Σ x y of two columns.
    public func product(_ first: Int, _ second: Int) -> Double {
        lower[max(first, second), min(first, second)]
    }

    /// Σ (x - mean)(y - mean) of the columns `rows` with the columns `columns`,
    /// `[rows, columns]`.
    public func scatter(_ rows: Range<Int>, _ columns: Range<Int>) throws(LinearAlgebraError) -> DoubleMatrix
    {
        var result = try DoubleMatrix(rows: rows.count, columns: columns.count)
        let scale = 1 / Double(max(1, count))
        for (i, row) in rows.enumerated() {
            for (j, column) in columns.enumerated() {
                result[i, j] = product(row, column) - sums[row] * sums[column] * scale
            }
        }
        return result
    }
}
