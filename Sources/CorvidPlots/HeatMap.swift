/// A table of numbers as coloured cells, such as the effect of each layer at each token.
public struct HeatMap: Plot {
    public var title: String
    /// Labels from top to bottom.
    public var rows: [String]
    /// Labels from left to right.
    public var columns: [String]
    /// `[rows][columns]`. What is missing in a short row, or not finite, is hatched.
    public var values: [[Double]]
    public var rowAxis: String
    public var columnAxis: String
    /// What the colours stand for.
    public var valueAxis: String
    public var colors: ColorScale
    /// Whether each cell shows its number, where it has room for it.
    public var showsValues: Bool

    public init(
        title: String, rows: [String], columns: [String], values: [[Double]], rowAxis: String = "",
        columnAxis: String = "", valueAxis: String = "", colors: ColorScale = .sequential,
        showsValues: Bool = false
    ) {
        self.title = title
        self.rows = rows
        self.columns = columns
        self.values = values
        self.rowAxis = rowAxis
        self.columnAxis = columnAxis
        self.valueAxis = valueAxis
        self.colors = colors
        self.showsValues = showsValues
    }

    public var svg: String {
        let grid = Grid(self)
        let scale = Scale(self)
        var drawing = SVG()
        drawing.text(
            Labels.shortened(title, to: grid.width - 24, size: 15), x: 12, y: 24, size: 15, bold: true)
        drawing.group(["shape-rendering": "crispEdges", "stroke": "none"]) { cells(&$0, grid, scale) }
        drawing.add(
            "rect",
            [
                "x": .number(grid.left), "y": .number(grid.top), "width": .number(grid.cellsWidth),
                "height": .number(grid.cellsHeight), "fill": "none", "stroke": "#888888",
            ])
        labels(&drawing, grid)
        legend(&drawing, grid, scale)
        return drawing.file(width: grid.width, height: grid.height, title: title)
    }

    // MARK: - Cells

    /// More cells than that have no hints, so that the file stays small.
    private static let hintLimit = 4_000

    private func value(_ row: Int, _ column: Int) -> Double {
        guard values.indices.contains(row), values[row].indices.contains(column) else { return .nan }
        return values[row][column]
    }

    private func cells(_ drawing: inout SVG, _ grid: Grid, _ scale: Scale) {
        let hasHints = rows.count * columns.count <= Self.hintLimit
        for row in rows.indices {
            for column in columns.indices {
                let value = value(row, column)
                let color = value.isFinite ? scale.color(value) : nil
                let place: KeyValuePairs<String, SVG.Attribute> = [
                    "x": .number(grid.left + Double(column) * grid.cellWidth),
                    "y": .number(grid.top + Double(row) * grid.cellHeight),
                    "width": .number(grid.cellWidth), "height": .number(grid.cellHeight),
                    "fill": .text(color?.text ?? "url(#missing)"),
                ]
                if hasHints {
                    drawing.add(
                        "rect", place, hint: "\(rows[row]), \(columns[column]): \(Number.text(value))")
                } else {
                    drawing.add("rect", place)
                }
                if showsValues, grid.cellWidth >= 40, let color {
                    drawing.text(
                        Number.text(value), x: grid.left + (Double(column) + 0.5) * grid.cellWidth,
                        y: grid.top + (Double(row) + 0.5) * grid.cellHeight + 3.5, anchor: "middle", size: 10,
                        color: color.isDark ? "#ffffff" : "#222222")
                }
            }
        }
    }

    private func labels(_ drawing: inout SVG, _ grid: Grid) {
        for row in stride(from: 0, to: rows.count, by: Labels.step(spacing: grid.cellHeight, room: 13)) {
            drawing.text(
                Labels.shortened(rows[row], to: Grid.labelRoom), x: grid.left - 6,
                y: grid.top + (Double(row) + 0.5) * grid.cellHeight + 4, anchor: "end")
        }
        let bottom = grid.top + grid.cellsHeight
        let room = grid.turnsColumns ? 13 : grid.columnLabelWidth + 8
        for column in stride(from: 0, to: columns.count, by: Labels.step(spacing: grid.cellWidth, room: room))
        {
            let label = Labels.shortened(columns[column], to: Grid.labelRoom)
            let x = grid.left + (Double(column) + 0.5) * grid.cellWidth
            if grid.turnsColumns {
                drawing.text(label, x: x + 4, y: bottom + 8, anchor: "end", turned: -90)
            } else {
                drawing.text(label, x: x, y: bottom + 16, anchor: "middle")
            }
        }
        drawing.text(
            Labels.shortened(columnAxis, to: grid.width - grid.left), x: grid.left + grid.cellsWidth / 2,
            y: bottom + grid.columnLabels + 18, anchor: "middle")
        drawing.text(
            Labels.shortened(rowAxis, to: grid.height), x: 18, y: grid.top + grid.cellsHeight / 2,
            anchor: "middle", turned: -90)
    }

