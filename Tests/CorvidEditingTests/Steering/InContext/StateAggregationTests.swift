import CorvidEditing
import CorvidModels
import CorvidTensors
import TestSupport
import Testing

@Suite struct StateAggregationTests {
    private static let letters = Array("abcdefghijklmnopqrstuvwxyz").map(String.init)

    private static func pairs(_ range: Range<Int>) -> [InContextPair] {
        range.map { InContextPair(input: letters[$0 % 26], output: letters[($0 + $0 / 26 + 1) % 26]) }
    }

    private static func extractor() throws -> StateExtractor {
        let model = try Model.load(
            path: Fixtures.path("Models/gptj"), options: LoadOptions(threads: 2, computeType: .f32))
        let builder = try InContextPromptBuilder(
            model.tokenizer, template: InContextTemplate(arrow: ">", separator: "\n"),
            contextLength: model.contextLength)
        return try StateExtractor(model, builder)
    }

    @Test("one group is the two-stage formula worked out by hand") func byHand() async throws {
        let extractor = try Self.extractor()
        let model = extractor.model
        let dummy = InContextPair(input: "k", output: "l")
        let group = DemonstrationGroup(demonstrations: Self.pairs(0..<4), dummy: dummy)
        let aggregator = StateAggregator(extractor, shuffles: 1, seed: 1)
        let result = try await aggregator.aggregate([group], dummies: ["x", "y"], through: 0)
        // The one shuffle.
        var order: [[InContextPair]] = []
        for permutation in Self.permutations(group.demonstrations) {
            let state = try await model.states(of: [extractor.builder.prompt(permutation, query: "k")]).query
            if state == result.groups[0] { order.append(permutation) }
        }
        #expect(order.count == 1)
        var finals: [[Float]] = []
        for query in ["x", "y"] {
            let prompt = try extractor.builder.prompt([dummy], query: query)
            let change = SiteChange(
                .replace(SiteTensor(result.groups[0].layers[0])), at: Site(.heads, layer: 0),
                positions: .range(prompt.arrows[0]))
            let rows = prompt.tokens.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }
            let run = try model.runBlocking(
                SitePlan(
                    changes: [change],
                    readings: [SiteReading(Site(.heads, layer: 0), positions: .lastOfPrompt)]),
                Batch(rows: rows, caches: [model.makeCache()]))
            finals.append(run.readings[0].values)
        }
        let mean = zip(finals[0], finals[1]).map { Float((Double($0) + Double($1)) / 2) }
        #expect(result.vector.layers.count == 1)
        #expect(greatestDifference(result.vector.layers[0], mean) < 1e-6)
    }

    private static func permutations(_ pairs: [InContextPair]) -> [[InContextPair]] {
        guard pairs.count > 1 else { return [pairs] }
        return pairs.indices.flatMap { index -> [[InContextPair]] in
            var rest = pairs
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    @Test("a hundred demonstrations in ten groups need no prompt of more than ten") func tenGroups()
        async throws
    {
        let extractor = try Self.extractor()
        let groups = try DemonstrationGroup.divide(Self.pairs(0..<110), groups: 10, size: 10)
        #expect(groups.map(\.demonstrations.count) == [Int](repeating: 10, count: 10))
        #expect(groups.map(\.dummy) == Self.pairs(100..<110))
        let aggregator = StateAggregator(extractor, shuffles: 2, seed: 4)
        for method in StateAggregator.Method.allCases {
            let result = try await aggregator.aggregate(groups, method, dummies: ["x", "y"], through: 1)
            #expect(result.mostDemonstrations == 10)
            #expect(result.longestPrompt <= extractor.model.contextLength)
            #expect(result.vector.layers.count == 2 && result.groups.count == 10)
            #expect(
                result.vector
                    == (try await aggregator.aggregate(groups, method, dummies: ["x", "y"], through: 1))
                    .vector)
            if method == .average { #expect(try StateVector.mean(result.groups) == result.vector) }
        }
    }

    @Test("groups need enough pairs, and a dummy that is none of them") func groups() throws {
        #expect(throws: InContextError.pairs(needed: 12, found: 11)) {
            try DemonstrationGroup.divide(Self.pairs(0..<11), groups: 3, size: 4)
        }
        #expect(throws: InContextError.noDummies) {
            try DemonstrationGroup.divide(Self.pairs(0..<4), groups: 1, size: 4)
        }
        for group in try DemonstrationGroup.divide(Self.pairs(0..<12), groups: 3, size: 4) {
            #expect(!group.demonstrations.contains(group.dummy))
        }
    }

    @Test("a task is measured in all ways, the same for one seed") func evaluation() async throws {
        let extractor = try Self.extractor()
        var settings = InContextEvaluationSettings()
        settings.division = InContextDivision(shots: 4, dummies: 2, validation: 3, test: 5)
        settings.functionVectorPrompts = 2
        settings.functionVectorHeads = 2
        settings.groups = 2
        let evaluator = InContextEvaluator(extractor, settings: settings)
        let data = InContextData.list(Self.pairs(0..<26))
        let report = try await evaluator.evaluate(data, seeds: [0, 1])
        #expect(report == (try await evaluator.evaluate(data, seeds: [0, 1])))
        #expect(report.tests == [5, 5])
        let methods: [InContextReport.Method] = [
            .regular, .vanilla, .inner, .momentum, .taskVector, .functionVector,
        ]
        for setting in InContextReport.Setting.allCases {
            for method in methods {
                let row = try #require(report.row(setting, method))
                #expect(row.accuracies.count == 2 && row.accuracies.allSatisfy { (0...1).contains($0) })
                #expect(row.layers.allSatisfy { ($0 == nil) == (method == .regular) })
            }
        }
        #expect(report.row(.zeroShot, .average) != nil && report.row(.zeroShot, .divideAndConquer) != nil)
        #expect(report.row(.fewShot, .divideAndConquer) != nil)
        #expect(report.curves.count == 10 && report.curves.allSatisfy { $0.accuracies.count == 2 })
        #expect(report.warnings == [.fewStates(found: 5, window: 7)])
        var fixed = evaluator
        fixed.settings.layer = 2
        await #expect(throws: InContextError.layer(2, layers: 2)) {
            _ = try await fixed.evaluate(data, seeds: [0])
        }
    }
}
