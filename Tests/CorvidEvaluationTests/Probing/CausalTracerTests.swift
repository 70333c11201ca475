import CorvidModels
import CorvidTensors
import TestSupport
import Testing

@testable import CorvidEvaluation

/// Causal tracing on tiny models of several families.
@Suite struct CausalTracerTests {
    static let names = [
        "gptj", "gpt2", "llama", "gpt-neox", "bloom", "opt-350m", "mpt", "gguf-q4_1", "backpack",
    ]

    private func model(_ name: String) throws -> Model {
        let path = Fixtures.path("Models/\(name)")
        return try Model.load(
            path: name.hasPrefix("gguf") ? path + "/model.gguf" : path,
            options: LoadOptions(threads: 2, computeType: name.hasPrefix("gguf") ? nil : .f32))
    }

    static let fact = try? TracedFact(ids: [5, 9, 31, 7, 40, 2, 11], subject: 2..<4)

    private func settings(_ change: (inout TracingSettings) -> Void = { _ in }) -> TracingSettings {
        var settings = TracingSettings()
        settings.samples = 3
        settings.window = 2
        change(&settings)
        return settings
    }

    private func trace(
        _ model: Model, _ settings: TracingSettings, naively: Bool = false
    ) async throws -> FactTrace {
        let fact = try #require(Self.fact)
        let tracer = try await CausalTracer(model, settings: settings, facts: [fact])
        return try #require(
            naively ? try await tracer.traceNaively(fact) : try await tracer.trace(fact))
    }

    @Test("the fast way gives each cell the bits of a full pass", arguments: names)
    func sameAsNaive(name: String) async throws {
        let model = try model(name)
        var kinds: [(inout TracingSettings) -> Void] = [
            { _ in }, { $0.restored = .mlp }, { $0.restored = .attention }, { $0.severed = .mlp },
            { $0.severed = .attention },
        ]
        kinds.append {
            $0.restored = .mlp
            $0.window = 1
        }
        for kind in kinds {
            let settings = settings(kind)
            let fast = try await trace(model, settings)
            #expect(fast == (try await trace(model, settings, naively: true)), "\(settings)")
            #expect(fast.corruptedProbability != fast.cleanProbability)
        }
    }

    @Test("how many rows a pass has changes no bit") func groups() async throws {
        let model = try model("gptj")
        let whole = try await trace(model, settings())
        for rows in [1, 8, 20] {
            #expect(try await trace(model, settings { $0.rowsPerPass = rows }) == whole, "\(rows)")
        }
    }

    @Test("without noise nothing is lost", arguments: ["gptj", "gguf-q4_1"])
    func withoutNoise(name: String) async throws {
        let found = try await trace(
            model(name), settings { $0.noise = EmbeddingNoise(level: .absolute(0)) })
        #expect(found.totalEffect == 0)
        #expect(found.restoredProbabilities.joined().allSatisfy { $0 == found.cleanProbability })
    }

    @Test(
        "restoring all tokens at any layer, or the last token at the last layer, gives the clean probability",
        arguments: names.filter { $0 != "backpack" })
    func restoringAll(name: String) async throws {
        let model = try model(name)
        let fact = try #require(Self.fact)
        let tracer = try await CausalTracer(model, settings: settings(), facts: [fact])
        let found = try #require(try await tracer.trace(fact))
        let last = try #require(found.restoredProbabilities.last?.last)
        #expect(abs(last - found.cleanProbability) <= 1e-5)
        for layer in 0..<model.configuration.layers {
            let all = try await tracer.probabilities(
                of: found.answer, fact, restoring: 0..<fact.ids.count, layer: layer)
            #expect(all.allSatisfy { abs($0 - found.cleanProbability) <= 1e-5 })
        }
    }

    @Test("tokens before the subject have no effect", arguments: names)
    func beforeSubject(name: String) async throws {
        let found = try await trace(model(name), settings())
        for token in 0..<found.subject.lowerBound {
            #expect(found.indirectEffects(token: token).allSatisfy { $0 == 0 })
        }
        #expect(found.indirectEffects(token: found.subject.lowerBound).contains { $0 != 0 })
    }

    @Test("a seed gives the same noise again, another seed gives other noise") func seeds() async throws {
        let model = try model("gpt2")
        let one = try await trace(model, settings())
        #expect(try await trace(model, settings()) == one)
        let other = try await trace(model, settings { $0.seed = 2 })
        #expect(other.corruptedProbabilities != one.corruptedProbabilities)
        // A sample's noise does not depend on how many there are.
        let more = try await trace(model, settings { $0.samples = 5 })
        #expect(Array(more.corruptedProbabilities.prefix(3)) == one.corruptedProbabilities)
    }

    @Test("every shape of noise corrupts, and noise in place of the embedding differs from noise on it")
    func shapes() async throws {
        let model = try model("llama")
        var seen: [[Double]] = []
        for shape in EmbeddingNoise.Shape.allCases {
            for replaces in [false, true] {
                let noise = EmbeddingNoise(shape: shape, replaces: replaces)
                seen.append(try await trace(model, settings { $0.noise = noise }).corruptedProbabilities)
            }
        }
        #expect(Set(seen).count == seen.count)
    }

    @Test("gaussian noise has mean 0 and the level as deviation, uniform noise is within it") func moments() {
        func draws(_ shape: EmbeddingNoise.Shape) -> [Float] {
            let source = NoiseSource(
                EmbeddingNoise(level: .deviations(3), shape: shape), seed: 5, width: 500, deviation: 0.5,
                embeddings: [])
            return (0..<20).flatMap { source.vectors(sample: $0, count: 2) }
        }
        let normal = draws(.gaussian).map(Double.init)
        let mean = normal.reduce(0, +) / Double(normal.count)
        let square = normal.reduce(0) { $0 + $1 * $1 } / Double(normal.count)
        // 20,000 draws: standard errors 0.011 of the mean, 0.5 % of the deviation.
        #expect(abs(mean) < 0.05)
        #expect(abs(square.squareRoot() - 1.5) < 0.04)
        let uniform = draws(.uniform)
        #expect(
            uniform.allSatisfy { abs($0) <= 1.5 } && uniform.contains { $0 > 1.4 }
                && uniform.contains { $0 < -1.4 })
    }

    @Test("noise with the subjects' covariance lies in the plane of their embeddings") func covariance() {
        // Two vectors differ along (1, -1, 0): their covariance is along it, with variance (1/2)² · 2 in all.
        let source = NoiseSource(
            EmbeddingNoise(level: .deviations(1), shape: .covariance), seed: 3, width: 3, deviation: 0,
            embeddings: [[1, 0, 7], [0, 1, 7]])
        let rows = (0..<4000).map { source.vectors(sample: $0, count: 1) }
        #expect(rows.allSatisfy { abs($0[0] + $0[1]) < 1e-6 && $0[2] == 0 })
        let variance = rows.reduce(0.0) { $0 + Double($1[0] * $1[0]) } / 4000
        #expect(abs(variance - 0.25) < 0.03)
    }

    @Test("a fact that the model does not know is left out") func unknown() async throws {
        let model = try model("gptj")
        var fact = try #require(Self.fact)
        let tracer = try await CausalTracer(model, settings: settings(), facts: [fact])
        let answer = try #require(try await tracer.trace(fact)).answer
        fact.expected = answer
        #expect(try await tracer.trace(fact) != nil)
        fact.expected = answer == 0 ? 1 : 0
        #expect(try await tracer.trace(fact) == nil)
    }

    @Test("averages take each token's part, with a band of 1.96 standard errors") func averages() throws {
        // Tokens 0 to 6, subject 1 to 3: parts are 1, 2, 3, 4, 5, 6.
        func trace(_ base: Double) -> FactTrace {
            FactTrace(
                ids: [0, 1, 2, 3, 4, 5, 6], subject: 1..<4, answer: 0, cleanProbability: 1,
                corruptedProbabilities: [0], restoredProbabilities: (0..<7).map { [base * Double($0)] })
        }
        let average = try TraceAverage([trace(0.1), trace(0.3)])
        #expect(average.indirectEffects.map(\.part) == TraceAverage.Part.allCases)
        for (index, effects) in average.indirectEffects.enumerated() {
            // 0.1 k and 0.3 k: mean 0.2 k, deviation 0.1 k.
            let k = Double(index + 1)
            #expect(abs(effects.layers[0].value - 0.2 * k) < 1e-12)
            #expect(abs(effects.layers[0].halfWidth - 1.96 * 0.1 * k / 2.0.squareRoot()) < 1e-12)
        }
        #expect(average.totalEffect.value == 1)
        #expect(throws: TracingError.noFacts) { try TraceAverage([]) }
        // A subject of one token at the end of the prompt is first, last, and the last of all.
        #expect(TraceAverage.tokens(.firstSubject, of: 2..<3, in: 3) == [2])
        #expect(TraceAverage.tokens(.middleSubject, of: 2..<3, in: 3) == [])
        #expect(TraceAverage.tokens(.firstAfter, of: 2..<3, in: 3) == [])
        #expect(TraceAverage.tokens(.furtherAfter, of: 0..<1, in: 3) == [])
        #expect(TraceAverage.tokens(.furtherAfter, of: 0..<1, in: 5) == [2, 3])
    }

    @Test("what cannot be traced is refused") func refusals() async throws {
        let model = try model("gpt2")
        let fact = try #require(Self.fact)
        #expect(throws: TracingError.noTokens) { try TracedFact(ids: [], subject: 0..<1) }
        #expect(throws: TracingError.subject(first: 2, last: 3, tokens: 3)) {
            try TracedFact(ids: [1, 2, 3], subject: 2..<4)
        }
        func refused(_ error: TracingError, _ change: (inout TracingSettings) -> Void) async {
            await #expect(throws: error) {
                try await CausalTracer(model, settings: settings(change), facts: [fact])
            }
        }
        await refused(.severedWindow) {
            $0.severed = .mlp
            $0.restored = .mlp
        }
        await refused(.absoluteCovariance) {
            $0.noise = EmbeddingNoise(level: .absolute(1), shape: .covariance)
        }
        await refused(.outOfRange(field: "samples", found: "0", allowed: "1 to 1048576")) { $0.samples = 0 }
        await refused(.outOfRange(field: "noise", found: "nan", allowed: "0 to 1000000")) {
            $0.noise = EmbeddingNoise(level: .absolute(.nan))
        }
        let tracer = try await CausalTracer(model, settings: settings(), facts: [fact])
        let long = try TracedFact(ids: [Int32](repeating: 1, count: 48), subject: 0..<1)
        await #expect(throws: TracingError.tooLong(tokens: 48, context: 47)) { try await tracer.trace(long) }
        let wrong = try TracedFact(ids: fact.ids, subject: fact.subject, answer: 61)
        await #expect(throws: TracingError.answer(id: 61, vocabulary: 61)) { try await tracer.trace(wrong) }
        let encoder = try self.model("bert")
        await #expect(throws: TracingError.continuesNoText(family: "bert")) {
            try await CausalTracer(encoder, facts: [fact])
        }
    }

    @Test("facts are read from an array or from lines, and what is missing is named") func files() throws {
        let tokenizer = try model("gptj").tokenizer
        let record = #"{"prompt": "the sand in one", "subject": "sand", "attribute": "the"}"#
        let lines = try TracedFact.facts(in: record + "\n" + record, tokenizer: tokenizer)
        #expect(try TracedFact.facts(in: "[\(record),\n \(record)]", tokenizer: tokenizer) == lines)
        #expect(
            lines.count == 2
                && lines[0].expected == tokenizer.encode("sand the")[tokenizer.encode("sand").count])
        #expect(try TracedFact.facts(in: record + "\n" + record, limit: 1, tokenizer: tokenizer).count == 1)
        #expect(throws: TracingError.record(index: 0, key: "subject")) {
            try TracedFact.facts(in: #"[{"prompt": "a"}]"#, tokenizer: tokenizer)
        }
        #expect(throws: TracingError.noFacts) { try TracedFact.facts(in: "[]", tokenizer: tokenizer) }
        #expect(throws: SiteError.substring("dune")) {
            try TracedFact.facts(in: #"[{"prompt": "a", "subject": "dune"}]"#, tokenizer: tokenizer)
        }
    }
}
