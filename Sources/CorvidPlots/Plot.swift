/// A drawing, as the text of an SVG file (1.1, no scripts, nothing from elsewhere).
///
///     let plot = HeatMap(
///         title: "Effect on 'Paris'", rows: tokens, columns: layers, values: effects, rowAxis: "token",
///         columnAxis: "layer", valueAxis: "probability", colors: .sequential)
///     try Data(plot.svg.utf8).write(to: file)
///
/// Numbers that are not finite are gaps: hatched cells, missing points and bars.
public protocol Plot: Sendable {
    /// The whole file.
    var svg: String { get }
}

/// A measured value with what it may be as well, such as a confidence interval.
public struct Interval: Sendable, Equatable {
    public let value: Double
    public let low: Double
    public let high: Double

    /// A value between its bounds; without them an exact one.
    public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
        self.value = value
        self.low = low ?? value
        self.high = high ?? value
    }

    var hasBounds: Bool { low.isFinite && high.isFinite && (low != value || high != value) }
}
