/// Groups of bars with the bounds of what they show, such as a score before and after a change.
public struct BarPlot: Plot {
    /// The bars of one colour, one for each group.
    public struct Series: Sendable {
        public var name: String
        public var values: [Interval]

        public init(_ name: String, _ values: [Interval]) {
            self.name = name
            self.values = values
        }
    }

    public var title: String
    /// Labels from left to right.
    public var groups: [String]
    public var series: [Series]
    public var xAxis: String
    public var yAxis: String

    public init(
        title: String, groups: [String], series: [Series], xAxis: String = "", yAxis: String = ""
    ) {
        self.title = title
        self.groups = groups
        self.series = series
        self.xAxis = xAxis
        self.yAxis = yAxis
    }

    private static let labelRoom = 150.0

    public var svg: String {
        let values = series.flatMap { $0.values.prefix(groups.count) }
        let y = Ticks(values.flatMap { [$0.value, $0.low, $0.high] }, includesZero: true)
        let count = Double(max(1, groups.count))
        let bars = Double(max(1, series.count))
        // Few bars stay slim, many stay apart.
        let plotWidth = min(900, max(240, count * (bars * 26 + 22)))
        let spacing = plotWidth / count
        let widest = groups.map { min(Labels.width($0), Self.labelRoom) }.max() ?? 0
        let turns = widest + 8 > spacing
        let chart = Chart(
            title: title, xAxis: xAxis, yAxis: yAxis, legend: series.count > 1 ? series.map(\.name) : [],
            labels: y.values.map(y.label), plotWidth: plotWidth, below: turns ? widest + 12 : 20)
        return chart.file(x: nil, y: y) { drawing in
            let barWidth = min(48, spacing * 0.78 / bars)
            let zero = chart.y(y.fraction(0))
            for (index, one) in series.enumerated() {
                for (group, value) in one.values.prefix(groups.count).enumerated() {
                    let middle = chart.left + (Double(group) + 0.5) * spacing
                    let x = middle + (Double(index) - bars / 2) * barWidth
                    draw(
                        value, at: x, width: barWidth, zero: zero, color: Palette.series(index),
                        hint: "\(groups[group]), \(one.name)", chart, y, &drawing)
                }
            }
            drawing.add(
                "path",
                [
                    "d": .text(
                        "M\(SVG.number(chart.left)),\(SVG.number(zero)) h\(SVG.number(chart.plotWidth))"),
                    "stroke": "#444444",
                ])
            labels(&drawing, chart, spacing: spacing, turns: turns)
        }
    }

    private func draw(
        _ bar: Interval, at x: Double, width: Double, zero: Double, color: String, hint: String,
        _ chart: Chart, _ y: Ticks, _ drawing: inout SVG
    ) {
        guard bar.value.isFinite else {
            drawing.add(
                "rect",
                [
                    "x": .number(x + 1), "y": .number(zero - 12), "width": .number(max(1, width - 2)),
                    "height": 12, "fill": "url(#missing)",
                ], hint: "\(hint): no value")
            return
        }
        let end = chart.y(y.fraction(bar.value))
        drawing.add(
            "rect",
            [
                "x": .number(x + 1), "y": .number(min(end, zero)), "width": .number(max(1, width - 2)),
                "height": .number((end - zero).magnitude), "fill": .text(color),
            ], hint: "\(hint): \(Number.text(bar.value))")
        if bar.hasBounds {
            chart.whisker(
                &drawing, x: x + width / 2, low: chart.y(y.fraction(bar.low)),
                high: chart.y(y.fraction(bar.high)), color: "#222222")
        }
    }

    private func labels(_ drawing: inout SVG, _ chart: Chart, spacing: Double, turns: Bool) {
        for group in stride(from: 0, to: groups.count, by: Labels.step(spacing: spacing, room: 13)) {
            let x = chart.left + (Double(group) + 0.5) * spacing
            let label = Labels.shortened(groups[group], to: Self.labelRoom)
            if turns {
                drawing.text(label, x: x + 4, y: chart.bottom + 8, anchor: "end", turned: -90)
            } else {
                drawing.text(label, x: x, y: chart.bottom + 17, anchor: "middle")
            }
        }
    }
}
