import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

/// Parts of a declaration that no golden model has: each is compared with one that has them in another form.
@Suite struct DeclarationTests {
    private let ids = [3, 1, 4, 1, 5]

    private func opt(_ members: String, tensors: ModelBuilder) throws -> [[Float]] {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"architectures": ["OPTForCausalLM"], "hidden_size": 8, "num_attention_heads": 2, "ffn_dim": 12,
             "num_hidden_layers": 1, "max_position_embeddings": 16, "vocab_size": 11\(members)}
            """, to: "config.json")
        try folder.write(tensors.safetensors(), to: "model.safetensors")
        let model = try Model.load(path: folder.path, options: LoadOptions(threads: 1, computeType: .f32))
        return try Schedule().logits(model, ids.map(Int32.init))
    }

    private func tensors(norms: [String]) -> ModelBuilder {
        var model = ModelBuilder()
        model.add("model.decoder.embed_tokens.weight", [11, 8])
        model.add("model.decoder.embed_positions.weight", [18, 8])
        let block = "model.decoder.layers.0."
        for part in ["q", "k", "v", "out"] { model.add(block + "self_attn.\(part)_proj.weight", [8, 8]) }
        model.add(block + "fc1.weight", [12, 8])
        model.add(block + "fc2.weight", [8, 12])
        for norm in norms {
            model.tensors["model.decoder.\(norm).weight"] = ([8], Array(repeating: 1, count: 8))
        }
        return model
    }

    private let norms = ["layers.0.self_attn_layer_norm", "layers.0.final_layer_norm", "final_layer_norm"]

    @Test("Norms without weights are norms with weights of 1")
    func normsWithoutWeights() throws {
        let with = try opt("", tensors: tensors(norms: norms))
        #expect(try opt(#", "layer_norm_elementwise_affine": false"#, tensors: tensors(norms: [])) == with)
        #expect(throws: WeightError.self) { try opt("", tensors: tensors(norms: [])) }
    }

    @Test("The last norm is left out where the config says so, and only there")
    func withoutFinalNorm() throws {
        let with = try opt("", tensors: tensors(norms: norms))
        let two = tensors(norms: Array(norms.prefix(2)))
        #expect(try opt(#", "_remove_final_layer_norm": true"#, tensors: two) != with)
        #expect(throws: WeightError.self) { try opt("", tensors: two) }
    }

    @Test("A family without positions is one whose table of positions is zero")
    func withoutPositions() throws {
        var zero = tensors(norms: norms)
        zero.tensors["model.decoder.embed_positions.weight"] = ([18, 8], Array(repeating: 0, count: 18 * 8))
        let expected = try opt("", tensors: zero)

        let base = Family.opt
        let family = Family(
            name: "none", architectures: [], modelType: "none", block: base.block, norm: base.norm,
            positions: .none, mlp: base.mlp, settings: [:],
            defaults: base.defaults.merging([
                .width: .integer(8), .layers: .integer(1), .heads: .integer(2), .hidden: .integer(12),
                .vocabulary: .integer(11), .context: .integer(16),
            ]) { $1 }, weights: base.weights)
        let reader = SettingReader(
            family: family, architecture: .init("none", .vocabulary), file: "none", defaults: family.defaults,
            names: { [$0.rawValue] },
            find: { _ in nil })
        let configuration = try reader.configuration(
            rotaryScaling: { _, _ in (nil, .none) }, rotaryPairs: nil, activation: nil, mlp: nil,
            tiedHead: nil,
            labels: [])
        zero.tensors["model.decoder.embed_positions.weight"] = nil
        let folder = try TemporaryFolder()
        try folder.write("{}", to: "config.json")
        try folder.write(zero.safetensors(), to: "model.safetensors")
        let source = try ModelFiles(path: folder.path).tensors
        let loader = WeightLoader(
            source: source, configuration: configuration, computeType: .f32, file: "none", isGGUF: false)
        let transformer = try Transformer(loader, cacheType: .f32)
        let batch = Batch(
            rows: ids.enumerated().map {
                .init(token: Int32($1), sequence: 0, position: $0, wantsLogits: true)
            },
            caches: [KeyValueCache(shape: KeyValueShape(layers: 1, heads: 2, headWidth: 4, type: .f32))])
        let found = try WorkerPool(threads: 1).runBlocking { workers in
            let pass = try Pass(batch, vocabulary: 11, contextLength: 16)
            let run = PassRun(
                pass: pass, workers: workers, arena: Arena(), sites: nil, isCancelled: { false })
            let logits = try transformer.run(run, for: .logits)
            return (0..<logits.rows).map { logits.row($0) }
        }
        #expect(found == expected)
    }
}
