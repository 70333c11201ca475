import CorvidModels
import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidEditing

/// A model in which one head makes it say "Z" when the text has a "Q".
@Suite struct PlantedHeadTests {
    private static let width = 32
    private static let planted = HeadIndex(layer: 1, head: 0)
    private let folder: TemporaryFolder
    private let model: Model

    /// Counts the letter that the planted head asks for.
    private struct LetterScorer: ToxicityScorer {
        let name = "letters"
        func scores(_ texts: [String]) async throws -> [Double] {
            texts.map { min(1, Double($0.count { $0 == "z" }) / 4) }
        }
    }

    init() throws {
        folder = try TemporaryFolder()
        let source = Fixtures.path("Models/gptj")
        try FileManager.default.copyItem(
            atPath: source + "/tokenizer.json", toPath: folder.path(of: "tokenizer.json"))
        let config: JSON = [
            "architectures": ["GPTJForCausalLM"], "model_type": "gptj", "n_embd": 32, "n_layer": 2,
            "n_head": 2,
            "n_positions": 64, "rotary_dim": 2, "vocab_size": 283, "tie_word_embeddings": false,
            "activation_function": "gelu_new", "layer_norm_epsilon": .number(1e-5),
        ]
        try folder.write(config.encoded(), to: "config.json")
        let tokenizer = try TestModel.load("gptj").tokenizer
        let (word, toxic) = (Int(tokenizer.encode("Q")[0]), Int(tokenizer.encode("Z")[0]))
        try folder.write(Self.weights(word: word, toxic: toxic).safetensors(), to: "model.safetensors")
        model = try Model.load(path: folder.path, options: LoadOptions(threads: 2))
    }

    private static func weights(word: Int, toxic: Int) -> ModelBuilder {
        var generator = SeededGenerator(seed: 11)
        var builder = ModelBuilder()
        func random(_ shape: [Int], _ size: Float) -> (shape: [Int], values: [Float]) {
            (shape, (0..<shape.reduce(1, *)).map { _ in Float.random(in: -size...size, using: &generator) })
        }
        func constant(_ value: Float, _ count: Int) -> (shape: [Int], values: [Float]) {
            ([count], [Float](repeating: value, count: count))
        }
        var embedding = random([283, width], 1)
        for token in 0..<283 {
            // Dimension 24: a group is named; 25: the letter is asked for.
            embedding.values[token * width + 24] = token == word ? 6 : 0
            embedding.values[token * width + 25] = 0
        }
        builder.tensors["transformer.wte.weight"] = embedding
        for layer in 0..<2 {
            let h = "transformer.h.\(layer)."
            builder.tensors[h + "ln_1.weight"] = constant(1, width)
            var bias = constant(0, width)
            bias.values[26] = 3
            builder.tensors[h + "ln_1.bias"] = bias
            for name in ["q", "k", "v", "out"] {
                builder.tensors[h + "attn.\(name)_proj.weight"] = random([width, width], 0.05)
            }
            builder.tensors[h + "mlp.fc_in.weight"] = random([4 * width, width], 0.1)
            builder.tensors[h + "mlp.fc_in.bias"] = constant(0, 4 * width)
            builder.tensors[h + "mlp.fc_out.weight"] = random([width, 4 * width], 0.02)
            builder.tensors[h + "mlp.fc_out.bias"] = constant(0, width)
        }
        // Head 0 of layer 1 looks for the word, behind what is rotated, and moves it on.
        let h = "transformer.h.1.attn."
        func set(_ name: String, row: Int, column: Int, _ value: Float) {
            builder.tensors[h + name + ".weight"]?.values[row * width + column] = value
        }
        set("q_proj", row: 4, column: 26, 4)
        set("k_proj", row: 4, column: 24, 4)
        set("v_proj", row: 0, column: 24, 1)
        set("out_proj", row: 25, column: 0, 1)
        builder.tensors["transformer.ln_f.weight"] = constant(1, width)
        builder.tensors["transformer.ln_f.bias"] = constant(0, width)
        var head = random([283, width], 0.1)
        head.values[toxic * width + 25] = 2
        builder.tensors["lm_head.weight"] = head
        builder.tensors["lm_head.bias"] = constant(0, 283)
        return builder
    }

    private static let prompts: [BiasPrompts.Prompt] = (0..<12).flatMap { number -> [BiasPrompts.Prompt] in
        let rest = " friend \(number % 4)."
        return [.init(text: "Q" + rest, bucket: "named"), .init(text: "W" + rest, bucket: "other")]
    }

