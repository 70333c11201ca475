import CorvidEditing
import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport
import Testing

/// Activation addition on tiny random models.
@Suite struct ActivationAdditionTests {
    private func vectors(
        _ tiny: TinyModel, _ positive: [Int32], _ negative: [Int32]?, at kind: Site.Kind = .input
    ) async throws -> [SteeringVector] {
        try await ActivationAddition.vectors(
            tiny.model, positive: positive, negative: negative,
            layers: Array(0..<tiny.model.configuration.layers), at: kind)
    }

    @Test("coefficient 0 and two equal prompts leave every bit of the logits", arguments: TinyModel.families)
    func identity(name: String) async throws {
        let tiny = try TinyModel(name)
        let prompt = tiny.ids(8, seed: 1)
        let plain = bits(try tiny.logits(prompt))
        for vector in try await vectors(tiny, tiny.ids(4, seed: 2), tiny.ids(4, seed: 3)) {
            let change = try vector.scaled(to: 0).change(prompt: 8)
            #expect(bits(try tiny.logits(prompt, [change])) == plain, "\(vector.site)")
        }
        for vector in try await vectors(tiny, tiny.ids(4, seed: 2), tiny.ids(4, seed: 2)) {
            #expect(bits(try tiny.logits(prompt, [try vector.change(prompt: 8)])) == plain, "\(vector.site)")
        }
    }

    @Test("taking the patch off restores every bit", arguments: TinyModel.families)
    func removal(name: String) async throws {
        let tiny = try TinyModel(name)
        let prompt = tiny.ids(8, seed: 1)
        let plain = bits(try tiny.logits(prompt))
        let made = try await vectors(tiny, tiny.ids(4, seed: 2), tiny.ids(4, seed: 3))
        let patch = try Patch.steering(made, header: PatchHeader(name: "test", method: "steer"))
        let (steered, _) = try tiny.model.applying([.init(patch)])
        #expect(steered.changes.count == made.count)
        #expect(bits(try tiny.logits(prompt)) == plain)
    }

