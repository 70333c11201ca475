import Foundation
import TestSupport
import Testing

@testable import CorvidPlots

#if canImport(FoundationXML)
import FoundationXML
#endif

/// What an XML parser finds in a drawing.
private final class Drawing: NSObject, XMLParserDelegate {
    private(set) var names: [String] = []
    private(set) var attributes: [String: [String]] = [:]
    private(set) var texts: [String] = []
    private(set) var fills: [String] = []
    private var text: String?

    init(_ plot: some Plot, sourceLocation: SourceLocation = #_sourceLocation) throws {
        super.init()
        let parser = XMLParser(data: Data(plot.svg.utf8))
        parser.delegate = self
        try #require(
            parser.parse(), "\(String(describing: parser.parserError))", sourceLocation: sourceLocation)
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        names.append(name)
        for (key, value) in attributes { self.attributes[key, default: []].append(value) }
        if name == "rect" { fills.append(attributes["fill"] ?? "") }
        if name == "text" { text = "" }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text?.append(characters) }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if name == "text", let text { texts.append(text) }
        if name == "text" { text = nil }
    }

    /// Whether every number that is drawn is one.
    var hasOnlyNumbers: Bool {
        ["x", "y", "width", "height", "cx", "cy", "points", "d"].allSatisfy { key in
            (attributes[key] ?? []).allSatisfy { !$0.contains("nan") && !$0.contains("inf") }
        }
    }
}

@Suite("Drawings")
struct PlotTests {
    static let hostile = [
        "<script>alert(1)</script>", "a & b \"c\" 'd'", "]]>", "\u{0}\u{1}\u{8}\u{1B}[31m\u{7F}\u{85}",
        "世界 🙂",
        "\u{FFFE}\u{FFFF}", "tab\tline\nbreak\r\n", "&#0;", "-->", "", " Paris",
    ]

    static func all(_ text: String, _ value: Double = 1) -> [any Plot] {
        [
            HeatMap(
                title: text, rows: [text, "b"], columns: [text], values: [[value], [2]], rowAxis: text,
                columnAxis: text, valueAxis: text, colors: .diverging(center: value), showsValues: true),
            LinePlot(
                title: text,
                series: [
                    .init(text, [(0, value), (1, 2), (value, 3)]),
                    .init(
                        "b",
                        intervals: [(0, Interval(1, low: value, high: 2)), (1, Interval(1, low: 0, high: 2))]),
                ], xAxis: text, yAxis: text),
            BarPlot(
                title: text, groups: [text, "b"],
                series: [.init(text, [Interval(value), Interval(1, low: 0, high: value)]), .init("c", [])],
                xAxis: text, yAxis: text),
            ScatterPlot(
                title: text, series: [.init(text, [.init(x: value, y: 1, label: text), .init(x: 1, y: 2)])],
                xAxis: text, yAxis: text),
        ]
    }

    @Test("whatever a label is, the file is XML without anything that runs", arguments: hostile)
    func escaping(text: String) throws {
        for plot in Self.all(text) {
            let drawing = try Drawing(plot)
            #expect(!drawing.names.contains("script") && drawing.names.first == "svg")
            #expect(plot.svg.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
        }
    }

