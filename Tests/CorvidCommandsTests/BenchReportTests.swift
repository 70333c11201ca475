import CorvidText
import Testing

@testable import CorvidCommands

@Suite struct BenchReportTests {
    private static func plan(
        promptTokens: Int = 100, generateTokens: Int = 10, batches: [Int] = [], seed: UInt64 = 0
    ) -> BenchPlan {
        BenchPlan(
            promptTokens: promptTokens, generateTokens: generateTokens, repetitions: 2, batches: batches,
            prefillChunk: 512, usesCache: true, seed: seed)
    }

    private static func report(_ figures: [BenchReport.Figure], seed: UInt64 = 0) -> BenchReport {
        BenchReport(
            model: "m", type: "F32", isRandom: false, layers: 3, plan: plan(seed: seed), loadSeconds: 0.5,
            weightBytesPerPass: 7, arithmetic: .f32, peakMemoryBytes: nil, figures: figures)
    }

    @Test("the median of an even number of values is the mean of the middle two") func median() {
        #expect([Double]().median == nil)
        #expect([3.0].median == 3)
        #expect([5.0, 1, 3].median == 3)
        #expect([4.0, 1, 2, 9].median == 3)
    }

    @Test("of several numbers of threads the last stands in front, and all stand in the list")
    func lastFigureStandsInFront() throws {
        let report = Self.report([
            .init(threads: 1, prefillRates: [50, 100], decodeRates: [3]),
            .init(threads: 2, prefillRates: [80, 200], decodeRates: [6]),
        ])
        #expect(report.json["threads"]?.int == 2)
        #expect(report.json["prefill_tokens_per_second"]?.encoded() == "[80.0,200.0]")
        #expect(report.json["load_seconds"] == .number(0.5))
        let scaling = try #require(report.json["scaling"]?.array)
        #expect(scaling.map { $0["threads"]?.int } == [1, 2])
        #expect(scaling[0]["decode_tokens_per_second"]?.encoded() == "[3.0]")
        // The medians are 75 and 140, 3 and 6.
        let words = report.lines.split(separator: "\n").map {
            $0.split(separator: " ").prefix(5).map(String.init)
        }
        #expect(words.contains(["1", "75.0", "1.00", "3.00", "1.00"]))
        #expect(words.contains(["2", "140", "1.87", "6.00", "2.00"]))
    }

    @Test("the table of one number of threads has no table of scaling") func oneFigure() {
        let lines = Self.report([.init(threads: 1, prefillRates: [50], decodeRates: [3])]).lines
        #expect(lines.hasPrefix("m  F32, 3 layers, 1 thread, loaded in 500 ms"))
        #expect(!lines.contains("threads"))
    }

    @Test("a batch shows what it gains") func batch() {
        let report = Self.report([
            .init(threads: 1, decodeRates: [4], batches: [(size: 8, rates: [10, 10])])
        ])
        #expect(report.lines.contains("decode 10 x 8"))
        #expect(report.lines.contains("2.50 times one text"))
        #expect(report.json["batch"]?[0]?["sequences"]?.int == 8)
    }

    @Test(
        "a seed is reported with all its digits",
        arguments: [
            (0, "0"), (UInt64(Int64.max), "9223372036854775807"), (1 << 63, "\"9223372036854775808\""),
            (UInt64.max, "\"18446744073709551615\""),
        ])
    func seeds(seed: UInt64, expected: String) {
        #expect(Self.report([], seed: seed).json["seed"]?.encoded() == expected)
        let generate = GenerateReport(model: "m", seed: seed, promptIDs: [], results: [], showsSamples: false)
        #expect(generate.json["seed"]?.encoded() == expected)
    }

    @Test("what was not measured is null") func unmeasured() {
        let report = Self.report([.init(threads: 1)])
        #expect(report.json["peak_fraction"] == .null)
        #expect(report.json["bandwidth_fraction"] == .null)
        #expect(report.json["peak_memory_bytes"] == .null)
    }

    @Test("lists of numbers are read with commas, each number once") func counts() throws {
        #expect(try CountList.parse("1,2, 4,2") == [1, 2, 4])
        for text in ["", "0", "1,,2", "1025", "a", "-1", "1.5"] {
            #expect(throws: (any Error).self) { try CountList.parse(text) }
        }
    }
}
