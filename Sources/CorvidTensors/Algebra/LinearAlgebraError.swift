/// Why linear algebra gave no result.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
    /// OpenBLAS could not be loaded.
    case missingLibrary(reason: String)
    /// The leading block of this order is not positive definite.
    case notPositiveDefinite(order: Int)
    /// NaN or infinity.
    case notFinite(row: Int, column: Int)
    /// More rows or columns than the library counts.
    case size(rows: Int, columns: Int)

    public var description: String {
        switch self {
        case .missingLibrary(let reason):
            "OpenBLAS could not be loaded: \(reason).\nInstall it, on Debian with 'apt-get install libopenblas0'."
        case .notPositiveDefinite(let order):
            "the matrix is not positive definite: its leading block of order \(order) is not; add a ridge to "
                + "its diagonal"
        case .notFinite(let row, let column):
            "the matrix has NaN or infinity at row \(row), column \(column)"
        case .size(let rows, let columns):
            "a matrix of \(rows) x \(columns) is too large for OpenBLAS"
        }
    }
}
