import Foundation

/// The normal w of the plane through the origin that parts vectors d from their mirror images -d:
///
///     minimise |w|² / (2 C) + 2 Σ log(1 + exp(-w · d))
///
/// what logistic regression without intercept finds for pairs that are centred on their middle. Newton's method,
/// each step solved by conjugate gradients; float64.
enum LogisticDirection {
    private static let mostSteps = 60
    /// Of the gradient's length beside the one at w = 0.
    private static let tolerance = 1e-10

    /// - Parameters:
    ///   - rows: half the difference of each pair, `[pairs, width]`.
    ///   - inversePenalty: C.
    /// - Returns: a vector of length 1, or nil if all rows are zero.
    static func of(_ rows: [[Double]], inversePenalty: Double) -> [Double]? {
        guard let width = rows.first?.count else { return nil }
        let penalty = 1 / inversePenalty
        var w = [Double](repeating: 0, count: width)
        var along = [Double](repeating: 0, count: rows.count)
        var start = 0.0
        for step in 0..<mostSteps {
            var gradient = w.map { $0 * penalty }
            var curvature = [Double](repeating: 0, count: rows.count)
            for (index, row) in rows.enumerated() {
                let p = 1 / (1 + exp(along[index]))
                gradient.add(row, times: -2 * p)
                curvature[index] = 2 * p * (1 - p)
            }
            let length = gradient.length
            if step == 0 { start = length }
            if length <= tolerance * start { break }
            let direction = solve(gradient, rows, curvature, penalty)
            // Towards the minimum, as far as the loss falls.
            let slope = dot(gradient, direction)
            let old = loss(w, along, penalty)
            let steps = rows.map { dot($0, direction) }
            var size = 1.0
            while size > 1e-12 {
                let next = zip(w, direction).map { $0 - size * $1 }
                let nextAlong = zip(along, steps).map { $0 - size * $1 }
                if loss(next, nextAlong, penalty) <= old - 1e-4 * size * slope {
                    (w, along) = (next, nextAlong)
                    break
                }
                size /= 2
            }
            if size <= 1e-12 { break }
        }
        return w.direction
    }

    private static func loss(_ w: [Double], _ along: [Double], _ penalty: Double) -> Double {
        // log(1 + e^-x) without overflow.
        let sum = along.reduce(0) { $0 + max(0, -$1) + log1p(exp(-abs($1))) }
        return penalty / 2 * dot(w, w) + 2 * sum
    }

    /// x with (penalty + Σ curvature r rᵀ) x = gradient.
    private static func solve(
        _ gradient: [Double], _ rows: [[Double]], _ curvature: [Double], _ penalty: Double
    ) -> [Double] {
        var x = [Double](repeating: 0, count: gradient.count)
        var residual = gradient
        var search = residual
        var square = dot(residual, residual)
        let enough = square * 1e-12
        for _ in 0..<min(200, 2 * rows.count + 2) where square > enough {
            var product = search.map { $0 * penalty }
            for (index, row) in rows.enumerated() {
                product.add(row, times: curvature[index] * dot(row, search))
            }
            let step = square / dot(search, product)
            guard step.isFinite else { break }
            x.add(search, times: step)
            residual.add(product, times: -step)
            let next = dot(residual, residual)
            search = zip(residual, search).map { $0 + next / square * $1 }
            square = next
        }
        return x
    }
}
