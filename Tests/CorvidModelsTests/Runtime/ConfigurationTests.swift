import CorvidTensors
import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

/// What a config or a GGUF file says must reach the arithmetic, or be refused by name.
@Suite struct ConfigurationTests {
    // MARK: GGUF

    private static let llamaKeys: [(String, GGUFBuilder.Value)] = [
        ("general.architecture", .string("llama")), ("llama.block_count", .u32(1)),
        ("llama.context_length", .u32(32)), ("llama.embedding_length", .u32(8)),
        ("llama.feed_forward_length", .u32(12)), ("llama.attention.head_count", .u32(2)),
        ("llama.attention.layer_norm_rms_epsilon", .f32(1e-5)),
    ]

    private func llamaTensors() -> ModelBuilder {
        var model = ModelBuilder()
        model.add("token_embd.weight", [11, 8])
        for name in ["attn_q", "attn_k", "attn_v", "attn_output"] {
            model.add("blk.0.\(name).weight", [8, 8])
        }
        for name in ["ffn_gate", "ffn_up"] { model.add("blk.0.\(name).weight", [12, 8]) }
        model.add("blk.0.ffn_down.weight", [8, 12])
        for name in ["blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"] { model.add("\(name).weight", [8]) }
        return model
    }

    private func configuration(
        _ keys: [(String, GGUFBuilder.Value)], without missing: String = "", tensors: ModelBuilder? = nil
    ) throws -> ModelConfiguration {
        let folder = try TemporaryFolder()
        let bytes = (tensors ?? llamaTensors()).gguf(Self.llamaKeys.filter { $0.0 != missing } + keys)
        return try ModelConfiguration(gguf: try GGUFFile(path: try folder.write(bytes, to: "m.gguf")))
    }

    private func scaling(
        _ keys: [(String, GGUFBuilder.Value)], tensors: ModelBuilder? = nil
    ) throws -> RotarySettings.Scaling? {
        try configuration(keys, tensors: tensors).rotary?.scaling
    }

