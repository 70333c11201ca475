import Testing

@testable import CorvidCommands

@Suite struct TerminalTests {
    @Test(
        "numbers are written as people read them",
        arguments: [
            (Figures.grouped(0), "0"), (Figures.grouped(999), "999"),
            (Figures.grouped(-1_234_567), "-1,234,567"),
            (Figures.grouped(Int.min), "-9,223,372,036,854,775,808"), (Figures.bytes(999), "999 bytes"),
            (Figures.bytes(98_362_432), "98.4 MB"), (Figures.bytes(134_515_008), "135 MB"),
            (Figures.short(134_515_008), "134.5 M"), (Figures.short(6_050_882_784), "6.1 B"),
            (Figures.short(9_999), "9,999"), (Figures.rate(0.1234), "0.12"), (Figures.rate(98.76), "98.8"),
            (Figures.rate(1234.4), "1,234"), (Figures.rate(.infinity), "-"),
            (Figures.percent(0.1234), "12.3 %"),
            (Figures.duration(0.2), "1 s"), (Figures.duration(190), "3 min 10 s"),
            (Figures.duration(7_500), "2 h 5 min"), (Figures.duration(.nan), "unknown"),
            (Figures.count(1, "token"), "1 token"), (Figures.count(2_000, "token"), "2,000 tokens"),
        ])
    func figures(found: String, expected: String) {
        #expect(found == expected)
    }

    @Test("a progress line has part, rate and time left") func progress() {
        // 2,000 in 4 s are 500/s; the other 8,000 take 16 s.
        let line = ProgressLine.line(
            "prompt", done: 2_000, total: 10_000, unit: "tokens", elapsed: .seconds(4))
        #expect(line == "prompt  2,000/10,000 tokens  500 tokens/s  left 16 s")
        let start = ProgressLine.line("prompt", done: 0, total: 10, unit: "tokens", elapsed: .seconds(1))
        #expect(start == "prompt  0/10 tokens")
    }

    @Test("columns line up, also with wide characters") func table() {
        var table = TextTable(.left, .right)
        table.add("世界", "1")
        table.add("a", "100")
        table.add("", "")
        #expect(table.lines == "世界    1\na     100\n")
    }

    @Test(
        "the width of a text is the columns it takes",
        arguments: [("abc", 3), ("é", 1), ("e\u{301}", 1), ("世界", 4), ("🙂", 2), ("❤️", 2), ("한글", 4), ("", 0)])
    func width(text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }

    @Test("control characters are replaced, line breaks and tabs stay") func controls() {
        #expect(Terminal.withoutControls("a\tb\nc") == "a\tb\nc")
        #expect(
            Terminal.withoutControls("\u{1B}]0;title\u{7}\u{9B}31m") == "\u{FFFD}]0;title\u{FFFD}\u{FFFD}31m")
        #expect(Terminal.withoutControls("世界 é") == "世界 é")
    }
}
