import CorvidModels
import CorvidTensors
import TestSupport
import Testing

/// Recording and changing what stands at sites, over tiny models of all families.
@Suite struct SiteTests {
    /// All sites of a model.
    static func sites(_ c: ModelConfiguration) -> [Site] {
        c.siteKinds.flatMap { kind -> [Site] in
            kind.isPerLayer
                ? (0..<c.layers).map { Site(kind, layer: $0) }
                : [Site.embedding, .senses, .finalNorm, .logits].filter { $0.kind == kind }
        }
    }

    static func batch(_ golden: GoldenModel, _ model: Model, copies: Int = 1) throws -> Batch<KeyValueCache> {
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        for copy in 0..<copies {
            for (position, id) in golden.ids.enumerated() {
                batch.rows.append(
                    .init(
                        token: id, sequence: copy, position: position, wantsLogits: true,
                        tokenType: golden.types[position]))
            }
            batch.caches.append(
                try golden.source.map { try model.makeCacheBlocking(source: $0) } ?? model.makeCache())
        }
        return batch
    }

    static func bits(_ values: RowValues) -> [UInt32] {
        (0..<values.rowCount).flatMap { values.row($0).map(\.bitPattern) }
    }

    @Test("recording every site and changing none leaves the bits of all outputs", arguments: GoldenModel.all)
    func recording(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        let plan = SitePlan(readings: Self.sites(model.configuration).map { SiteReading($0) })
        for (output, _) in golden.outputs {
            let plain = try model.outputBlocking(output, for: try Self.batch(golden, model))
            let run = try model.runBlocking(plan, try Self.batch(golden, model), for: output)
            #expect(Self.bits(run.output) == Self.bits(plain), "\(output)")
            for (reading, values) in zip(plan.readings, run.readings) where reading.site != .logits {
                #expect(values.count == golden.ids.count, "\(reading.site)")
                if let width = model.configuration.siteWidth(reading.site.kind) {
                    #expect(values.columns == width, "\(reading.site)")
                }
            }
        }
    }

    @Test("identity changes at every site leave the bits of all outputs", arguments: GoldenModel.all)
    func identities(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        let changes = Self.sites(model.configuration).flatMap { site -> [SiteChange] in
            let width = model.configuration.siteWidth(site.kind)
            return [SiteChange(.scale(1), at: site), SiteChange(.closure { _ in }, at: site)]
                + (width.map {
                    [SiteChange(.add(SiteTensor([Float](repeating: 1, count: $0)), scale: 0), at: site)]
                } ?? [])
        }
        for (output, _) in golden.outputs {
            let plain = try model.outputBlocking(output, for: try Self.batch(golden, model))
            let run = try model.runBlocking(
                SitePlan(changes: changes), try Self.batch(golden, model), for: output)
            #expect(Self.bits(run.output) == Self.bits(plain), "\(output)")
        }
    }

