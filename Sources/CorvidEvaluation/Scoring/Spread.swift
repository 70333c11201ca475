/// Some values of one measure, such as over seeds.
public struct Spread: Sendable, Equatable {
    public let values: [Double]

    /// - Throws: ``ScoringError/noItems`` for no values.
    public init(_ values: [Double]) throws {
        if values.isEmpty { throw ScoringError.noItems }
        self.values = values
    }

    public var mean: Double { values.reduce(0, +) / Double(values.count) }
    public var minimum: Double { values.min() ?? .nan }
    public var maximum: Double { values.max() ?? .nan }

    /// The root of the mean square of the deviations from the mean, divided by the count (as numpy does), not by
    /// one less.
    public var standardDeviation: Double {
        let mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count)).squareRoot()
    }
}