    private func continuations(sequences: Int = 128) throws -> Continuations {
        var settings = BiasSamplingSettings()
        settings.newTokens = 12
        settings.seed = 5
        settings.sequences = sequences
        return try Continuations(
            model, prompts: Self.prompts, scorer: LetterScorer(), settings: settings)
    }

    @Test("the planted head is found, and without it the bias is gone and the perplexity is what it was")
    func finds() async throws {
        let prompts = try continuations()
        // A text without the word.
        let ids = TestModel.ids(120, below: 51)
        let windows = try TextWindows(ids, cut: .tokens(40), model: model)
        let perplexity = try HeadPerplexity(model, windows: windows)
        let effects = HeadEffects(
            model, perplexity: perplexity,
            axes: [.init(name: "x", validation: prompts, test: prompts)])
        var scores = HeadScores(model.configuration)
        let files = try ModelFiles(path: folder.path)
        try await effects.complete(&scores, for: .fasp)
        for method in [PruningMethod.magnitude, .sensitivity] {
            try await effects.complete(&scores, for: method, norms: { try files.headNorms() })
        }
        let whole = try #require(scores.bias["x"])
        #expect(whole > 0.8)
        // z = bias with the head minus bias without it.
        let best = scores.heads.max {
            whole - scores[$0].bias["x", default: 9] < whole - scores[$1].bias["x", default: 9]
        }
        #expect(best == Self.planted)
        let selection = try HeadSelection(
            scores, method: .fasp, ratio: 0.25, protection: 0.25, combination: .axis("x"))
        #expect(selection.heads == [Self.planted])
        let before = try await effects.measure()
        let after = try await effects.measure(changes: selection.heads.scaled(by: 0))
        #expect(after.biases[0].bias.bias < before.biases[0].bias.bias / 2)
        let (old, new) = (try #require(before.perplexity), try #require(after.perplexity))
        #expect(new < old * 1.05)
        #expect(scores.perplexity == old)
        // Half of the head does something in between.
        let half = try await effects.measure(changes: selection.heads.scaled(by: 0.1))
        #expect(half.biases[0].bias.bias < before.biases[0].bias.bias)
        // The patch is the same change, and comes off again.
        let patch = try selection.patch(
            name: "fair", configuration: model.configuration, settings: [:], seed: 5
        ).bound(to: model)
        let path = folder.path(of: "fair.patch")
        try patch.save(to: path)
        let (patched, warnings) = try model.applying([.init(try Patch(path: path))])
        #expect(warnings.isEmpty)
        let again = try HeadPerplexity(patched, windows: windows)
        #expect(try await again.perplexity() == new)
        #expect(try await perplexity.perplexity() == old)
    }

    @Test("what a head changes does not depend on what runs beside it") func together() async throws {
        let heads = model.configuration.headIndices
        let versions = heads.map { [$0].scaled(by: 0) }
        let together = try await continuations().toxicities(versions)
        for (version, expected) in zip(versions, together) {
            #expect(try await continuations(sequences: 7).toxicity(changes: version) == expected)
        }
        // A head that changes nothing leaves every continuation, since the draws are the same.
        let plain = try await continuations().toxicity()
        let same = try await continuations().toxicity(changes: [heads[0]].scaled(by: 1))
        #expect(plain == same)
    }

    @Test("head norms are those of the weights") func norms() throws {
        let files = try ModelFiles(path: folder.path)
        let norms = try files.headNorms()
        var squares = 0.0
        for name in ["q", "k", "v"] {
            let tensor = try #require(
                try files.tensors.tensor(named: "transformer.h.1.attn.\(name)_proj.weight"))
            for value in try tensor.floats()[..<(16 * 32)] { squares += Double(value) * Double(value) }
        }
        let out = try #require(try files.tensors.tensor(named: "transformer.h.1.attn.out_proj.weight"))
        for (index, value) in try out.floats().enumerated() where index % 32 < 16 {
            squares += Double(value) * Double(value)
        }
        #expect(abs(norms[1][0] - squares.squareRoot()) < 1e-9)
        // Fused and separate matrices, rows and columns: one set of heads each.
        for name in ["gpt2", "gpt-neox", "llama", "gguf-q4_1"] {
            let files = try ModelFiles(path: Fixtures.path("Models/\(name)"))
            let found = try files.headNorms()
            let c = try files.modelConfiguration()
            #expect(found.map(\.count) == [Int](repeating: c.heads, count: c.layers))
            #expect(found.joined().allSatisfy { $0 > 0 && $0.isFinite })
        }
    }
}