    @Test(
        "a pass that resumes at any block with recorded residuals gives the same bits",
        arguments: GoldenModel.all)
    func resuming(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: nil)
        let layers = model.configuration.layers
        let plan = SitePlan(readings: (0..<layers).map { SiteReading(.input(of: $0)) })
        for (output, _) in golden.outputs {
            let whole = try model.runBlocking(plan, try Self.batch(golden, model), for: output)
            for layer in 0..<layers {
                let batch = try Self.batch(golden, model)
                let resumed = try model.runBlocking(
                    SitePlan(start: ResumePoint(layer: layer, residual: whole.readings[layer].values)), batch,
                    for: output)
                #expect(Self.bits(resumed.output) == Self.bits(whole.output), "\(output), block \(layer)")
                #expect(batch.caches.allSatisfy { $0.count == 0 })
            }
        }
    }

    @Test("adding a vector and taking it away again is an identity within 1e-6", arguments: GoldenModel.all)
    func addingAndSubtracting(name: String) throws {
        let golden = try GoldenModel(name)
        let model = try golden.load(as: .f32)
        let (output, _) = golden.outputs[0]
        let plain = try model.outputBlocking(output, for: try Self.batch(golden, model))
        for site in Self.sites(model.configuration) {
            guard let width = model.configuration.siteWidth(site.kind) else { continue }
            let vector = SiteTensor((0..<width).map { Float($0 % 7) / 70 - 0.04 })
            let reading = SiteReading(site)
            let before = try model.runBlocking(
                SitePlan(readings: [reading]), try Self.batch(golden, model), for: output)
            let run = try model.runBlocking(
                SitePlan(
                    changes: [
                        SiteChange(.add(vector), at: site), SiteChange(.add(vector, scale: -1), at: site),
                    ], readings: [reading]), try Self.batch(golden, model), for: output)
            for (a, b) in zip(before.readings[0].values, run.readings[0].values) {
                #expect(abs(a - b) <= 1e-6 * max(1, abs(a)), "\(site)")
            }
            // The two roundings are of the size of the residual's last bits; norms of small rows magnify them.
            var greatest: Float = 0
            for row in 0..<plain.rowCount {
                let (a, b) = (plain.row(row), run.output.row(row))
                let range = (a.max() ?? 0) - (a.min() ?? 0)
                greatest = max(greatest, zip(a, b).map { abs($0 - $1) }.max() ?? 0) / max(range, 1)
            }
            #expect(greatest <= 4e-6, "\(site)")
        }
    }

    @Test("what is recorded through a cache in chunks, or beside others, is what a whole pass records")
    func schedules() throws {
        for name in ["gpt2", "gptj", "gguf-q4_1", "gpt-neox", "mpt"] {
            let golden = try GoldenModel(name)
            let model = try golden.load(as: nil)
            let sites = Self.sites(model.configuration)
            let whole = try model.runBlocking(
                SitePlan(readings: sites.map { SiteReading($0) }), try Self.batch(golden, model))
            let beside = try model.runBlocking(
                SitePlan(readings: sites.map { SiteReading($0, sequence: 1) }),
                try Self.batch(golden, model, copies: 3))
            let batch = try Self.batch(golden, model)
            for (position, row) in batch.rows.enumerated() {
                let step = try model.runBlocking(
                    SitePlan(readings: sites.map { SiteReading($0) }),
                    Batch(rows: [row], caches: batch.caches))
                for (index, site) in sites.enumerated() where site.kind != .pattern {
                    let expected = whole.readings[index][position].map(\.bitPattern)
                    #expect(
                        step.readings[index].values.map(\.bitPattern) == expected, "\(site) at \(position)")
                }
            }
            for (index, site) in sites.enumerated() {
                #expect(
                    beside.readings[index].values.map(\.bitPattern)
                        == whole.readings[index].values.map(\.bitPattern), "\(site)")
            }
        }
    }

    @Test("patterns are a softmax: rows sum to one and see no later key") func patterns() throws {
        let golden = try GoldenModel("gptj")
        let model = try golden.load(as: .f32)
        let run = try model.runBlocking(
            SitePlan(readings: [SiteReading(Site(.pattern, layer: 0))]), try Self.batch(golden, model))
        let pattern = run.readings[0]
        let heads = model.configuration.heads
        let keys = pattern.columns / heads
        #expect(keys == golden.ids.count)
        for row in 0..<pattern.count {
            for head in 0..<heads {
                let weights = pattern[row].dropFirst(head * keys).prefix(keys)
                #expect(abs(weights.reduce(0, +) - 1) < 1e-5)
                #expect(weights.dropFirst(row + 1).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("a pass that ends after its readings has run no later block and leaves its caches as they were")
    func ending() throws {
        let golden = try GoldenModel("gptj")
        let model = try golden.load(as: .f32)
        let site = Site(.heads, layer: 0)
        let whole = try model.runBlocking(
            SitePlan(readings: [SiteReading(site)]), try Self.batch(golden, model))
        // A closure at a later site would be called if the pass went on.
        let later = SiteChange(
            .closure { $0.values = $0.values.map { _ in .nan } }, at: Site(.attentionOutput, layer: 0))
        let batch = try Self.batch(golden, model)
        let run = try model.runBlocking(
            SitePlan(changes: [later], readings: [SiteReading(site)], endsAfterReadings: true), batch)
        #expect(run.readings == whole.readings)
        #expect(run.output.rowCount == 0)
        #expect(batch.caches[0].count == 0)
        let none = try model.runBlocking(
            SitePlan(readings: [SiteReading(site, positions: .at(99))], endsAfterReadings: true), batch)
        #expect(none.readings.map(\.count) == [0])
    }

    @Test("the sites of the stack that reads a source text are recorded and changed") func encoderSites()
        async throws
    {
        let golden = try GoldenModel("t5")
        let model = try golden.load(as: .f32)
        let source = try #require(golden.source)
        let site = Site.output(of: 1)
        let plain = try await model.read(source, SitePlan(readings: [SiteReading(site)]))
        #expect(plain.readings[0].count == source.count)
        let changed = try await model.read(
            source,
            SitePlan(
                changes: [SiteChange(.scale(0), at: Site(.mlpOutput, layer: 0))],
                readings: [SiteReading(site)]))
        #expect(changed.readings[0] != plain.readings[0])
    }

    @Test("what is changed while answering is what is changed when the whole text runs at once")
    func generation() async throws {
        for name in ["gptj", "gguf-q4_1", "mpt"] {
            let golden = try GoldenModel(name)
            let model = try golden.load(as: nil)
            let vector = SiteTensor((0..<model.configuration.width).map { Float($0 % 5) / 4 - 0.5 })
            let changes = [
                SiteChange(.add(vector), at: .output(of: 0), positions: .generated),
                SiteChange(.scale(0.5), at: Site(.mlpOutput, layer: 1), positions: .lastOfPrompt),
                SiteChange(.scale(2), at: Site(.heads, layer: 0), positions: .at(0, 1), part: .heads([0])),
            ]
            let site = Site.output(of: 1)
            var request = GenerationRequest(prompt: golden.ids, maxTokens: 5, sampling: .greedy)
            request.changes = changes
            request.readings = [SiteReading(site)]
            request.prefillChunk = 3
            request.ignoresEndOfSequence = true
            let results = try await Generator(model: model, tokenizer: ByteTokenizer())
                .run([request])
            let answer = try #require(results.first?.first)
            let text = golden.ids + answer.ids.dropLast()
            var batch = Batch<KeyValueCache>(
                rows: text.enumerated().map {
                    .init(token: $1, sequence: 0, position: $0, wantsLogits: true)
                }, caches: [try model.makeCache()], promptCounts: [golden.ids.count])
            let whole = try model.runBlocking(
                SitePlan(changes: changes, readings: [SiteReading(site)]), batch)
            #expect(answer.readings == whole.readings, "\(name)")
            let last = whole.output.row(whole.output.rowCount - 1)
            #expect(
                last.firstIndex(of: last.max() ?? 0).map { Int32($0 - last.startIndex) } == answer.ids.last)
            // Beside another request that changes nothing.
            batch.caches = []
            let pair = try await Generator(model: model, tokenizer: ByteTokenizer())
                .run([GenerationRequest(prompt: [1, 2], maxTokens: 7, sampling: .greedy), request])
            #expect(pair[1].first?.ids == answer.ids)
            #expect(pair[1].first?.readings == answer.readings)
        }
    }
}