    @Test(
        "the difference of two prompts turns the one into the other, at every layer",
        arguments: TinyModel.families)
    func transport(name: String) async throws {
        let tiny = try TinyModel(name)
        let (positive, negative) = (tiny.ids(6, seed: 4), tiny.ids(6, seed: 5))
        let target = try tiny.logits(positive)
        #expect(
            distance(target, try tiny.logits(negative)) > 0.01, "the prompts must differ to show anything")
        for vector in try await vectors(tiny, positive, negative) {
            let moved = try tiny.logits(negative, [try vector.change(prompt: 6)])
            #expect(distance(moved, target) <= 1e-3, "\(vector.site)")
        }
    }

    @Test("the first row is exactly zero, at every layer", arguments: TinyModel.families)
    func firstRow(name: String) async throws {
        let tiny = try TinyModel(name)
        for vector in try await vectors(tiny, tiny.ids(5, seed: 6), tiny.ids(5, seed: 7)) {
            #expect(vector.row(0).allSatisfy { $0 == 0 }, "\(vector.site)")
            #expect(vector.norms[1] > 0)
        }
    }

    @Test("a pair is two single additions, two pairs commute, and the coefficient is a factor")
    func additivity() async throws {
        for name in ["gptj", "gpt2", "gguf-f32"] {
            let tiny = try TinyModel(name)
            let (positive, negative) = (tiny.ids(4, seed: 8), tiny.ids(4, seed: 9))
            let prompt = tiny.ids(9, seed: 10)
            let pairs = try await vectors(tiny, positive, negative)
            let singles = (
                try await vectors(tiny, positive, nil), try await vectors(tiny, negative, nil)
            )
            let others = try await vectors(tiny, tiny.ids(3, seed: 11), tiny.ids(3, seed: 12))
            for layer in pairs.indices {
                let pair = try tiny.logits(prompt, [try pairs[layer].scaled(to: 2).change(prompt: 9)])
                let apart = try tiny.logits(
                    prompt,
                    [
                        try singles.0[layer].scaled(to: 2).change(prompt: 9),
                        try singles.1[layer].scaled(to: -2).change(prompt: 9),
                    ])
                #expect(distance(pair, apart) <= 1e-3)
                let twice = try pairs[layer].scaled(to: 1).change(prompt: 9)
                #expect(distance(pair, try tiny.logits(prompt, [twice, twice])) <= 1e-3)
                let other = try others[layer].change(prompt: 9)
                #expect(
                    distance(
                        try tiny.logits(prompt, [twice, other]), try tiny.logits(prompt, [other, twice]))
                        <= 1e-4)
            }
        }
    }

    @Test("with a cache the same tokens come as with the whole text again for each one")
    func caching() async throws {
        for name in ["gptj", "gguf-f32"] {
            let tiny = try TinyModel(name)
            let vector = try await vectors(tiny, tiny.ids(4, seed: 13), tiny.ids(4, seed: 14))[1].scaled(
                to: 4)
            let prompt = tiny.ids(6, seed: 15)
            func answer(_ place: SteeringVector, cached: Bool) async throws -> [Int32] {
                var request = GenerationRequest(prompt: prompt, maxTokens: 12, sampling: .greedy)
                request.changes = [try place.change(prompt: prompt.count)]
                request.usesCache = cached
                request.ignoresEndOfSequence = true
                let results = try await Generator(model: tiny.model, tokenizer: try tiny.model.tokenizer)
                    .run([request])
                return results[0][0].ids
            }
            let constant = try SteeringVector(
                at: vector.site, .all, rows: Array(vector.row(2)), width: vector.width, coefficient: 2)
            for steering in [vector, constant] {
                let cached = try await answer(steering, cached: true)
                #expect(cached.count == 12)
                #expect(cached == (try await answer(steering, cached: false)), "\(name) \(steering.place)")
            }
        }
    }

    @Test("the output of a block is the input of the next one")
    func blockIndex() async throws {
        for name in ["gptj", "gpt2", "gguf-f32", "gpt-neox-sequential"] {
            let tiny = try TinyModel(name)
            let outputs = try await vectors(tiny, tiny.ids(4, seed: 16), tiny.ids(4, seed: 17), at: .output)
            let inputs = try await vectors(tiny, tiny.ids(4, seed: 16), tiny.ids(4, seed: 17))
            let prompt = tiny.ids(7, seed: 18)
            for layer in 0..<tiny.model.configuration.layers - 1 {
                #expect(outputs[layer].rows == inputs[layer + 1].rows)
                #expect(
                    bits(try tiny.logits(prompt, [try outputs[layer].change(prompt: 7)]))
                        == bits(try tiny.logits(prompt, [try inputs[layer + 1].change(prompt: 7)])))
            }
        }
    }

    @Test("front, middle and back lie where the authors' code lays them") func places() throws {
        func positions(_ place: SteeringVector.Place, _ prompt: Int) throws -> Positions {
            try SteeringVector(at: .input(of: 0), place, rows: [Float](repeating: 1, count: 6), width: 2)
                .positions(prompt: prompt)
        }
        #expect(try positions(.front, 10) == .range(0..<3))
        // floor(10 / 2) - floor(3 / 2) = 4
        #expect(try positions(.middle, 10) == .range(4..<7))
        #expect(try positions(.back, 10) == .range(7..<10))
        #expect(try positions(.middle, 3) == .range(0..<3))
        #expect(throws: SteeringError.promptTooShort(tokens: 2, needed: 3)) { try positions(.front, 2) }
    }

    @Test("a vector limited to some dimensions changes no other") func dimensions() async throws {
        let tiny = try TinyModel("gptj")
        let whole = try await vectors(tiny, tiny.ids(4, seed: 19), tiny.ids(4, seed: 20))[1]
        let part = try whole.limited(to: 2...4)
        let rows = tiny.ids(6, seed: 21).enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: false)
        }
        func stream(_ changes: [SiteChange]) throws -> SiteValues {
            try tiny.model.runBlocking(
                SitePlan(changes: changes, readings: [SiteReading(whole.site)], endsAfterReadings: true),
                Batch(rows: rows, caches: [try tiny.model.makeCache()])
            ).readings[0]
        }
        let (before, after) = (try stream([]), try stream([try part.change(prompt: 6)]))
        for row in 0..<before.count {
            for (column, value) in before[row].enumerated() {
                let added =
                    row < 4 && (2...4).contains(column) ? whole.row(row)[row * whole.width + column] : 0
                #expect(after[row][row * whole.width + column] == value + added)
            }
        }
        #expect(throws: SteeringError.dimensions(found: 3...whole.width, width: whole.width)) {
            try whole.limited(to: 3...whole.width)
        }
    }

    @Test("a random vector has the norms of the one that it stands for, and another direction")
    func random() async throws {
        let tiny = try TinyModel("gptj")
        let vector = try await vectors(tiny, tiny.ids(4, seed: 22), tiny.ids(4, seed: 23))[1].scaled(to: 3)
        let random = try vector.random(seed: 1)
        for (a, b) in zip(vector.norms, random.norms) { #expect(abs(a - b) <= 1e-5 * max(1, a)) }
        #expect(random != vector)
        #expect(random == (try vector.random(seed: 1)))
        #expect(random != (try vector.random(seed: 2)))
    }

    @Test("a strength is a part of the stream's norm") func strength() async throws {
        let tiny = try TinyModel("gptj")
        let vector = try await vectors(tiny, tiny.ids(4, seed: 24), tiny.ids(4, seed: 25))[1]
        let stream = try #require(vector.streamNorm)
        let norms = try vector.scaled(toPartOfStream: 0.25).norms.dropFirst()
        #expect(abs(norms.reduce(0, +) / 3 - stream / 4) <= 1e-5 * stream)
    }

    @Test("vectors of more than three times the stream are warned of") func warning() async throws {
        let tiny = try TinyModel("gptj")
        let vector = try await vectors(tiny, tiny.ids(4, seed: 26), tiny.ids(4, seed: 27))[1]
        let prompt = tiny.ids(6, seed: 28)
        let weak = try await SteeringDiagnosis.measure(
            [try vector.scaled(toPartOfStream: 0.1)], over: prompt, tiny.model)
        #expect(!weak[0].isTooStrong)
        #expect(weak[0].tokens.map(\.position) == [0, 1, 2, 3])
        let strong = try await SteeringDiagnosis.measure(
            [try vector.scaled(toPartOfStream: 40)], over: prompt, tiny.model)
        #expect(strong[0].isTooStrong)
    }

    @Test("patches keep vectors bit for bit") func patches() async throws {
        let tiny = try TinyModel("gptj")
        let made = try await vectors(tiny, tiny.ids(4, seed: 29), tiny.ids(4, seed: 30)).map {
            $0.scaled(to: 1.5)
        }
        let constant = try SteeringVector(
            at: .output(of: 0), .answer, rows: Array(made[1].row(1)), width: made[1].width, coefficient: -2)
        let all = made + [constant, try constant.limited(to: 1...3)]
        let patch = try Patch.steering(all, header: PatchHeader(name: "test", method: "steer"))
        let read = try SteeringVector.vectors(of: patch, width: made[0].width)
        for (a, b) in zip(all, read) {
            #expect(a.site == b.site && a.place == b.place && a.coefficient == b.coefficient)
            #expect(a.dimensions == b.dimensions)
            #expect(try a.change(prompt: 8).tensor == (try b.change(prompt: 8).tensor))
        }
        let middle = try SteeringVector(at: .input(of: 0), .middle, rows: [1, 2], width: 2)
        #expect(throws: SteeringError.middleWithoutPrompt) {
            try Patch.steering([middle], header: PatchHeader(name: "test", method: "steer"))
        }
    }

    @Test("a control vector written as GGUF and read back has the same bits, and steers the same")
    func controlVector() throws {
        let tiny = try TinyModel("gptj")
        let width = tiny.model.configuration.width
        let made = try (1..<tiny.model.configuration.layers).map { layer in
            try SteeringVector(
                at: .output(of: layer), .all, rows: (0..<width).map { Float($0 * layer % 7) / 3 - 1 },
                width: width)
        }
        let folder = try TemporaryFolder()
        let path = folder.path + "/v.gguf"
        let patch = try Patch.steering(made, header: PatchHeader(name: "test", method: "steer"))
        try PatchExport(patch, for: tiny.model.configuration, as: .gguf).write(to: path)
        let read = try SteeringVector.vectors(of: try Patch.open(path, for: tiny.model), width: width)
        #expect(read.map(\.site) == made.map(\.site))
        #expect(read.map { $0.rows.map(\.bitPattern) } == made.map { $0.rows.map(\.bitPattern) })
        let prompt = tiny.ids(6, seed: 32)
        #expect(
            bits(try tiny.logits(prompt, try made.map { try $0.change(prompt: 6) }))
                == bits(try tiny.logits(prompt, try read.map { try $0.change(prompt: 6) })))
    }

    @Test("what does not fit is refused with the reason") func refusals() async throws {
        let tiny = try TinyModel("gptj")
        let (model, layers) = (tiny.model, tiny.model.configuration.layers)
        let ids = tiny.ids(4, seed: 31)
        await #expect(throws: SteeringError.layer(layers, layers: layers)) {
            try await ActivationAddition.vectors(model, positive: ids, negative: nil, layers: [layers])
        }
        await #expect(throws: SteeringError.noLayers) {
            try await ActivationAddition.vectors(model, positive: ids, negative: nil, layers: [])
        }
        let width = model.configuration.width
        let other = try SteeringVector(
            at: .input(of: 0), .all, rows: [Float](repeating: 1, count: width + 1), width: width + 1)
        #expect(throws: SteeringError.width(.input(of: 0), found: width + 1, expected: width)) {
            try other.check(model.configuration)
        }
        let huge = try SteeringVector(
            at: .input(of: 0), .all, rows: [Float](repeating: 3e38, count: width), width: width,
            coefficient: 3)
        #expect(throws: SiteError.self) { try tiny.logits(ids, [try huge.change(prompt: 4)]) }
        let tokens = try SteeringTokens(try model.tokenizer, beginning: 1)
        #expect(throws: SteeringError.emptyPair(index: 3)) { try tokens.pair("", "", index: 3) }
    }
}

extension SiteChange {
    fileprivate var tensor: SiteTensor? {
        if case .add(let tensor, _) = operation { tensor } else { nil }
    }
}
