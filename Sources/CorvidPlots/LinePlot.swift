/// Series of points with lines between them, such as loss over steps.
public struct LinePlot: Plot {
    /// One line. A point without a finite place interrupts it.
    public struct Series: Sendable {
        public var name: String
        public var points: [(x: Double, y: Interval)]

        /// Points with bounds, which are drawn as a band around the line.
        public init(_ name: String, intervals: [(x: Double, y: Interval)]) {
            self.name = name
            points = intervals
        }

        /// Exact points.
        public init(_ name: String, _ points: [(x: Double, y: Double)]) {
            self.init(name, intervals: points.map { ($0.x, Interval($0.y)) })
        }

        /// Values at 0, 1, 2 and so on.
        public init(_ name: String, _ values: [Double]) {
            self.init(name, values.enumerated().map { (Double($0), $1) })
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

    /// Lines with more points than that have no markers, which would hide them.
    private static let markerLimit = 80

    public var svg: String {
        let points = series.flatMap(\.points)
        let x = Ticks(points.map(\.x), count: 8, isTight: true)
        let y = Ticks(points.flatMap { [$0.y.value, $0.y.low, $0.y.high] })
        let chart = Chart(
            title: title, xAxis: xAxis, yAxis: yAxis, legend: series.count > 1 ? series.map(\.name) : [],
            labels: y.values.map(y.label))
        return chart.file(x: x, y: y) { drawing in
            for (index, line) in series.enumerated() {
                for run in Self.runs(line.points) {
                    draw(run, line, color: Palette.series(index), chart, x, y, &drawing)
                }
            }
        }
    }

    private func draw(
        _ run: [(x: Double, y: Interval)], _ line: Series, color: String, _ chart: Chart, _ x: Ticks,
        _ y: Ticks, _ drawing: inout SVG
    ) {
        func place(_ point: (x: Double, y: Interval), _ value: Double) -> String {
            "\(SVG.number(chart.x(x.fraction(point.x)))),\(SVG.number(chart.y(y.fraction(value))))"
        }
        let bounded = run.filter(\.y.hasBounds)
        if bounded.count == run.count, run.count > 1 {
            let around = run.map { place($0, $0.y.high) } + run.reversed().map { place($0, $0.y.low) }
            drawing.add(
                "polygon",
                [
                    "points": .text(around.joined(separator: " ")), "fill": .text(color),
                    "fill-opacity": "0.18",
                ])
        } else {
            for point in bounded {
                chart.whisker(
                    &drawing, x: chart.x(x.fraction(point.x)), low: chart.y(y.fraction(point.y.low)),
                    high: chart.y(y.fraction(point.y.high)), color: color)
            }
        }
        drawing.add(
            "polyline",
            [
                "points": .text(run.map { place($0, $0.y.value) }.joined(separator: " ")), "fill": "none",
                "stroke": .text(color), "stroke-width": "1.8", "stroke-linejoin": "round",
            ])
        // A point alone is no line, and needs its marker.
        guard line.points.count <= Self.markerLimit || run.count == 1 else { return }
        for point in run {
            drawing.add(
                "circle",
                [
                    "cx": .number(chart.x(x.fraction(point.x))),
                    "cy": .number(chart.y(y.fraction(point.y.value))), "r": "3", "fill": .text(color),
                ], hint: "\(line.name): \(Number.text(point.x)), \(Number.text(point.y.value))")
        }
    }

    /// The parts between gaps.
    private static func runs(_ points: [(x: Double, y: Interval)]) -> [[(x: Double, y: Interval)]] {
        points.split { !$0.x.isFinite || !$0.y.value.isFinite }.map(Array.init)
    }
}
