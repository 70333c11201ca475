import CorvidText
import Testing

@testable import CorvidCommands

@Suite struct BenchReportTests {
    @Test("the median of an even number of values is the mean of the middle two") func median() {
        #expect([Double]().median == nil)
        #expect([3.0].median == 3)
        #expect([5.0, 1, 3].median == 3)
        #expect([4.0, 1, 2, 9].median == 3)
    }

    @Test("rates are tokens by seconds, one for each repetition") func rates() {
        var report = BenchReport(
            model: "m", type: "F32", threads: 2, promptTokens: 100, generateTokens: 10, seed: 0,
            loadSeconds: 0.5)
        report.add(.init(prefillSeconds: 2, decodeSeconds: 5, residentBeyondFiles: 7))
        report.add(.init(prefillSeconds: 1, decodeSeconds: 2, residentBeyondFiles: 3))
        #expect(report.prefillRates == [50, 100])
        #expect(report.decodeRates == [2, 5])
        #expect(report.memoryBeyondFileBytes == 7)
        #expect(report.json["prefill_tokens_per_second"]?.encoded() == "[50.0,100.0]")
        #expect(report.json["load_seconds"] == .number(0.5))
    }

    @Test(
        "a seed is reported with all its digits",
        arguments: [
            (0, "0"), (UInt64(Int64.max), "9223372036854775807"), (1 << 63, "\"9223372036854775808\""),
            (UInt64.max, "\"18446744073709551615\""),
        ])
    func seeds(seed: UInt64, expected: String) {
        let bench = BenchReport(
            model: "m", type: "F32", threads: 1, promptTokens: 1, generateTokens: 0, seed: seed,
            loadSeconds: 1)
        #expect(bench.json["seed"]?.encoded() == expected)
        let generate = GenerateReport(model: "m", seed: seed, promptIDs: [], results: [], showsSamples: false)
        #expect(generate.json["seed"]?.encoded() == expected)
    }

    @Test("what was not measured is null") func unmeasured() {
        let report = BenchReport(
            model: "m", type: "F32", threads: 1, promptTokens: 0, generateTokens: 1, seed: 0, loadSeconds: 1)
        #expect(report.json["peak_fraction"] == .null)
        #expect(report.json["peak_memory_bytes"] == .null)
    }
}
