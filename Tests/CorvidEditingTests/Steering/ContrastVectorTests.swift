import CorvidModels
import CorvidTensors
import CorvidText
import Testing

@testable import CorvidEditing

/// Vectors of pairs, on made-up activations with a known direction and on a tiny model.
@Suite struct ContrastVectorTests {
    /// 40 pairs that differ by 3 u and noise, where u is the first dimension.
    private static func differences(noise: Double, shift: Double = 3) -> PairDifferences {
        let (width, pairs) = (24, 40)
        let random = CounterRandom(seed: 7)
        var result = PairDifferences(width: width, keepsRows: true)
        for pair in 0..<pairs {
            let values = (0..<width).map { random.normal(step: UInt64(pair * width + $0)) }
            let positive = values.indices.map { $0 == 0 ? shift : noise * values[$0] }
            result.add(positive, minus: [Double](repeating: 0, count: width), isHeldOut: false)
        }
        return result
    }

    private static func direction(
        _ differences: PairDifferences, _ method: ContrastMethod
    ) throws -> [Double] {
        var settings = ContrastSettings()
        settings.method = method
        settings.length = .unit
        return try differences.vector(at: .output(of: 0), settings).vector.rows.map(Double.init)
    }

    @Test("mean, uncentred principal component and logistic plane agree on a planted direction")
    func agreement() throws {
        let differences = Self.differences(noise: 0.3)
        let found = try [.mean, .pca, .logistic].map { try Self.direction(differences, $0) }
        for (index, first) in found.enumerated() {
            #expect(first[0] > 0.9)
            for second in found[index...] { #expect(dot(first, second) > 0.9) }
        }
    }

    @Test("centring takes a constant difference away, and what is left has another direction")
    func centring() throws {
        let differences = Self.differences(noise: 0.3)
        let centred = try Self.direction(differences, .pcaCentred)
        #expect(abs(dot(centred, try Self.direction(differences, .mean))) < 0.3)
    }

    @Test("signs follow the positive texts") func signs() throws {
        let differences = Self.differences(noise: 0.3, shift: -3)
        for method in [ContrastMethod.mean, .pca, .logistic] {
            #expect(try Self.direction(differences, method)[0] < -0.9, "\(method)")
        }
    }

    @Test("pairs without a difference have no direction") func nothing() {
        var same = PairDifferences(width: 3, keepsRows: true)
        same.add([1, 2, 3], minus: [1, 2, 3], isHeldOut: false)
        for method in ContrastMethod.allCases {
            #expect(throws: SteeringError.noDirection(.output(of: 0))) { try Self.direction(same, method) }
        }
    }

    @Test("lengths are the mean's, 1, or as far as the pairs lie apart") func lengths() throws {
        let differences = Self.differences(noise: 0)
        func length(_ method: ContrastMethod, _ length: ContrastLength) throws -> Double {
            var settings = ContrastSettings()
            settings.method = method
            settings.length = length
            return try differences.vector(at: .output(of: 0), settings).vector.norms[0]
        }
        #expect(abs(try length(.mean, .natural) - 3) < 1e-6)
        #expect(abs(try length(.mean, .unit) - 1) < 1e-6)
        #expect(abs(try length(.pca, .natural) - 1) < 1e-6)
        #expect(abs(try length(.pca, .projection) - 3) < 1e-6)
    }

    @Test("the first singular vector is found among close ones") func leading() throws {
        // Rows e_i times 1 + i / 100: the last one is the longest.
        let size = 50
        let rows = (0..<size).map { row in (0..<size).map { $0 == row ? 1 + Double(row) / 100 : 0 } }
        let found = try #require(LeadingDirection.of(rows))
        #expect(abs(abs(found[size - 1]) - 1) < 1e-8)
        // Of a rotated ellipse: A = diag(3, 1) turned by 30 degrees.
        let (c, s) = (0.75.squareRoot(), 0.5)
        let turned = try #require(LeadingDirection.of([[3 * c, 3 * s], [-s, c]]))
        #expect(abs(abs(turned[0] * c + turned[1] * s) - 1) < 1e-12)
    }

    @Test("ablation leaves nothing along the vector") func ablation() async throws {
        let tiny = try TinyModel("gptj")
        let texts = (0..<6).map { (tiny.ids(5, seed: 100 + $0), tiny.ids(5, seed: 200 + $0)) }
        let found = try await ContrastSet.vectors(
            tiny.model, texts: texts, layers: [0], settings: ContrastSettings())
        let vector = found[0].vector
        let rows = tiny.ids(6, seed: 300).enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: false)
        }
        let plan = SitePlan(
            changes: [SiteChange(.projectOut(vector.rows), at: vector.site)],
            readings: [SiteReading(vector.site)], endsAfterReadings: true)
        let stream = try tiny.model.runBlocking(
            plan, Batch(rows: rows, caches: [try tiny.model.makeCache()])
        ).readings[0]
        for row in 0..<stream.count {
            let along = zip(stream[row], vector.rows).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(along / vector.norms[0]) <= 1e-5)
        }
    }

    @Test("means over a model are those of its recorded streams, wherever they are read")
    func means() async throws {
        let tiny = try TinyModel("gpt2")
        let texts = (0..<3).map {
            (tiny.ids(4 + $0, seed: 400 + UInt64($0)), tiny.ids(5, seed: 500 + UInt64($0)))
        }
        func stream(_ ids: [Int32]) throws -> SiteValues {
            let rows = ids.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: false)
            }
            return try tiny.model.runBlocking(
                SitePlan(readings: [SiteReading(.output(of: 1))], endsAfterReadings: true),
                Batch(rows: rows, caches: [try tiny.model.makeCache()])
            ).readings[0]
        }
        let cases: [(ContrastSet.Reading, (Int) -> [Int])] = [
            (.last, { [$0 - 1] }), (.index(-2), { [$0 - 2] }), (.index(1), { _ in [1] }),
            (.all, { Array(1..<$0) }),
        ]
        for (reading, rows) in cases {
            var settings = ContrastSettings()
            settings.reading = reading
            let found = try await ContrastSet.vectors(
                tiny.model, texts: texts, layers: [1], settings: settings)
            var expected = [Double](repeating: 0, count: tiny.model.configuration.width)
            for text in texts {
                for (ids, sign) in [(text.0, 1.0), (text.1, -1.0)] {
                    let values = try stream(ids)
                    for row in rows(ids.count) {
                        for (column, value) in values[row].enumerated() {
                            expected[column] += sign * Double(value) / Double(3 * rows(ids.count).count)
                        }
                    }
                }
            }
            for (a, b) in zip(found[0].vector.rows, expected) {
                #expect(abs(Double(a) - b) < 1e-5, "\(reading)")
            }
        }
        var settings = ContrastSettings()
        settings.reading = .index(9)
        await #expect(throws: SteeringError.index(9, pair: 0, tokens: 4)) {
            try await ContrastSet.vectors(tiny.model, texts: texts, layers: [1], settings: settings)
        }
    }

    @Test("contrast sets are read in all their forms, and refused with the place of the fault")
    func json() throws {
        func read(_ text: String) throws -> ContrastSet {
            try ContrastSet(json: Array(text.utf8), file: "data/polite.json")
        }
        let pairs = try read(
            #"{"name": "x", "pairs": [{"positive": "a", "negative": "b"}], "read": "index:-2", "layers": [8]}"#
        )
        #expect(
            pairs
                == ContrastSet(
                    name: "x", pairs: [.init(positive: "a", negative: "b")], reading: .index(-2), layers: [8])
        )
        let letters = try read(
            #"[{"question": "Q?", "answer_matching_behavior": "(A)", "answer_not_matching_behavior": "(B)"}]"#
        )
        #expect(letters.name == "polite" && letters.reading == .index(-2) && letters.hasAnswers)
        #expect(letters.pairs == [.init(positive: "Q? (A)", negative: "Q? (B)")])
        let lines = try read(
            "{\"positive\": \"a\", \"negative\": \"b\"}\n{\"positive\": \"c\", \"negative\": \"d\"}\n")
        #expect(lines.pairs.count == 2)
        let personas = try read(
            #"{"template": "Be {persona}.", "positive": ["kind"], "negative": ["rude"], "suffixes": [" I", " You"]}"#
        )
        #expect(personas.pairs.map(\.positive) == ["Be kind. I", "Be kind. You"])
        #expect(throws: SteeringError.noPairs(file: "data/polite.json")) { try read(#"{"pairs": []}"#) }
        let faults = [
            "", "7", "{", #"{"pairs": 3}"#, #"{"pairs": [{"positive": "a"}]}"#,
            #"{"pairs": [{"positive": "a", "negative": 3}]}"#,
            #"{"template": "x", "positive": [], "negative": []}"#,
            #"{"pairs": [{"positive": "a", "negative": "b"}], "read": "first"}"#,
            #"{"pairs": [{"positive": "a", "negative": "b"}], "layers": ["x"]}"#,
        ]
        for fault in faults {
            #expect(throws: SteeringError.self, "\(fault)") { try read(fault) }
        }
    }
}