    // MARK: - Legend

    private func legend(_ drawing: inout SVG, _ grid: Grid, _ scale: Scale) {
        let left = grid.left + grid.cellsWidth + 24
        let height = grid.legendHeight
        let steps = 64
        let step = height / Double(steps)
        drawing.group(["shape-rendering": "crispEdges"]) { drawing in
            for index in 0..<steps {
                let fraction = (Double(index) + 0.5) / Double(steps)
                drawing.add(
                    "rect",
                    [
                        "x": .number(left), "y": .number(grid.top + height - Double(index + 1) * step),
                        "width": 16, "height": .number(step + 0.5),
                        "fill": .text(scale.color(fraction: fraction).text),
                    ])
            }
        }
        drawing.add(
            "rect",
            [
                "x": .number(left), "y": .number(grid.top), "width": 16, "height": .number(height),
                "fill": "none", "stroke": "#888888",
            ])
        for tick in scale.ticks.values {
            let y = grid.top + height * (1 - scale.ticks.fraction(tick))
            drawing.add(
                "path",
                ["d": .text("M\(SVG.number(left + 16)),\(SVG.number(y)) h4"), "stroke": "#888888"])
            drawing.text(scale.ticks.label(tick), x: left + 24, y: y + 4)
        }
        drawing.text(
            Labels.shortened(valueAxis, to: grid.height), x: grid.width - 10, y: grid.top + height / 2,
            anchor: "middle", turned: 90)
    }

    /// From values to colours.
    private struct Scale {
        let ticks: Ticks
        private let colors: [Color]

        init(_ map: HeatMap) {
            let values = map.values.prefix(map.rows.count).flatMap { $0.prefix(map.columns.count) }
            switch map.colors {
            case .sequential:
                colors = Palette.sequential
                ticks = Ticks(values, count: 5, isTight: true)
            case .diverging(let center):
                let center = center.isFinite ? center : 0
                let reach =
                    values.lazy.filter { $0.isFinite }.map { ($0 - center).magnitude }.max() ?? 1
                colors = Palette.diverging
                ticks = Ticks([center - reach, center + reach], count: 5, isTight: true)
            }
        }

        func color(_ value: Double) -> Color { color(fraction: ticks.fraction(value)) }
        func color(fraction: Double) -> Color { Palette.color(colors, at: fraction) }
    }

    /// Where things stand, in pixels.
    private struct Grid {
        static let labelRoom = 170.0

        let left: Double
        let top = 40.0
        let cellWidth: Double
        let cellHeight: Double
        let cellsWidth: Double
        let cellsHeight: Double
        /// Whether the columns' labels are read from below.
        let turnsColumns: Bool
        let columnLabelWidth: Double
        /// Height of the columns' labels.
        let columnLabels: Double
        let legendHeight: Double
        let width: Double
        let height: Double

        init(_ map: HeatMap) {
            func widest(_ labels: [String]) -> Double {
                labels.map { min(Labels.width($0), Self.labelRoom) }.max() ?? 0
            }
            func size(_ count: Int, most: Double, room: Double) -> Double {
                max(1, min(most, room / Double(max(1, count))))
            }
            cellWidth = size(map.columns.count, most: map.showsValues ? 44 : 26, room: 900)
            cellHeight = size(map.rows.count, most: 22, room: 640)
            cellsWidth = cellWidth * Double(max(1, map.columns.count))
            cellsHeight = cellHeight * Double(max(1, map.rows.count))
            columnLabelWidth = widest(map.columns)
            // Short labels of narrow columns stand upright all the same: some are left out.
            turnsColumns = columnLabelWidth + 6 > cellWidth && columnLabelWidth > 26
            columnLabels = turnsColumns ? columnLabelWidth + 10 : 18
            left = widest(map.rows) + (map.rowAxis.isEmpty ? 16 : 36)
            legendHeight = max(cellsHeight, 120)
            width = max(left + cellsWidth + 24 + 100, 320)
            height =
                top + max(cellsHeight + columnLabels + (map.columnAxis.isEmpty ? 8 : 30), legendHeight + 16)
        }
    }
}
