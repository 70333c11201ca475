import CorvidModels
import CorvidTensors
import Foundation
import Testing

/// The exponential of the tests' own closed forms.
func exponentialOfTest(_ x: Double) -> Double { exp(x) }

@Suite struct GenerationSamplerTests {
    // MARK: Distribution

    private static let logits: [Float] = [1.5, -0.25, 2, 0.5, -1, 2, 0, -3, 1, 0.75, -0.5, 1.25]
    private static let prompt: [Int32] = [2, 4]
    private static let answer: [Int32] = [0, 0, 6, 2]

    private static func settings(_ change: (inout SamplingSettings) -> Void) -> SamplingSettings {
        var settings = SamplingSettings.plain
        change(&settings)
        return settings
    }

    static let combinations: [SamplingSettings] = [
        .plain,
        settings { $0.temperature = 0.5 },
        settings { $0.temperature = 2 },
        settings { $0.topK = 4 },
        settings { $0.topP = 0.8 },
        settings { $0.minP = 0.25 },
        settings { $0.repetitionPenalty = 1.5 },
        settings { $0.frequencyPenalty = 0.75 },
        settings { $0.presencePenalty = 0.75 },
        settings { $0.logitBias = [7: 4, 2: -100] },
        settings {
            $0.temperature = 0.7; $0.topK = 6; $0.topP = 0.9
        },
        settings {
            $0.temperature = 1.5; $0.topP = 0.95; $0.minP = 0.1
        },
        settings {
            $0.temperature = 1.3; $0.repetitionPenalty = 1.2; $0.frequencyPenalty = 0.5; $0.topK = 9
        },
        settings {
            $0.temperature = 0.9
            $0.topK = 8
            $0.topP = 0.92
            $0.minP = 0.05
            $0.repetitionPenalty = 1.1
            $0.frequencyPenalty = 0.3
            $0.presencePenalty = -0.2
            $0.logitBias = [1: 1.5, 5: -1]
        },
        SamplingSettings(),
    ]

    /// Probabilities by the definitions, with full sorts.
    private static func closedForm(_ settings: SamplingSettings) -> [Double] {
        var x = logits.map(Double.init)
        for (id, bias) in settings.logitBias { x[id] += bias }
        for id in Set(prompt + answer).map(Int.init) {
            x[id] = x[id] < 0 ? x[id] * settings.repetitionPenalty : x[id] / settings.repetitionPenalty
        }
        for id in answer.map(Int.init) { x[id] -= settings.frequencyPenalty }
        for id in Set(answer).map(Int.init) { x[id] -= settings.presencePenalty }
        var p = x.map { exp($0 / settings.temperature) }
        func normalise() {
            let total = p.reduce(0, +)
            p = p.map { $0 / total }
        }
        normalise()
        let order = p.indices.sorted { (p[$0], $1) > (p[$1], $0) }
        if settings.topK > 0 { for index in order.dropFirst(settings.topK) { p[index] = 0 } }
        normalise()
        if settings.topP < 1 {
            var sum = 0.0
            for index in order {
                if sum >= settings.topP { p[index] = 0 }
                sum += p[index]
            }
            normalise()
        }
        let bar = settings.minP * (p.max() ?? 0)
        p = p.map { $0 < bar ? 0 : $0 }
        normalise()
        return p
    }

    @Test("draws follow the closed form of every combination of steps", arguments: combinations)
    func chiSquare(_ settings: SamplingSettings) throws {
        var settings = settings
        settings.seed = 2_024
        var history = TokenHistory(prompt: Self.prompt)
        for id in Self.answer { history.append(id) }
        let sampler = Sampler(settings: settings, size: Self.logits.count)
        let expected = Self.closedForm(settings)
        let draws = 30_000
        var counts = [Int](repeating: 0, count: Self.logits.count)
        for position in 0..<draws {
            counts[Int(try sampler.choose(from: Self.logits[...], history: history, position: position))] += 1
        }
        var chi = 0.0
        var degrees = -1
        for (count, p) in zip(counts, expected) {
            let mean = p * Double(draws)
            // What has fewer than 5 expected draws does not follow the chi-square distribution.
            if p == 0 { #expect(count == 0, "seed \(settings.seed)") }
            if mean < 5 { continue }
            chi += (Double(count) - mean) * (Double(count) - mean) / mean
            degrees += 1
        }
        // Wilson and Hilferty 1931: the 1 - 1e-5 quantile, 4.265 deviations.
        let k = Double(max(degrees, 1))
        let bound = k * pow(1 - 2 / (9 * k) + 4.265 * (2 / (9 * k)).squareRoot(), 3)
        #expect(chi < bound, "seed \(settings.seed), \(degrees) degrees of freedom, \(counts)")
    }

    @Test("the samples of one prompt are independent")
    func independence() throws {
        // Two fair coins at the same position: the four outcomes are equally likely.
        let settings = Self.settings { $0.seed = 5 }
        let samplers = (0..<2).map { Sampler(settings: settings, size: 2, sample: $0) }
        var counts = [0, 0, 0, 0]
        for position in 0..<8_000 {
            let pair = try samplers.map {
                try $0.choose(from: [0, 0], history: TokenHistory(prompt: []), position: position)
            }
            counts[Int(pair[0] * 2 + pair[1])] += 1
        }
        // 3 degrees of freedom: 26 is the 1 - 1e-5 quantile.
        #expect(counts.reduce(0.0) { $0 + pow(Double($1) - 2_000, 2) / 2_000 } < 26, "\(counts)")
    }

    // MARK: Choices

    private func choose(
        _ logits: [Float], _ settings: SamplingSettings = .greedy, size: Int? = nil
    ) throws -> Int32 {
        try Sampler(settings: settings, size: size ?? logits.count)
            .choose(from: logits[...], history: TokenHistory(prompt: []), position: 3)
    }

    @Test("greedy takes the greatest logit, of equal ones the lowest id")
    func greedy() throws {
        #expect(try choose([1, 3, 2, 3]) == 1)
        #expect(try choose([-.infinity, -5, -.infinity]) == 1)
        #expect(try choose([-0.0, 0.0]) == 0)
    }

    @Test("greedy heeds penalties and bias")
    func greedyWithSteps() throws {
        var settings = SamplingSettings.greedy
        settings.logitBias = [1: -2]
        settings.topK = 1
        settings.topP = 0.1
        #expect(try choose([1, 3, 2, 3], settings) == 3)
    }

    @Test("columns beyond the tokenizer's tokens are never chosen")
    func padding() throws {
        #expect(try choose([1, 2, 9, 9], size: 2) == 1)
        for position in 0..<200 {
            let sampler = Sampler(settings: .plain, size: 2)
            let id = try sampler.choose(
                from: [0, 0, 50], history: TokenHistory(prompt: []), position: position)
            #expect(id < 2)
        }
        #expect(try choose([1, 2], size: 10) == 1)
    }

    @Test("a slice of logits is read from its own beginning")
    func slice() throws {
        let rows: [Float] = [9, 0, 0, 0, 0, 9]
        let sampler = Sampler(settings: .greedy, size: 3)
        #expect(try sampler.choose(from: rows[3...], history: TokenHistory(prompt: []), position: 0) == 2)
    }

    @Test("logits of NaN or infinity are an error, not a token", arguments: [Float.nan, .infinity])
    func notFinite(_ value: Float) {
        for settings in [SamplingSettings.greedy, .plain, SamplingSettings()] {
            #expect(throws: GenerationError.notFinite(position: 3)) { try choose([0, value, 1], settings) }
        }
    }

    @Test("when nothing may be chosen it is an error")
    func nothing() {
        for settings in [SamplingSettings.greedy, .plain, SamplingSettings()] {
            #expect(throws: GenerationError.nothingToChoose(position: 3)) {
                try choose([-.infinity, -.infinity], settings)
            }
        }
    }