    @Test("a short label is found again as it was") func labels() throws {
        for text in ["a & b", "<s>", "世界 🙂", " Paris", "\"q\""] {
            for plot in Self.all(text) { #expect(try Drawing(plot).texts.contains(text), "\(text)") }
        }
        let map = HeatMap(title: "", rows: ["a\nb"], columns: ["c"], values: [[1]])
        #expect(try Drawing(map).texts.contains("a⏎b"))
    }

    @Test(
        "whatever a number is, only numbers are drawn",
        arguments: [
            Double.nan, .infinity, -.infinity, 1e300, -1e300, .greatestFiniteMagnitude, 1e-300,
            .leastNonzeroMagnitude, 0,
            -0.0,
            1e15, 123456.789,
        ])
    func numbers(value: Double) throws {
        for plot in Self.all("a", value) { #expect(try Drawing(plot).hasOnlyNumbers) }
    }

    @Test("cells without a number are hatched, the others have colours") func hatched() throws {
        let map = HeatMap(
            title: "", rows: ["a", "b", "c"], columns: ["x", "y"],
            values: [[.nan, 1], [2, .infinity], [3]])
        let fills = try Drawing(map).fills.filter { $0.hasPrefix("url") }
        #expect(fills == ["url(#missing)", "url(#missing)", "url(#missing)"])
    }

    @Test("the least cell has the first colour and the greatest the last one") func colors() throws {
        let map = HeatMap(title: "", rows: ["a"], columns: ["x", "y"], values: [[-3, 8]])
        let fills = try Drawing(map).fills
        #expect(fills.contains("#440154") && fills.contains("#fde725"))
        let diverging = HeatMap(
            title: "", rows: ["a"], columns: ["x", "y", "z"], values: [[-1, 0, 4]],
            colors: .diverging(center: 0))
        // -1 is at three eighths of -4 to 4: three quarters of the way from colour 3 to colour 4.
        // The pattern and the ground come before the cells.
        let cells = try Drawing(diverging).fills.filter { $0.hasPrefix("#") }.dropFirst(2)
        #expect(Array(cells.prefix(3)) == ["#c1ddec", "#f7f7f7", "#67001f"])
    }

    @Test(
        "nothing, one cell and very many cells can be drawn",
        arguments: [(0, 0), (1, 1), (64, 200), (200, 64)])
    func sizes(rows: Int, columns: Int) throws {
        let map = HeatMap(
            title: "t", rows: (0..<rows).map { "row \($0)" }, columns: (0..<columns).map { "column \($0)" },
            values: (0..<rows).map { row in (0..<columns).map { Double(row * $0) } })
        let drawing = try Drawing(map)
        #expect(drawing.hasOnlyNumbers)
        let width = try #require(drawing.attributes["width"]?.first.flatMap { Double($0) })
        let height = try #require(drawing.attributes["height"]?.first.flatMap { Double($0) })
        #expect((100...1400).contains(width) && (100...1100).contains(height))
        // Cells, ground, frame, legend (64 steps and a frame), and the pattern's ground.
        #expect(drawing.names.count { $0 == "rect" } == rows * columns + 68)
    }

    @Test("empty drawings are drawn") func empty() throws {
        _ = try Drawing(LinePlot(title: "", series: []))
        _ = try Drawing(LinePlot(title: "", series: [.init("a", [Double]()), .init("b", [.nan])]))
        _ = try Drawing(BarPlot(title: "", groups: [], series: []))
        _ = try Drawing(ScatterPlot(title: "", series: []))
    }

    @Test("a line is interrupted where a number is missing") func gaps() throws {
        let plot = LinePlot(title: "", series: [.init("a", [1, 2, .nan, 3, 4])])
        #expect(try Drawing(plot).names.count { $0 == "polyline" } == 2)
    }
}

@Suite("Ticks")
struct TickTests {
    @Test("they are round, ascending, and reach around the values") func round() {
        #expect(Ticks([0, 10]).values == [0, 2, 4, 6, 8, 10])
        #expect(Ticks([0.3, 97]).values == [0, 20, 40, 60, 80, 100])
        #expect(Ticks([-1, 1], count: 4).values == [-1, -0.5, 0, 0.5, 1])
        let tight = Ticks([1, 30], count: 5, isTight: true)
        #expect(tight.values == [10, 20, 30] && tight.low == 1 && tight.high == 30)
    }

    @Test("for any two values there are some ticks, in order and inside") func anyValues() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            func value() -> Double {
                let power = Double(generator.index(below: 400)) - 200
                return (Double(generator.index(below: 2_001)) - 1_000) * pow(10, power)
            }
            let values = [value(), value()]
            for isTight in [false, true] {
                let ticks = Ticks(values, isTight: isTight)
                #expect(ticks.low < ticks.high, "\(values)")
                #expect(zip(ticks.values, ticks.values.dropFirst()).allSatisfy { $0 < $1 }, "\(values)")
                #expect(
                    ticks.values.allSatisfy { (-1e-6...1.000001).contains(ticks.fraction($0)) }, "\(values)")
                #expect(ticks.values.count <= 20 && (isTight || ticks.values.count >= 2), "\(values)")
            }
        }
    }

    @Test("labels have as many decimals as the steps need") func labels() {
        func labels(_ values: [Double], _ count: Int = 6) -> [String] {
            let ticks = Ticks(values, count: count)
            return ticks.values.map(ticks.label)
        }
        #expect(labels([0, 1], 5) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels([0, 0.05], 5) == ["0", "0.01", "0.02", "0.03", "0.04", "0.05"])
        #expect(labels([0, 4_000_000], 4) == ["0", "1e6", "2e6", "3e6", "4e6"])
        #expect(labels([-2, 2], 4) == ["-2", "-1", "0", "1", "2"])
    }

    @Test("one value alone gets room to both sides") func one() {
        let ticks = Ticks([5])
        #expect(ticks.low < 5 && ticks.high > 5)
        #expect(Ticks([]).values.count > 1 && Ticks([.nan, .infinity]).values.count > 1)
    }
}

@Suite("Labels")
struct LabelTests {
    @Test("they are cut where the room ends, and not in the middle of a character") func cut() {
        #expect(Labels.shortened("short", to: 100) == "short")
        let cut = Labels.shortened("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", to: 40)
        #expect(cut == "👨‍👩‍👧‍👦👨‍👩‍👧‍👦…" && Labels.width(cut) <= 40)
        #expect(Labels.width("世界") > Labels.width("ab"))
    }

    @Test("as many are left out as stand in each other's way") func step() {
        #expect(Labels.step(spacing: 20, room: 13) == 1)
        #expect(Labels.step(spacing: 10, room: 13) == 2)
        #expect(Labels.step(spacing: 3, room: 13) == 5)
        #expect(Labels.step(spacing: 0, room: 13) == 1)
    }
}
