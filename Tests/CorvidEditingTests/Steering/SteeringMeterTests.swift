import CorvidModels
import CorvidTensors
import Foundation
import Testing

@testable import CorvidEditing

/// Effects on texts: passes that begin between blocks against plain ones.
@Suite struct SteeringMeterTests {
    private func logProbabilities(_ row: [Float]) -> [Double] {
        let sum = log(row.reduce(0.0) { $0 + exp(Double($1)) })
        return row.map { Double($0) - sum }
    }

    @Test("shared and resumed passes give what plain ones give", arguments: ["gptj", "gpt2", "gguf-f32"])
    func effects(name: String) async throws {
        let tiny = try TinyModel(name)
        let texts = (0..<5).map { tiny.ids(6 + Int($0), seed: 40 + $0) }
        let vectors = try await ActivationAddition.vectors(
            tiny.model, positive: tiny.ids(3, seed: 50), negative: tiny.ids(3, seed: 51),
            layers: Array(0..<tiny.model.configuration.layers))
        let constant = try SteeringVector(
            at: .output(of: 0), .all, rows: Array(vectors[1].row(2)), width: vectors[1].width)
        let variants =
            vectors.flatMap { [[$0], [$0.scaled(to: 3)]] } + [[constant], [vectors[0], constant]]
        let target: Set<Int32> = [3, 5, 8]
        var meter = SteeringMeter(tiny.model)
        meter.aligned = target
        meter.keepsShifts = true
        let found = try await meter.effects(of: variants, on: texts)
        for (variant, effect) in zip(variants, found) {
            let touched = variant.contains { $0.place == .front } ? 3 : 0
            var (divergence, tokens, effectiveness, disruption) = (0.0, 0, 0.0, 0.0)
            var means: [(Double, Double)] = []
            for ids in texts {
                let plain = try tiny.logits(ids).map(logProbabilities)
                let steered = try tiny.logits(ids, try variant.map { try $0.change(prompt: ids.count) })
                    .map(logProbabilities)
                var sums = (0.0, 0.0)
                for row in touched..<ids.count - 1 {
                    sums.0 += plain[row][Int(ids[row + 1])]
                    sums.1 += steered[row][Int(ids[row + 1])]
                    divergence += zip(plain[row], steered[row]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
                    tokens += 1
                    // Both measures by their definitions.
                    let (p, q) = (plain[row].map { exp($0) }, steered[row].map { exp($0) })
                    let inside = Set(target.map(Int.init))
                    let (pT, qT) = (inside.reduce(0) { $0 + p[$1] }, inside.reduce(0) { $0 + q[$1] })
                    effectiveness += log(qT) - log(pT)
                    for (set, a, b) in [(true, qT, pT), (false, 1 - qT, 1 - pT)] {
                        for token in p.indices where inside.contains(token) == set {
                            disruption += q[token] * (log(q[token] / a) - log(p[token] / b))
                        }
                    }
                }
                means.append(
                    (sums.0 / Double(ids.count - 1 - touched), sums.1 / Double(ids.count - 1 - touched)))
            }
            #expect(effect.tokens == tokens)
            for (mine, expected) in zip(effect.texts, means) {
                #expect(abs(mine.base - expected.0) < 1e-4 && abs(mine.steered - expected.1) < 1e-4)
            }
            #expect(abs(effect.meanDivergence - divergence / Double(tokens)) < 1e-4)
            let aligned = try #require(effect.aligned)
            #expect(abs(aligned.effectiveness - effectiveness / Double(tokens)) < 1e-4)
            #expect(abs(aligned.disruption - disruption / Double(tokens)) < 1e-4)
            #expect(effect.shifts.values.reduce(0) { $0 + $1.count } == tokens)
            let ratio = exp(-means.reduce(0) { $0 + $1.1 - $1.0 } / Double(texts.count))
            #expect(abs(effect.perplexityRatio - ratio) < 1e-4)
        }
    }

    @Test("effects do not depend on how many variants and texts run side by side") func batching()
        async throws
    {
        let tiny = try TinyModel("gptj")
        let texts = (0..<6).map { tiny.ids(7, seed: 60 + $0) }
        let vectors = try await ActivationAddition.vectors(
            tiny.model, positive: tiny.ids(3, seed: 70), negative: tiny.ids(3, seed: 71), layers: [1])
        let variants = [0.5, 1, 2, 4].map { [vectors[0].scaled(to: Float($0))] }
        var narrow = SteeringMeter(tiny.model)
        narrow.passRows = 9
        #expect(
            try await narrow.effects(of: variants, on: texts)
                == (try await SteeringMeter(tiny.model).effects(of: variants, on: texts)))
    }

    @Test("texts that a vector covers are left out") func shortTexts() async throws {
        let tiny = try TinyModel("gptj")
        let vectors = try await ActivationAddition.vectors(
            tiny.model, positive: tiny.ids(4, seed: 72), negative: tiny.ids(4, seed: 73), layers: [1])
        let texts = [tiny.ids(3, seed: 74), tiny.ids(8, seed: 75), tiny.ids(1, seed: 76)]
        let effects = try await SteeringMeter(tiny.model).effects(of: [vectors], on: texts)
        #expect(effects[0].indices == [1])
        await #expect(throws: SteeringError.nothingToScore(group: "topical")) {
            try await SteeringSweep.run(
                vectors, coefficients: [1], topical: [texts[0]], unrelated: texts, model: tiny.model)
        }
    }

    @Test("the front holds the points that no other beats in both respects") func front() {
        func point(_ ratio: Double, _ divergence: Double) -> SteeringSweep.Point {
            .init(
                site: .input(of: 0), coefficient: 1, topicalRatio: ratio, unrelatedRatio: 1,
                unrelatedDivergence: divergence)
        }
        var points = [point(0.8, 0.3), point(0.9, 0.1), point(0.9, 0.2), point(0.7, .nan), point(1, 0.05)]
        SteeringSweep.markFront(&points)
        #expect(points.map(\.isOnFront) == [true, true, false, false, true])
    }

    @Test("words are counted in lower case, cut at everything else") func words() {
        let topic = TopicWords(["Wedding", "bride"])
        #expect(topic.count(in: "The WEDDING-bride's weddings") == 2)
        #expect(topic.share(in: "a wedding, a bride") == 0.5)
        #expect(topic.share(in: "...") == 0)
        let sentiment = SentimentWords(positive: TopicWords(["good"]), negative: TopicWords(["bad"]))
        #expect(sentiment.score("good, good and bad") == 1.0 / 3)
        #expect(sentiment.score("neither") == 0)
    }
}
