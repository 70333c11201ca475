/// What some seeds gave: their mean, and how far from it the mean of all seeds may be.
public struct RepeatedValue: Sendable, Equatable {
    public let values: [Double]

    public init(_ values: [Double]) { self.values = values }

    public var mean: Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

    /// Of the values, with n - 1.
    public var variance: Double? {
        guard values.count > 1 else { return nil }
        let mean = mean
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }

    /// Half the width of the 95 % interval of the mean, by Student's t; nil for a single value.
    public var interval: Double? {
        guard let variance else { return nil }
        return Self.quantile(freedom: values.count - 1) * (variance / Double(values.count)).squareRoot()
    }

    /// Student's t, 97.5 %: exact to three decimals up to 10 degrees of freedom, then within 0.005 by the first
    /// terms of its expansion around the normal quantile.
    /// Source: Abramowitz and Stegun 1964, 26.7.5.
    private static func quantile(freedom: Int) -> Double {
        let few = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]
        if freedom <= few.count { return few[max(0, freedom - 1)] }
        let z = 1.959964
        let n = Double(freedom)
        let second = (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / 96
        return z + (z * z * z + z) / 4 / n + second / (n * n)
    }
}
