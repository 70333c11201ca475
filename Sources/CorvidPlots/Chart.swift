/// Axes, grid, titles and legend of the drawings with two axes.
struct Chart {
    let title: String
    let xAxis: String
    let yAxis: String
    let legend: [String]

    let left: Double
    let top = 40.0
    let plotWidth: Double
    let plotHeight = 320.0
    let width: Double
    let height: Double

    private static let legendRoom = 200.0

    /// - Parameters:
    ///   - labels: of the ticks of the upright axis.
    ///   - below: height of what stands under the level axis, without its name.
    init(
        title: String, xAxis: String, yAxis: String, legend: [String], labels: [String],
        plotWidth: Double = 560, below: Double = 20
    ) {
        self.title = title
        self.xAxis = xAxis
        self.yAxis = yAxis
        self.legend = legend
        self.plotWidth = plotWidth
        left = (labels.map { Labels.width($0) }.max() ?? 0) + (yAxis.isEmpty ? 22 : 44)
        let widest = legend.map { min(Labels.width($0), Self.legendRoom) }.max() ?? 0
        width = left + plotWidth + (legend.isEmpty ? 24 : widest + 60)
        let legendHeight = Double(legend.count) * 18 + top + 8
        height = max(top + plotHeight + below + (xAxis.isEmpty ? 10 : 30), legendHeight)
    }

    var bottom: Double { top + plotHeight }
    func x(_ fraction: Double) -> Double { left + fraction * plotWidth }
    func y(_ fraction: Double) -> Double { bottom - fraction * plotHeight }

    /// The whole file: grid, then what `content` draws, then the frame and all text.
    func file(x: Ticks?, y: Ticks, _ content: (inout SVG) -> Void) -> String {
        var drawing = SVG()
        drawing.text(Labels.shortened(title, to: width - 24, size: 15), x: 12, y: 24, size: 15, bold: true)
        grid(&drawing, x: x, y: y)
        content(&drawing)
        drawing.add(
            "path",
            [
                "d": .text(
                    "M\(SVG.number(left)),\(SVG.number(top)) V\(SVG.number(bottom)) "
                        + "H\(SVG.number(left + plotWidth))"),
                "fill": "none", "stroke": "#444444",
            ])
        drawing.text(
            Labels.shortened(xAxis, to: plotWidth), x: left + plotWidth / 2, y: height - 10, anchor: "middle")
        drawing.text(
            Labels.shortened(yAxis, to: plotHeight), x: 18, y: top + plotHeight / 2, anchor: "middle",
            turned: -90)
        for (index, name) in legend.enumerated() {
            let y = top + 10 + Double(index) * 18
            let x = left + plotWidth + 18
            drawing.add(
                "rect",
                [
                    "x": .number(x), "y": .number(y - 9), "width": 12, "height": 10,
                    "fill": .text(Palette.series(index)),
                ])
            drawing.text(Labels.shortened(name, to: Self.legendRoom), x: x + 18, y: y)
        }
        return drawing.file(width: width, height: height, title: title)
    }

    private func grid(_ drawing: inout SVG, x: Ticks?, y: Ticks) {
        drawing.group(["stroke": "#e4e4e4"]) { drawing in
            for tick in y.values {
                let place = SVG.number(self.y(y.fraction(tick)))
                drawing.add("path", ["d": .text("M\(SVG.number(left)),\(place) h\(SVG.number(plotWidth))")])
            }
            for tick in x?.values ?? [] {
                let place = SVG.number(self.x(x?.fraction(tick) ?? 0))
                drawing.add("path", ["d": .text("M\(place),\(SVG.number(top)) v\(SVG.number(plotHeight))")])
            }
        }
        for tick in y.values {
            drawing.text(y.label(tick), x: left - 7, y: self.y(y.fraction(tick)) + 4, anchor: "end")
        }
        guard let x else { return }
        for tick in x.values {
            drawing.text(x.label(tick), x: self.x(x.fraction(tick)), y: bottom + 17, anchor: "middle")
        }
    }

    /// A line between two bounds with a dash at each end.
    func whisker(_ drawing: inout SVG, x: Double, low: Double, high: Double, color: String) {
        let (x0, y0, y1) = (SVG.number(x - 4), SVG.number(low), SVG.number(high))
        drawing.add(
            "path",
            [
                "d": .text("M\(x0),\(y0) h8 M\(SVG.number(x)),\(y0) V\(y1) M\(x0),\(y1) h8"),
                "fill": "none", "stroke": .text(color), "stroke-width": "1.2",
            ])
    }
}
