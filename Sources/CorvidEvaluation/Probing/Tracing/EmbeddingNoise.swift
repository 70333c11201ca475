import CorvidTensors

/// How the embeddings of a subject are corrupted.
public struct EmbeddingNoise: Codable, Sendable, Equatable {
    /// How strong the noise is.
    public enum Level: Codable, Sendable, Equatable {
        case absolute(Double)
        /// Times the standard deviation of the subjects' embeddings.
        case deviations(Double)
    }

    public enum Shape: String, Codable, Sendable, CaseIterable {
        case gaussian
        /// From -1 to 1, times the level.
        case uniform
        /// A normal distribution with the covariance of the subjects' embeddings, times the level.
        case covariance
        /// Student's distribution with that covariance's shape and 3 degrees of freedom, times the level.
        case student
    }

    public var level = Level.deviations(3)
    public var shape = Shape.gaussian
    /// Whether the noise stands in place of the embedding rather than being added to it.
    public var replaces = false

    public init(level: Level = .deviations(3), shape: Shape = .gaussian, replaces: Bool = false) {
        self.level = level
        self.shape = shape
        self.replaces = replaces
    }

    func validate() throws {
        switch level {
        case .absolute(let value), .deviations(let value):
            guard value.isFinite, value >= 0, value <= 1e6 else {
                throw TracingError.outOfRange(field: "noise", found: "\(value)", allowed: "0 to 1000000")
            }
        }
        if case .absolute = level, shape == .covariance || shape == .student {
            throw TracingError.absoluteCovariance
        }
    }
}

/// The noise of one trace, looked up by sample and place: it never depends on the cell that it is drawn for.
struct NoiseSource: Sendable {
    private let noise: EmbeddingNoise
    private let random: CounterRandom
    private let width: Int
    private let scale: Double
    /// The subjects' embeddings less their mean, over the root of their number: a sum of them with normal factors
    /// has their covariance. Empty where it does not count.
    private let directions: [[Float]]

    /// - Parameters:
    ///   - deviation: of all values of the subjects' embeddings.
    init(
        _ noise: EmbeddingNoise, seed: UInt64, width: Int, deviation: Double, embeddings: [[Float]]
    ) {
        self.noise = noise
        self.width = width
        random = CounterRandom(seed: seed)
        let needsCovariance = noise.shape == .covariance || noise.shape == .student
        switch noise.level {
        case .absolute(let level): scale = level
        case .deviations(let factor): scale = needsCovariance ? factor : factor * deviation
        }
        directions = needsCovariance ? Self.centred(embeddings) : []
    }

    /// The level, in the units of the embedding; for noise with a covariance, the factor on it.
    var level: Double { scale }

    /// Noise of a sample for the first `count` tokens of a subject, `[count, width]`.
    func vectors(sample: Int, count: Int) -> [Float] {
        (0..<count).flatMap { place -> [Float] in
            let draws: [Double]
            switch noise.shape {
            case .gaussian: draws = normals(width, sample: sample, place: place)
            case .uniform:
                draws = (0..<width).map { column in
                    2
                        * random.uniform(
                            stream: Self.stream(sample), step: UInt64(place), index: UInt32(column)) - 1
                }
            case .covariance: draws = correlated(sample: sample, place: place)
            case .student:
                // A normal vector over the root of an independent chi-squared number per degree of freedom.
                let squares = normals(
                    Self.degrees, sample: sample, place: place, first: UInt32(directions.count / 2 + 1)
                ).reduce(0) { $0 + $1 * $1 }
                let factor = (Double(Self.degrees) / max(squares, 1e-12)).squareRoot()
                draws = correlated(sample: sample, place: place).map { $0 * factor }
            }
            return draws.map { Float($0 * scale) }
        }
    }

    private static let degrees = 3

    private static func stream(_ sample: Int) -> UInt32 { UInt32(truncatingIfNeeded: sample) }

    /// Independent normal numbers, two from each word block of the generator.
    private func normals(_ count: Int, sample: Int, place: Int, first: UInt32 = 0) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(count + 1)
        var index = first
        while result.count < count {
            let pair = random.normals(stream: Self.stream(sample), step: UInt64(place), index: index)
            result += [pair.0, pair.1]
            index += 1
        }
        return Array(result.prefix(count))
    }

    private func correlated(sample: Int, place: Int) -> [Double] {
        var sum = [Double](repeating: 0, count: width)
        for (direction, factor) in zip(
            directions, normals(directions.count, sample: sample, place: place))
        {
            for column in 0..<width { sum[column] += factor * Double(direction[column]) }
        }
        return sum
    }

    private static func centred(_ rows: [[Float]]) -> [[Float]] {
        guard let width = rows.first?.count else { return [] }
        var mean = [Double](repeating: 0, count: width)
        for row in rows { for column in 0..<width { mean[column] += Double(row[column]) } }
        let root = Double(rows.count).squareRoot()
        return rows.map { row in
            (0..<width).map { Float((Double(row[$0]) - mean[$0] / Double(rows.count)) / root) }
        }
    }
}