    @Test("GGUF positions are stretched as llama.cpp reads the keys: linear unless the file says otherwise")
    func scalingKeys() throws {
        let factor = ("llama.rope.scaling.factor", GGUFBuilder.Value.f32(4))
        #expect(try scaling([]) == RotarySettings.Scaling.none)
        #expect(try scaling([factor]) == .linear(factor: 4))
        #expect(try scaling([("llama.rope.scaling.type", .string("linear")), factor]) == .linear(factor: 4))
        #expect(
            try scaling([("llama.rope.scaling.type", .string("none")), factor]) == RotarySettings.Scaling.none
        )
        #expect(try scaling([("llama.rope.scale_linear", .f32(2))]) == .linear(factor: 2))
        #expect(try scaling([("llama.rope.scale_linear", .f32(2)), factor]) == .linear(factor: 4))
        #expect(try scaling([("llama.rope.scaling.factor", .f32(0))]) == RotarySettings.Scaling.none)
    }

    @Test("A linear factor applies on top of rope_freqs.weight")
    func factorAndDivisors() throws {
        var tensors = llamaTensors()
        tensors.tensors["rope_freqs.weight"] = ([2], [1, 8])
        #expect(try scaling([], tensors: tensors) == .divisors([1, 8]))
        #expect(
            try scaling([("llama.rope.scaling.factor", .f32(4))], tensors: tensors) == .divisors([4, 32]))
    }

    @Test("GGUF scaling that Corvid does not understand is refused by its key")
    func unknownScaling() throws {
        for (key, value) in [
            ("llama.rope.scaling.type", GGUFBuilder.Value.string("yarn")),
            ("llama.rope.scaling.factor", .f32(-1)),
            ("llama.rope.scaling.factor", .f32(.nan)), ("llama.rope.scaling.attn_factor", .f32(1.2)),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try configuration([(key, value)]) }
            #expect(error.description.contains(key), "\(error)")
        }
    }

    @Test(
        "A missing GGUF key is reported by the name that GGUF has for it",
        arguments: [
            "llama.embedding_length", "llama.block_count", "llama.context_length",
            "llama.attention.head_count",
            "llama.attention.layer_norm_rms_epsilon",
        ])
    func missingKeys(_ key: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try configuration([], without: key) }
        guard case .missing(_, let keys) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(keys == [key])
    }

    // MARK: Hugging Face

    private static let gptjConfig = """
        {"architectures": ["GPTJForCausalLM"], "n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 32,
         "rotary_dim": 4, "vocab_size": 11, "tie_word_embeddings": true}
        """

    private func gptjTensors() -> ModelBuilder {
        var model = ModelBuilder()
        model.add("transformer.wte.weight", [11, 8])
        let block = "transformer.h.0."
        for name in ["q", "k", "v", "out"] { model.add(block + "attn.\(name)_proj.weight", [8, 8]) }
        for name in [block + "ln_1", "transformer.ln_f"] {
            model.add(name + ".weight", [8])
            model.add(name + ".bias", [8])
        }
        model.add(block + "mlp.fc_in.weight", [32, 8])
        model.add(block + "mlp.fc_in.bias", [32])
        model.add(block + "mlp.fc_out.weight", [8, 32])
        model.add(block + "mlp.fc_out.bias", [8])
        return model
    }

    private func load(_ tensors: ModelBuilder, config: String = gptjConfig) throws -> Model {
        let folder = try TemporaryFolder()
        try folder.write(config, to: "config.json")
        try folder.write(tensors.safetensors(), to: "model.safetensors")
        return try Model.load(path: folder.path, options: LoadOptions(threads: 1, computeType: .f32))
    }

    private func logits(_ model: Model) throws -> [[Float]] { try Schedule().logits(model, [3, 1, 4, 1, 5]) }

    @Test("A tied output matrix keeps the bias that the checkpoint has for it")
    func tiedHeadHasBias() throws {
        var tensors = gptjTensors()
        let plain = try logits(try load(tensors))
        tensors.add("lm_head.bias", [11])
        let bias = try #require(tensors.tensors["lm_head.bias"]).values
        let biased = try logits(try load(tensors))
        for (row, other) in zip(plain, biased) {
            for (index, (a, b)) in zip(row, other).enumerated() { #expect(abs(a + bias[index] - b) < 1e-5) }
        }
    }

    @Test("A tied checkpoint may hold a copy of the embedding as its output matrix")
    func tiedCopy() throws {
        var tensors = gptjTensors()
        let plain = try logits(try load(tensors))
        tensors.tensors["lm_head.weight"] = tensors.tensors["transformer.wte.weight"]
        #expect(try logits(try load(tensors)) == plain)
    }

    @Test(
        "A tensor that the family does not read is refused by name, inside blocks and outside",
        arguments: [
            "transformer.wpe.weight", "score.weight", "transformer.h.0.attn.q_proj.scale",
            "transformer.wte.bias",
            "transformer.h.0.ln_2.weight", "transformer.h.7.ln_1.weight",
        ])
    func unknownTensors(_ name: String) throws {
        var tensors = gptjTensors()
        tensors.add(name, [8])
        let error = try #require(throws: WeightError.self) { try load(tensors) }
        guard case .unknown(_, name, "gptj") = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test("Stored masks are no weights")
    func masks() throws {
        var tensors = gptjTensors()
        let plain = try logits(try load(tensors))
        tensors.add("transformer.h.0.attn.bias", [1, 1, 4, 4])
        tensors.add("transformer.h.0.attn.masked_bias", [1])
        #expect(try logits(try load(tensors)) == plain)
    }

    @Test("An RMS norm with a bias is refused")
    func rmsBias() throws {
        var tensors = llamaTensors()
        tensors.add("blk.0.attn_norm.bias", [8])
        let folder = try TemporaryFolder()
        let path = try folder.write(tensors.gguf(Self.llamaKeys), to: "m.gguf")
        #expect(throws: WeightError.unknown(file: path, tensor: "blk.0.attn_norm.bias", family: "llama")) {
            try Model.load(path: path)
        }
    }

    private func read(_ config: String) throws -> ModelConfiguration {
        try ModelConfiguration(huggingFace: try JSON.parse(Array(config.utf8)), file: "config.json")
    }

    @Test(
        "A config that asks for arithmetic which Corvid does not run is refused by its key",
        arguments: [
            ("attn_config.alibi", #""attn_config": {"alibi": false}"#),
            ("attn_config.prefix_lm", #""attn_config": {"prefix_lm": true}"#),
            ("attn_config.attn_type", #""attn_config": {"attn_type": "multiquery_attention"}"#),
            ("attn_config.clip_qkv", #""attn_config": {"clip_qkv": -1}"#),
            ("attn_config.softmax_scale", #""attn_config": {"softmax_scale": "big"}"#),
            ("ffn_config.ffn_type", #""ffn_config": {"ffn_type": "mptglu"}"#),
            ("norm_type", #""norm_type": "rmsnorm""#), ("logit_scale", #""logit_scale": "sqrt""#),
        ])
    func refusedKeys(key: String, member: String) throws {
        let config = """
            {"architectures": ["MPTForCausalLM"], "d_model": 8, "n_heads": 2, "n_layers": 1, "vocab_size": 9, \(member)}
            """
        let error = try #require(throws: ConfigurationError.self) { try read(config) }
        guard case .setting(_, key, _, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    private func gptNeo(_ member: String) -> String {
        """
        {"architectures": ["GPTNeoForCausalLM"], "hidden_size": 8, "num_heads": 2, "num_layers": 4, "vocab_size": 9,
         "window_size": 3, \(member)}
        """
    }

    @Test("Windows come from pairs of kinds and repetitions, or from one kind for each layer")
    func windows() throws {
        #expect(try read(gptNeo(#""attention_types": [[["global", "local"], 2]]"#)).windows == [0, 3, 0, 3])
        let kinds = #""attention_types": null, "attention_layers": ["local", "local", "global", "local"]"#
        #expect(try read(gptNeo(kinds)).windows == [3, 3, 0, 3])
        #expect(try read(Self.gptjConfig).windows == [0])
    }

    @Test(
        "Windows that do not fit the layers are refused",
        arguments: [
            #""attention_types": [[["global", "local"], 9000000000000000000]]"#,
            #""attention_types": [[["global"], 3]]"#,
            #""attention_types": [[["global"], -1]]"#, #""attention_types": [[["global", "wide"], 2]]"#,
            #""attention_types": [["global", 4]]"#, #""attention_types": "global""#,
            #""attention_types": [1, 2, 3, 4]"#,
        ])
    func badWindows(member: String) {
        #expect(throws: ConfigurationError.self) { try read(gptNeo(member)) }
    }

    @Test("ALiBi's slopes are powers of two in steps, and for other numbers of heads those of the next one")
    func slopes() throws {
        func slopes(_ heads: Int) throws -> [Float] {
            try read(
                """
                {"architectures": ["BloomForCausalLM"], "hidden_size": \(heads * 2), "n_head": \(heads), "n_layer": 1,
                 "vocab_size": 9}
                """
            ).slopes
        }
        #expect(try slopes(8) == (1...8).map { 1 / Float(1 << $0) })
        #expect(try slopes(1) == [1 / 256])
        // Twelve heads: eight as above, then 2^-0.5, 2^-1.5, ...
        let twelve = try slopes(12)
        #expect(Array(twelve[..<8]) == (1...8).map { 1 / Float(1 << $0) })
        for (index, slope) in twelve[8...].enumerated() {
            #expect(abs(slope - Float(0.5).squareRoot() / Float(1 << index)) < 1e-7)
        }
    }

    @Test("A flag of the config chooses the block")
    func blocks() throws {
        func block(_ architecture: String, _ member: String) throws -> Family.BlockShape {
            try read(
                """
                {"architectures": ["\(architecture)"], "hidden_size": 64, "num_attention_heads": 2, "n_head": 2,
                 "n_layer": 1, "num_hidden_layers": 1, "vocab_size": 9 \(member)}
                """
            ).block
        }
        #expect(try block("GPTNeoXForCausalLM", "") == .parallel)
        #expect(try block("GPTNeoXForCausalLM", #", "use_parallel_residual": false"#) == .sequential)
        #expect(try block("OPTForCausalLM", #", "do_layer_norm_before": true"#) == .sequential)
        #expect(try block("OPTForCausalLM", #", "do_layer_norm_before": false"#) == .normsAfter)
        let fromNorms = #", "apply_residual_connection_post_layernorm": true"#
        #expect(try block("BloomForCausalLM", fromNorms) == .sequentialFromNorms)
        #expect(try block("BloomForCausalLM", "") == .sequential)
    }

    @Test("Heads that do not fall into CodeGen's four slices are refused")
    func slices() throws {
        var tensors = ModelBuilder()
        tensors.add("transformer.wte.weight", [11, 8])
        tensors.add("transformer.h.0.attn.qkv_proj.weight", [24, 8])
        let config = """
            {"architectures": ["CodeGenForCausalLM"], "n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 32,
             "rotary_dim": 4, "vocab_size": 11}
            """
        #expect(throws: ConfigurationError.self) { try load(tensors, config: config) }
    }
}
