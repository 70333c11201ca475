/// Points, with labels if wanted, such as words in a plane.
public struct ScatterPlot: Plot {
    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        public var label: String

        public init(x: Double, y: Double, label: String = "") {
            self.x = x
            self.y = y
            self.label = label
        }
    }

    /// The points of one colour.
    public struct Series: Sendable {
        public var name: String
        public var points: [Point]

        public init(_ name: String, _ points: [Point]) {
            self.name = name
            self.points = points
        }
    }

    public var title: String
    public var series: [Series]
    public var xAxis: String
    public var yAxis: String

    public init(title: String, series: [Series], xAxis: String = "", yAxis: String = "") {
        self.title = title
        self.series = series
        self.xAxis = xAxis
        self.yAxis = yAxis
    }

    /// More labels than that hide one another; they are still hints.
    private static let labelLimit = 60

    public var svg: String {
        let points = series.flatMap(\.points)
        let x = Ticks(points.map(\.x), count: 8)
        let y = Ticks(points.map(\.y))
        let chart = Chart(
            title: title, xAxis: xAxis, yAxis: yAxis, legend: series.count > 1 ? series.map(\.name) : [],
            labels: y.values.map(y.label))
        return chart.file(x: x, y: y) { drawing in
            for (index, one) in series.enumerated() {
                for point in one.points where point.x.isFinite && point.y.isFinite {
                    let (left, top) = (chart.x(x.fraction(point.x)), chart.y(y.fraction(point.y)))
                    drawing.add(
                        "circle",
                        [
                            "cx": .number(left), "cy": .number(top), "r": "3.5",
                            "fill": .text(Palette.series(index)), "fill-opacity": "0.75",
                        ],
                        hint: "\(point.label.isEmpty ? one.name : point.label): \(Number.text(point.x)), "
                            + Number.text(point.y))
                    guard points.count <= Self.labelLimit, !point.label.isEmpty else { continue }
                    drawing.text(
                        Labels.shortened(point.label, to: 120, size: 10), x: left + 5, y: top - 4, size: 10)
                }
            }
        }
    }
}
