import CorvidEditing
import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@Suite struct FunctionVectorTests {
    static let names = ["llama", "gptj", "gpt2", "bloom", "opt"]

    /// A value of a site at the last token.
    private static func last(_ task: TinyTask, _ prompt: InContextPrompt, _ site: Site) throws -> [Float] {
        let rows = prompt.tokens.enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let plan = SitePlan(readings: [SiteReading(site, positions: .lastOfPrompt)])
        return try task.model.runBlocking(plan, Batch(rows: rows, caches: [task.model.makeCache()]))
            .readings[0].values
    }

    @Test("what all heads put in is the output of attention without its bias", arguments: names)
    func allHeads(name: String) async throws {
        let task = try TinyTask(name)
        let configuration = task.model.configuration
        let prompts = (20..<24).map { task.prompt(demonstrations: 2, query: $0) }
        let means = try await task.model.states(of: prompts).query.layers
        for layer in 0..<configuration.layers {
            let site = Site(.attentionOutput, layer: layer)
            let outputs = try prompts.map { try Self.last(task, $0, site) }
            let nothing = SiteChange(.scale(0), at: Site(.heads, layer: layer))
            let rows = [Batch<KeyValueCache>.Row(token: 3, sequence: 0, position: 0, wantsLogits: true)]
            let bias = try task.model.runBlocking(
                SitePlan(changes: [nothing], readings: [SiteReading(site)]),
                Batch(rows: rows, caches: [task.model.makeCache()])
            ).readings[0].values
            let found = try await task.model.projection(
                of: (0..<configuration.heads).map { (layer, $0) }, means: means)
            for column in found.indices {
                let mean = outputs.reduce(0) { $0 + $1[column] } / Float(prompts.count)
                #expect(abs(found[column] - (mean - bias[column])) < 1e-5 * max(1, abs(mean)))
            }
        }
    }

    @Test("a head that is replaced by what it gives anyway has no effect", arguments: names)
    func ownActivation(name: String) async throws {
        let task = try TinyTask(name)
        let prompt = task.prompt(demonstrations: 2, query: 20)
        let own = try await task.model.states(of: [prompt]).query.layers
        let effects = try await task.model.indirectEffects(of: own, on: [AnsweredPrompt(prompt, answer: 12)])
        #expect(effects.count == task.model.configuration.layers)
        #expect(effects.joined().allSatisfy { $0 == 0 })
    }

    @Test("effects from the last token are those of whole passes", arguments: names)
    func wholePasses(name: String) async throws {
        let task = try TinyTask(name, arrow: [7, 9])
        let (heads, width) = (task.model.configuration.heads, task.model.configuration.headWidth)
        let means = try await task.model.states(of: [task.prompt(demonstrations: 3, query: 20)]).query
            .layers.map { Array($0.suffix(heads * width)) }
        let prompts = (0..<3).map {
            AnsweredPrompt(
                task.prompt(first: $0, demonstrations: $0 + 1, query: 40 + $0), answer: Int32(11 + $0))
        }
        let effects = try await task.model.indirectEffects(of: means, on: prompts)
        for layer in means.indices {
            for head in 0..<heads {
                var expected = 0.0
                for prompt in prompts {
                    let values = Array(means[layer][head * width..<(head + 1) * width])
                    let change = SiteChange(
                        .replace(SiteTensor(values)), at: Site(.heads, layer: layer),
                        positions: .lastOfPrompt,
                        part: .heads([head]))
                    func probability(_ changes: [SiteChange]) throws -> Double {
                        let logits = try task.logits(prompt.prompt, changes: changes)
                        let greatest = logits.max() ?? 0
                        let powers = logits.map { exp(Double($0 - greatest)) }
                        return powers[Int(prompt.answer)] / powers.reduce(0, +)
                    }
                    expected += try (probability([change]) - probability([])) / 3
                }
                #expect(abs(effects[layer][head] - expected) < 1e-7)
            }
        }
        let vector = try await task.model.functionVector(means: means, effects: effects, heads: 2)
        let strongest = effects.joined().sorted(by: >).prefix(2)
        #expect(vector.heads.map(\.effect) == Array(strongest))
        #expect(vector.values.count == task.model.configuration.width)
    }

    @Test("a function vector is added after its block") func added() async throws {
        let task = try TinyTask("gptj")
        let query = task.prompt(demonstrations: 0, query: 20)
        let values = (0..<20).map { Float($0) / 40 }
        let vector = StateInjection.addition(values, after: 1)
        let (plain, steered) = try await (task.logits([query], nil), task.logits([query], vector))
        let residual = try Self.last(task, query, .output(of: 1))
        let expected = try await task.model.readOut(zip(residual, values).map { $0 + $1 })
        #expect(greatestDifference(steered[0], Array(expected.row(0))) < 1e-5)
        #expect(greatestDifference(steered[0], plain[0]) > 1e-3)
    }

    @Test("means of another model, and no prompts, are refused") func refused() async throws {
        let task = try TinyTask("gptj")
        let prompt = AnsweredPrompt(task.prompt(demonstrations: 1, query: 20), answer: 3)
        await #expect(throws: InContextError.differentShapes) {
            _ = try await task.model.indirectEffects(of: [[1]], on: [prompt])
        }
        await #expect(throws: InContextError.noTest) {
            _ = try await task.model.indirectEffects(of: [[1]], on: [])
        }
    }
}
