import CorvidModels
import CorvidTensors

/// A vector for each token of a list, f32.
public struct TokenVectors: Sendable {
    public let width: Int
    /// Row after row, a row for each token.
    public private(set) var values: [Float]

    public var count: Int { width > 0 ? values.count / width : 0 }

    /// - Parameter values: rows of `width` numbers.
    public init(_ values: [Float], width: Int) {
        precondition(width > 0 && values.count % width == 0, "vectors must have equal widths")
        self.values = values
        self.width = width
    }

    /// The vectors that a model has for the tokens of a vocabulary.
    /// - Throws: ``CharacterProbeError/fewRows(rows:id:piece:)``,
    ///   ``CharacterProbeError/notFinite(id:piece:)``, `OutputError` if the model has no output matrix,
    ///   `MemoryError`.
    public init(
        _ model: Model, _ matrix: Model.TokenMatrix, of vocabulary: ProbeVocabulary
    ) throws {
        let rows = try model.size(of: matrix).rows
        if let token = vocabulary.tokens.first(where: { Int($0.id) >= rows }) {
            throw CharacterProbeError.fewRows(rows: rows, id: token.id, piece: token.piece)
        }
        let matrix = try model.rows(vocabulary.tokens.map(\.id), of: matrix)
        self.init(matrix.values, width: matrix.columns)
        try checkFinite(vocabulary)
    }

    /// - Throws: ``CharacterProbeError/notFinite(id:piece:)``.
    func checkFinite(_ vocabulary: ProbeVocabulary) throws(CharacterProbeError) {
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
        let token = vocabulary.tokens[min(bad / width, vocabulary.tokens.count - 1)]
        throw .notFinite(id: token.id, piece: token.piece)
    }

    /// The deviation of all numbers together.
    var deviation: Double {
        guard !values.isEmpty else { return 0 }
        var sum = 0.0
        var squares = 0.0
        for value in values {
            sum += Double(value)
            squares += Double(value) * Double(value)
        }
        let mean = sum / Double(values.count)
        return max(0, squares / Double(values.count) - mean * mean).squareRoot()
    }

    /// Every column with mean 0 and deviation 1; constant columns become 0.
    func standardised() -> TokenVectors {
        var sums = [Double](repeating: 0, count: width)
        var squares = sums
        for row in 0..<count {
            for column in 0..<width {
                let value = Double(values[row * width + column])
                sums[column] += value
                squares[column] += value * value
            }
        }
        let total = Double(max(1, count))
        let means = sums.map { $0 / total }
        let scales = zip(squares, means).map { square, mean -> Double in
            let deviation = max(0, square / total - mean * mean).squareRoot()
            return deviation > 1e-12 ? 1 / deviation : 0
        }
        var result = self
        for row in 0..<count {
            for column in 0..<width {
                let place = row * width + column
                result.values[place] = Float((Double(values[place]) - means[column]) * scales[column])
            }
        }
        return result
    }

    /// What is probed in place of these vectors.
    func control(
        _ control: CharacterProbeSettings.Control, deviation: Double, random: ProbeRandom
    ) -> TokenVectors {
        switch control {
        case .random, .scaled:
            let deviation = control == .random ? deviation : self.deviation
            let index: UInt32 = control == .random ? 0 : 1
            return TokenVectors(
                random.normals(values.count, deviation: deviation, .rows, index: index), width: width)
        case .permuted:
            let order = random.order(count, .rows, index: 2)
            return TokenVectors(Float.gather(values, width: width, order[...]), width: width)
        }
    }
}
