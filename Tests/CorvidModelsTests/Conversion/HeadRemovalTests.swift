import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

/// Models that are written without some of their heads.
@Suite struct HeadRemovalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func written(
        _ path: String, without heads: [Int: [Int]], as type: DType = .f32, at place: String
    ) throws -> (model: Model, removal: HeadRemoval) {
        let files = try ModelFiles(path: path)
        let removal = try HeadRemoval(heads, of: files.modelConfiguration())
        let target = folder.path(of: place)
        let conversion = try ModelConversion(files, to: type, at: target, removing: removal)
        _ = try conversion.write(pool: WorkerPool(threads: 2))
        return (try Model.load(path: target, options: LoadOptions(threads: 2, cacheType: .f32)), removal)
    }

    private func masked(_ golden: GoldenModel, _ model: Model, _ heads: [Int: [Int]]) throws -> [[Float]] {
        let changes = heads.map {
            SiteChange(.scale(0), at: Site(.heads, layer: $0.key), part: .heads($0.value))
        }
        let (output, _) = golden.outputs[0]
        let run = try model.runBlocking(
            SitePlan(changes: changes), try SiteTests.batch(golden, model), for: output)
        return (0..<run.output.rowCount).map { Array(run.output.row($0)) }
    }

    private func plain(_ golden: GoldenModel, _ model: Model) throws -> [[Float]] {
        let values = try model.outputBlocking(
            golden.outputs[0].output, for: try SiteTests.batch(golden, model))
        return (0..<values.rowCount).map { Array(values.row($0)) }
    }

    private func difference(_ a: [[Float]], _ b: [[Float]]) -> Float {
        guard a.count == b.count, zip(a, b).allSatisfy({ $0.count == $1.count }) else { return .infinity }
        return zip(a.joined(), b.joined()).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    /// Families whose heads can go, with all ways to store queries, keys and values.
    private static let names = [
        "gptj", "gpt2", "gpt-neo", "llama", "gpt-neox", "bloom", "mpt", "opt", "backpack", "bert",
        "distilbert",
        "gguf-f32", "gguf-gpt2",
    ]

    @Test("a model without heads gives what the model gives with their outputs at zero", arguments: names)
    func removing(name: String) throws {
        let golden = try GoldenModel(name)
        let source = Fixtures.path("Models/\(name)")
        let model = try golden.load()
        let c = model.configuration
        let all = Array(0..<c.heads)
        let cases: [[Int: [Int]]] = [
            [0: [0]], [c.layers - 1: [c.heads - 1]], [0: Array(all.dropFirst())], [0: all],
            [0: all].merging([c.layers - 1: [0]]) { all, _ in all },
            Dictionary(uniqueKeysWithValues: (0..<c.layers).map { ($0, all) }),
        ]
        for (index, heads) in cases.enumerated() {
            let (pruned, removal) = try written(source, without: heads, at: "\(name)-\(index)")
            let expected = try masked(golden, model, heads)
            let found = try plain(golden, pruned)
            #expect(difference(found, expected) < 1e-4, "\(heads), removed \(removal.removed)")
            for layer in 0..<c.layers {
                let gone = removal.removed[layer]?.count ?? 0
                #expect(pruned.configuration.heads(layer: layer) == c.heads - gone)
                #expect(
                    pruned.configuration.siteWidth(.heads, layer: layer) == (c.heads - gone) * c.headWidth)
            }
        }
    }

    private func parameters(_ path: String) throws -> Int {
        try ModelFiles(path: path).tensors.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    @Test("a head of GPT-J has 4 x head width x width parameters, one of GPT-2 has 3 x head width more")
    func counts() throws {
        for (name, biases) in [("gptj", 0), ("gpt2", 3), ("gpt-neo", 0)] {
            let source = Fixtures.path("Models/\(name)")
            let c = try ModelFiles(path: source).modelConfiguration()
            let before = try parameters(source)
            for heads in [[0: [1]], [0: [0, 1], 1: [0]]] {
                let (_, removal) = try written(source, without: heads, at: "\(name)-\(heads.count)")
                let count = heads.values.reduce(0) { $0 + $1.count }
                let each = 4 * c.headWidth * c.width + biases * c.headWidth
                #expect(
                    try before - parameters(folder.path(of: "\(name)-\(heads.count)")) == count * each)
                #expect(removal.removedParameters(c, hasBiases: biases > 0) == count * each)
                #expect(removal.masked.isEmpty)
            }
        }
    }

    @Test("heads that share keys and values go where those that stay are shared evenly, else they are masked")
    func groups() throws {
        // 9 heads in groups of 3, as SmolLM2 has them.
        let config: JSON = [
            "model_type": "llama", "hidden_size": 36, "num_hidden_layers": 2, "num_attention_heads": 9,
            "num_key_value_heads": 3, "intermediate_size": 8, "vocab_size": 50,
        ]
        let c = try ModelConfiguration(huggingFace: config, file: "config.json")
        let cases: [(heads: [Int], removed: [Int]?, masked: [Int]?)] = [
            ([4], nil, [4]), ([3, 4, 5], [3, 4, 5], nil), ([0, 4, 8], [0, 4, 8], nil),
            ([0, 1, 2, 3], [0, 1, 2], [3]), ([0, 1, 3, 6, 7], [0, 3, 6], [1, 7]),
            ([0, 1, 2, 3, 6, 7], [0, 1, 2, 3, 6], [7]), (Array(0..<9), Array(0..<9), nil),
        ]
        for (heads, removed, masked) in cases {
            let removal = try HeadRemoval([1: heads], of: c)
            #expect(removal.removed[1] == removed, "\(heads)")
            #expect(removal.masked[1] == masked, "\(heads)")
        }
    }

    @Test("what cannot be removed is masked in the written model, which gives the same")
    func masking() throws {
        // One of keys and values for all three heads: none of them can go alone with regular groups, except one
        // of the only group.
        for name in ["llama", "codegen"] {
            let golden = try GoldenModel(name)
            let model = try golden.load()
            let c = model.configuration
            let heads = [0: [0], 1: [c.heads - 1]]
            let (pruned, removal) = try written(Fixtures.path("Models/\(name)"), without: heads, at: name)
            #expect(difference(try plain(golden, pruned), try masked(golden, model, heads)) < 1e-4)
            #expect((c.needsAllHeads == nil) == removal.masked.isEmpty)
        }
    }

    @Test("heads are removed again from a model that lost some, and types change with them")
    func again() throws {
        for name in ["gpt2", "gptj"] {
            let golden = try GoldenModel(name)
            let model = try golden.load()
            let c = model.configuration
            let (first, _) = try written(Fixtures.path("Models/\(name)"), without: [0: [0]], at: name + "-1")
            let (second, _) = try written(
                first.path, without: [0: [0], 1: [1]], at: name + "-2")
            #expect(second.configuration.prunedHeads == [0: [0, 1], 1: [1]])
            let expected = try masked(golden, model, [0: [0, 1], 1: [1]])
            #expect(difference(try plain(golden, second), expected) < 1e-4)
            #expect(second.configuration.keptHeads(layer: 0) == Array(2..<c.heads))
            for type in [DType.f16, .bf16, .i8] {
                let (other, _) = try written(
                    Fixtures.path("Models/\(name)"), without: [0: [0]], as: type, at: "\(name)-\(type)")
                let largest = expected.joined().reduce(0) { max($0, abs($1)) }
                let same = try masked(golden, model, [0: [0]])
                #expect(difference(try plain(golden, other), same) < 0.2 * largest, "\(type)")
                let again = folder.path(of: "\(name)-\(type)-again")
                _ = try ModelConversion(ModelFiles(path: other.path), to: .f32, at: again).write(
                    pool: WorkerPool(threads: 2))
                #expect(
                    try Model.load(path: again, options: LoadOptions(threads: 1)).configuration.prunedHeads
                        == [0: [0]])
            }
        }
    }

    @Test("a model without heads runs the same bits in any schedule and generates through its cache")
    func schedules() throws {
        for name in ["gptj", "llama"] {
            let golden = try GoldenModel(name)
            let count = try golden.load().configuration.heads
            let (pruned, _) = try written(
                Fixtures.path("Models/\(name)"), without: [0: Array(0..<count), 1: [0]], at: name)
            let whole = try Schedule().logits(pruned, golden.ids)
            for schedule in [
                Schedule(threads: 2, batch: 3), Schedule(chunk: 2), Schedule(chunk: 1, usesCache: false),
            ] {
                let other = try schedule.logits(pruned, golden.ids)
                #expect(
                    whole.map { $0.map(\.bitPattern) } == other.map { $0.map(\.bitPattern) }, "\(schedule)")
            }
        }
    }

    @Test("heads that are not there, and files that cannot say so, are refused")
    func refusals() throws {
        let files = try ModelFiles(path: Fixtures.path("Models/gptj"))
        let c = try files.modelConfiguration()
        #expect(throws: HeadRemovalError.layer(2, layers: 2)) { try HeadRemoval([2: [0]], of: c) }
        #expect(throws: HeadRemovalError.head(2, layer: 1, heads: 2)) { try HeadRemoval([1: [2]], of: c) }
        let removal = try HeadRemoval([0: [0]], of: c)
        #expect(throws: ConversionError.self) {
            try ModelConversion(files, to: .f32, at: folder.path(of: "a.gguf"), removing: removal)
        }
        let (pruned, _) = try written(Fixtures.path("Models/gpt2"), without: [0: [0]], at: "gpt2")
        #expect(throws: ConversionError.self) {
            _ = try ModelConversion(
                ModelFiles(path: pruned.path), to: .f32, at: folder.path(of: "b.gguf")
            ).write()
        }
        let bad: [JSON] = [
            ["9": [0]], ["0": [7]], ["0": [0, 0]], ["0": ["a"]], ["x": [0]], ["0": 1], [1], "none",
            ["-1": [0]],
        ]
        for value in bad {
            var config = files.config?.object ?? [:]
            config["pruned_heads"] = value
            #expect(throws: ConfigurationError.self, "\(value)") {
                try ModelConfiguration(huggingFace: .object(config), file: "config.json")
            }
        }
        for value in [JSON.null, [:], ["0": []]] as [JSON] {
            var config = files.config?.object ?? [:]
            config["pruned_heads"] = value
            #expect(try ModelConfiguration(huggingFace: .object(config), file: "c").prunedHeads.isEmpty)
        }
    }
}
