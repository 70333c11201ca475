import CorvidEditing
import CorvidModels
import CorvidTensors
import TestSupport
import Testing

/// State vectors of tiny models.
@Suite struct StateVectorTests {
    /// Families whose token embeddings do not depend on positions, with an arrow of one token and of three.
    static let free = ["llama", "gptj", "gpt-neox", "mpt", "bloom", "codegen", "gguf-q4_1"]
    static let arrows: [[Int32]] = [[7], [7, 9, 6]]

    @Test(
        "the vanilla state vector of layers 0 to L is the task vector of layer L, to the last bit",
        arguments: free)
    func identity(name: String) async throws {
        let task = try TinyTask(name, as: name.hasPrefix("gguf") ? nil : .f32)
        let shown = task.prompt(demonstrations: 3, query: 20)
        let states = try await task.model.states(of: [shown])
        let taskVector = try await task.model.taskVector(of: [shown])
        let queries = (30..<34).map { task.prompt(demonstrations: 0, query: $0) }
        for layer in 0..<task.model.configuration.layers {
            let vanilla = try await task.logits(queries, .state(states.query.through(layer)))
            let other = try await task.logits(queries, taskVector.injection(after: layer))
            for (a, b) in zip(vanilla, other) { #expect(bitPatterns(a) == bitPatterns(b), "layer \(layer)") }
            for (a, query) in zip(vanilla, queries) {
                #expect(greatestDifference(a, try task.logits(query)) > 1e-4)
            }
        }
    }

    @Test(
        "with learned positions they agree only at the same position", arguments: ["gpt2", "opt", "gpt-neo"])
    func positions(name: String) async throws {
        let task = try TinyTask(name)
        let shown = task.prompt(demonstrations: 2, query: 20)
        let vector = try await task.model.states(of: [shown]).query.through(1)
        let injection = try await task.model.taskVector(of: [shown]).injection(after: 1)
        let elsewhere = task.prompt(demonstrations: 0, query: 20)
        let (a, b) = try await (
            task.logits([elsewhere], .state(vector)), task.logits([elsewhere], injection)
        )
        #expect(greatestDifference(a[0], b[0]) > 1e-3)
        // Another beginning of the same length.
        var aligned = shown
        aligned.tokens[1] = 11
        let (c, d) = try await (task.logits([aligned], .state(vector)), task.logits([aligned], injection))
        #expect(bitPatterns(c[0]) == bitPatterns(d[0]))
    }

    @Test("writing a prompt's own state back changes no bit", arguments: free + ["gpt2", "backpack"], arrows)
    func null(name: String, arrow: [Int32]) async throws {
        let task = try TinyTask(name, arrow: arrow)
        let prompt = task.prompt(demonstrations: 2, query: 20)
        let own = try await task.model.states(of: [prompt]).query
        #expect(own.tokens == arrow.count)
        let plain = try task.logits(prompt)
        for layer in 0..<task.model.configuration.layers {
            let written = try await task.logits([prompt], .state(own.through(layer)))
            #expect(bitPatterns(written[0]) == bitPatterns(plain))
        }
        #expect(bitPatterns(try await task.logits([prompt], nil)[0]) == bitPatterns(plain))
    }

    @Test(
        "a vector of all layers gives any query the logits of the prompt it is from", arguments: free, arrows)
    func allLayers(name: String, arrow: [Int32]) async throws {
        let task = try TinyTask(name, arrow: arrow)
        let prompt = task.prompt(demonstrations: 2, query: 20)
        let own = try await task.model.states(of: [prompt]).query
        let injected = try await task.logits([task.prompt(demonstrations: 0, query: 31)], .state(own))
        #expect(bitPatterns(injected[0]) == bitPatterns(try task.logits(prompt)))
    }

    @Test(
        "an injection is the same as its changes in a pass over the whole prompt", arguments: free + ["gpt2"])
    func wholePass(name: String) async throws {
        let task = try TinyTask(name, arrow: [7, 9])
        let states = try await task.model.states(of: [task.prompt(demonstrations: 3, query: 20)])
        let queries = (30..<35).map { task.prompt(demonstrations: $0 % 2, query: $0) }
        for injection: StateInjection in [
            .state(try states.query.through(0)),
            .state(states.query, mixing: StateMixing(old: 0.5, stored: 0.25)),
            .state(states.query, mixing: StateMixing(old: 0.3, stored: 2, keepsNorm: true)),
        ] {
            for (query, row) in zip(queries, try await task.logits(queries, injection)) {
                let whole = try task.logits(query, changes: injection.changes(arrowTokens: 2))
                #expect(bitPatterns(row) == bitPatterns(whole))
            }
        }
    }

    @Test(
        "layers are tried from the residuals at the arrow with the same bits as from the whole pass",
        arguments: free, arrows)
    func sweep(name: String, arrow: [Int32]) async throws {
        let task = try TinyTask(name, arrow: arrow)
        let states = try await task.model.states(of: [
            task.prompt(demonstrations: 3, query: 20), task.prompt(demonstrations: 3, query: 21),
        ])
        let prompts = (0..<6).map { task.prompt(demonstrations: $0 % 3, query: 30 + $0) }
        let residuals = try #require(try await ArrowResiduals(states.query, prompts: prompts, task.model))
        let batch = try await QueryBatch(task.model, prompts)
        for layer in 0..<task.model.configuration.layers {
            var (fast, slow): ([[Float]], [[Float]]) = ([], [])
            try await batch.logits(states.query, through: layer, residuals) { fast.append(Array($1)) }
            try await batch.logits(.state(states.query.through(layer))) { slow.append(Array($1)) }
            #expect(fast.map(bitPatterns) == slow.map(bitPatterns))
        }
        #expect(try await ArrowResiduals(states.query, prompts: prompts, TinyTask("gpt2").model) == nil)
    }

    @Test("a norm-preserving injection keeps the length of what the heads give") func norm() async throws {
        let task = try TinyTask("llama")
        let own = try await task.model.states(of: [task.prompt(demonstrations: 3, query: 20)]).query
        let query = task.prompt(demonstrations: 0, query: 30)
        let mixing = StateMixing(old: 0.5, stored: 3, keepsNorm: true)
        let batch = Batch<KeyValueCache>(
            rows: query.tokens.enumerated().map {
                .init(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }, caches: [try task.model.makeCache()])
        let site = Site(.heads, layer: 0)
        let plan = SitePlan(
            changes: try StateInjection.state(own.through(0), mixing: mixing).changes(arrowTokens: 1),
            readings: [SiteReading(site, positions: .lastOfPrompt)])
        let new = try task.model.runBlocking(plan, batch).readings[0].values
        let old = try await task.model.states(of: [query]).query.layers[0]
        func length(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1 * $1) }.squareRoot() }
        #expect(abs(length(new) / length(old) - 1) < 1e-5)
        #expect(greatestDifference(new, old) > 1e-4)
    }

