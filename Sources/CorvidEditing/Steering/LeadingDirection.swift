/// The direction in which some vectors are spread most, from the origin: the first right singular vector.
///
/// Lanczos' method on x -> Σ r (r · x) with every new vector made orthogonal to all before, restarted from the best
/// vector so far. In float64, and the same bits whatever the number of threads.
///
/// Source: Golub and Van Loan, 2013, "Matrix Computations", sections 10.1 and 10.3.
enum LeadingDirection {
    /// Dimensions of the subspace between restarts.
    private static let steps = 32
    private static let restarts = 50
    /// Of the residual beside the singular value's square.
    private static let tolerance = 1e-12

    /// - Parameter rows: `[rows, width]`.
    /// - Returns: a vector of length 1, or nil if all rows are zero.
    static func of(_ rows: [[Double]]) -> [Double]? {
        // The longest row is never orthogonal to all that matters, as a constant could be.
        guard let longest = rows.max(by: { dot($0, $0) < dot($1, $1) }), var best = longest.direction else {
            return nil
        }
        for _ in 0..<restarts {
            let (next, residual) = improved(best, rows)
            best = next
            if residual <= tolerance { break }
        }
        return best
    }

    private static func product(_ rows: [[Double]], _ x: [Double]) -> [Double] {
        var sum = [Double](repeating: 0, count: x.count)
        for row in rows { sum.add(row, times: dot(row, x)) }
        return sum
    }

    /// The best vector of the Krylov space of `start`, and how far it is from being an eigenvector.
    private static func improved(_ start: [Double], _ rows: [[Double]]) -> ([Double], residual: Double) {
        var basis = [start]
        var diagonal: [Double] = []
        var beside: [Double] = []
        while basis.count <= min(steps, start.count) {
            var next = product(rows, basis[basis.count - 1])
            diagonal.append(dot(next, basis[basis.count - 1]))
            // Twice is enough (Kahan and Parlett).
            for _ in 0..<2 {
                for vector in basis { next.add(vector, times: -dot(next, vector)) }
            }
            let length = next.length
            guard length > 1e-13 * (diagonal.max() ?? 0), basis.count < min(steps, start.count) else { break }
            beside.append(length)
            basis.append(next.map { $0 / length })
        }
        let size = diagonal.count
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
        for index in 0..<size {
            matrix[index][index] = diagonal[index]
            if index + 1 < size {
                matrix[index][index + 1] = beside[index]
                matrix[index + 1][index] = beside[index]
            }
        }
        let (values, vectors) = Jacobi.eigen(matrix)
        let top = values.indices.max { values[$0] < values[$1] } ?? 0
        var best = [Double](repeating: 0, count: start.count)
        for index in 0..<size { best.add(basis[index], times: vectors[index][top]) }
        guard let direction = best.direction else { return (start, 0) }
        var residual = product(rows, direction)
        let value = dot(residual, direction)
        residual.add(direction, times: -value)
        return (direction, value > 0 ? residual.length / value : 0)
    }
}

/// Eigenvalues and eigenvectors of a small symmetric matrix by rotations (Jacobi, 1846).
enum Jacobi {
    /// - Returns: values, and a matrix whose columns are the vectors.
    static func eigen(_ symmetric: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
        var a = symmetric
        let size = a.count
        var vectors = (0..<size).map { row in (0..<size).map { $0 == row ? 1.0 : 0.0 } }
        for _ in 0..<60 {
            var off = 0.0
            var on = 0.0
            for row in 0..<size {
                on += a[row][row] * a[row][row]
                for column in 0..<row { off += a[row][column] * a[row][column] }
            }
            if off <= 1e-30 * on || off == 0 { break }
            for p in 0..<size {
                for q in p + 1..<max(p + 1, size) where a[p][q] != 0 {
                    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot()
                    let s = t * c
                    for k in 0..<size {
                        let (x, y) = (a[k][p], a[k][q])
                        a[k][p] = c * x - s * y
                        a[k][q] = s * x + c * y
                    }
                    for k in 0..<size {
                        let (x, y) = (a[p][k], a[q][k])
                        a[p][k] = c * x - s * y
                        a[q][k] = s * x + c * y
                    }
                    for k in 0..<size {
                        let (x, y) = (vectors[k][p], vectors[k][q])
                        vectors[k][p] = c * x - s * y
                        vectors[k][q] = s * x + c * y
                    }
                }
            }
        }
        return ((0..<size).map { a[$0][$0] }, vectors)
    }
}