    @Test("a temperature near 0 and one of 100 both choose something")
    func extremes() throws {
        #expect(try choose([1, 3, 2], Self.settings { $0.temperature = .leastNonzeroMagnitude }) == 1)
        let hot = Self.settings { $0.temperature = 100 }
        #expect((0..<3).contains(try choose([1, 3, 2], hot)))
    }

    @Test("the result of a narrow top-k does not depend on the tokens that it excludes")
    func exclusion() throws {
        let wide = Self.settings { $0.topK = 3 }
        for position in 0..<500 {
            let a = try Sampler(settings: wide, size: 5).choose(
                from: [5, 4, 3, -9, -9], history: TokenHistory(prompt: []), position: position)
            let b = try Sampler(settings: .plain, size: 3).choose(
                from: [5, 4, 3], history: TokenHistory(prompt: []), position: position)
            #expect(a == b, "position \(position)")
        }
    }
}

@Suite struct SamplingSettingsTests {
    @Test(
        "a value out of range is refused by the name of its field",
        arguments: [
            ("temperature", \SamplingSettings.temperature, -0.1), ("temperature", \.temperature, .nan),
            ("temperature", \.temperature, 100.5), ("top-p", \.topP, 1.01), ("top-p", \.topP, -0.5),
            ("min-p", \.minP, .infinity), ("repetition-penalty", \.repetitionPenalty, 0),
            ("frequency-penalty", \.frequencyPenalty, 2.5), ("presence-penalty", \.presencePenalty, -2.5),
        ] as [(String, WritableKeyPath<SamplingSettings, Double> & Sendable, Double)])
    func ranges(field: String, path: WritableKeyPath<SamplingSettings, Double> & Sendable, value: Double) {
        var settings = SamplingSettings()
        settings[keyPath: path] = value
        let error = #expect(throws: GenerationError.self) { try settings.validate(size: 100) }
        guard case .outOfRange(let found, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == field)
    }

    @Test("top-k and the ids of the bias are checked")
    func others() {
        var settings = SamplingSettings()
        settings.topK = -1
        #expect(throws: GenerationError.outOfRange(field: "top-k", found: "-1", allowed: "0 or more")) {
            try settings.validate(size: 100)
        }
        settings.topK = 0
        settings.logitBias = [100: 1]
        #expect(
            throws: GenerationError.outOfRange(
                field: "logit-bias", found: "token 100", allowed: "tokens 0..<100")
        ) { try settings.validate(size: 100) }
        settings.logitBias = [99: 101]
        #expect(
            throws: GenerationError.outOfRange(field: "logit-bias", found: "101.0", allowed: "-100 to 100")
        ) { try settings.validate(size: 100) }
        settings.logitBias = [99: 100]
        #expect(throws: Never.self) { try settings.validate(size: 100) }
    }

    @Test("settings survive JSON, and absent fields keep their defaults")
    func json() throws {
        var settings = SamplingSettings()
        settings.temperature = 0.25
        settings.topK = 7
        settings.logitBias = [11: -3]
        settings.seed = .max
        let data = try JSONEncoder().encode(settings)
        #expect(try JSONDecoder().decode(SamplingSettings.self, from: data) == settings)
        let sparse = try JSONDecoder().decode(SamplingSettings.self, from: Data(#"{"top_p": 0.5}"#.utf8))
        var expected = SamplingSettings()
        expected.topP = 0.5
        #expect(sparse == expected)
    }
}
