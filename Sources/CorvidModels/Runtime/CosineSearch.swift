/// Vectors in the order of their likeness to another one.
public enum CosineSearch {
    public struct Match: Sendable, Equatable {
        /// Of the vector among those that were searched.
        public let index: Int
        /// The cosine of the angle, -1...1; 0 if one of the vectors is zero.
        public let score: Double
    }

    /// The `count` vectors most like `query`, the most like first; of equal ones the earlier first.
    public static func nearest(to query: [Float], in vectors: [[Float]], count: Int) -> [Match] {
        let matches = vectors.enumerated().map { Match(index: $0, score: cosine(query, $1)) }
        // Sorting keeps the order of what is equal only by the index.
        let sorted = matches.sorted { ($1.score, $0.index) < ($0.score, $1.index) }
        return Array(sorted.prefix(max(0, count)))
    }

    /// The cosine of the angle between two vectors, in double.
    public static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var (product, squareA, squareB) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            product += Double(x) * Double(y)
            squareA += Double(x) * Double(x)
            squareB += Double(y) * Double(y)
        }
        let lengths = (squareA * squareB).squareRoot()
        return lengths > 0 ? product / lengths : 0
    }
}