    @Test("states do not depend on which dummy queries are read beside them") func dummies() async throws {
        let task = try TinyTask("gptj", arrow: [7, 9])
        let prompts = (20..<25).map { task.prompt(demonstrations: 3, query: $0) }
        let together = try await task.model.states(of: prompts)
        #expect(together.demonstrations.count == 3 && together.queries.count == 5)
        for (index, prompt) in prompts.enumerated() {
            let alone = try await task.model.states(of: [prompt])
            #expect(alone.query == together.queries[index])
            #expect(alone.demonstrations == together.demonstrations)
            #expect(alone.spread == 0)
        }
        #expect(together.spread > 0)
        // The mean over dummy queries.
        let values = together.queries.map { Double($0.layers[1][3]) }
        #expect(abs(Double(together.query.layers[1][3]) - values.reduce(0, +) / 5) < 1e-6)
    }

    @Test("vectors of other models and layers that do not exist are refused") func refused() async throws {
        let (llama, gptj) = (try TinyTask("llama"), try TinyTask("gptj"))
        let vector = try await llama.model.states(of: [llama.prompt(demonstrations: 1, query: 20)]).query
        let query = gptj.prompt(demonstrations: 0, query: 20)
        #expect(
            throws: InContextError.otherModel(layers: 2, columns: 30, expectedLayers: 2, expectedColumns: 20)
        ) { try vector.check(gptj.model.configuration) }
        await #expect(throws: InContextError.self) { _ = try await gptj.logits([query], .state(vector)) }
        #expect(throws: InContextError.layer(2, layers: 2)) { try vector.through(2) }
        #expect(throws: InContextError.layer(-1, layers: 2)) { try vector.through(-1) }
        await #expect(throws: InContextError.layer(5, layers: 2)) {
            _ = try await gptj.logits([query], .residual([Float](repeating: 0, count: 20), after: 5))
        }
        var layers = vector.layers
        layers[1][4] = .nan
        let damaged = try StateVector(layers: layers, tokens: 1, columns: 30)
        #expect(throws: InContextError.notFinite(layer: 1)) { try damaged.check(llama.model.configuration) }
        #expect(throws: InContextError.differentShapes) {
            try StateVector(layers: layers, tokens: 2, columns: 30)
        }
        let encoder = try Model.load(path: Fixtures.path("Models/bert"))
        let builder = try InContextPromptBuilder(goldenTokenizer("gpt2"), contextLength: 9)
        #expect(throws: InContextError.continuesNoText) { try StateExtractor(encoder, builder) }
    }

    @Test("vectors are added, taken away and compared") func algebra() throws {
        let a = try StateVector(layers: [[1, 2], [0, 4]], tokens: 1, columns: 2)
        let b = try StateVector(layers: [[3, 0], [1, 1]], tokens: 1, columns: 2)
        #expect(try StateVector.combination([(1, a), (-0.5, b)]).layers == [[-0.5, 2], [-0.5, 3.5]])
        #expect(abs(try a.similarity(to: a) - 1) < 1e-12)
        // (1, 2)·(3, 0) / (√5 · 3) = 1/√5 and (0, 4)·(1, 1) / (4 √2) = 1/√2.
        #expect(abs(try a.similarity(to: b) - (0.4472135955 + 0.7071067812) / 2) < 1e-9)
        // Both lie 1 from their mean in the first value; its length is 2.
        let (c, d) = (
            try StateVector(layers: [[1, 0]], tokens: 1, columns: 2),
            try StateVector(layers: [[3, 0]], tokens: 1, columns: 2)
        )
        #expect(try StateVector.spread([c, d]) == 0.5)
        #expect(throws: InContextError.differentShapes) { try StateVector.combination([(1, a), (1, c)]) }
    }
}
