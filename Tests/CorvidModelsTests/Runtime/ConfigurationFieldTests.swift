import CorvidText
import TestSupport
import Testing

@testable import CorvidModels

/// No field of a config is passed over unless it leaves the arithmetic alone.
@Suite struct ConfigurationFieldTests {
    /// The config that transformers writes by default for each class.
    private static let defaults: [String: JSON] = {
        let file = try? JSON.parse(Fixtures.bytes("configurations.json"))
        return Dictionary(uniqueKeysWithValues: (file?.object ?? [:]).map { ($0.key, $0.value) })
    }()

    /// Fields that say nothing about a forward pass: training, other tasks, what is returned, where it runs.
    private static let harmless: Set<String> = [
        "_name_or_path", "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "bos_token_id",
        "chunk_size_feed_forward", "classifier_dropout", "dropout", "dropout_rate", "dtype", "emb_pdrop",
        "embd_pdrop", "embed_dropout", "embedding_fraction", "eos_token_id", "hidden_dropout",
        "hidden_dropout_prob", "init_device", "init_std", "initializer_factor", "initializer_range",
        "is_encoder_decoder", "label2id", "layerdrop", "output_attentions", "output_hidden_states",
        "pad_token_id",
        "qa_dropout", "resid_dropout", "resid_pdrop", "return_dict", "seq_classif_dropout", "use_cache",
        // Numerics, not arithmetic: how products are cut and in which type they run.
        "pretraining_tp", "slow_but_exact", "reorder_and_upcast_attn",
        // Heads of other classes.
        "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
        "summary_use_proj",
        // The values of the table do not depend on how it was begun.
        "sinusoidal_pos_embds",
        // Said by other fields.
        "dense_act_fn", "is_gated_act", "attention_layers", "learned_pos_emb", "no_bias", "n_ctx",
        // GPT-NeoX has no other kind.
        "gpt_neox.is_decoder",
        // Always true, whatever the files have.
        "mt5.tie_word_embeddings",
    ]

    /// Fields that are read without a ``Setting``.
    private static let special: Set<String> = [
        "architectures", "model_type", "id2label", "num_labels", "problem_type", "rope_parameters",
    ]

    @Test(
        "every field that transformers writes is understood, refused by its value, or harmless",
        arguments: defaults.keys.sorted())
    func fields(name: String) throws {
        let config = try #require(Self.defaults[name])
        let configuration = try ModelConfiguration(huggingFace: config, file: "config.json")
        let family = configuration.family
        let understood = Set(family.settings.values.flatMap { $0 } + family.fixed.keys)
        for (key, value) in config.object ?? [:] {
            let paths = key == "attn_config" ? (value.object ?? [:]).map { key + "." + $0.key } : [key]
            for path in paths where !understood.contains(path) {
                let last = path.split(separator: ".").last.map(String.init) ?? path
                let isLeftAlone =
                    Self.harmless.contains(last) || Self.special.contains(last) || Self.isOfTraining(path)
                    || Self.harmless.contains("\(config["model_type"]?.string ?? "").\(path)")
                #expect(isLeftAlone, "\(name): \(path)")
            }
        }
    }

    /// Parts of MPT's attention that leave numbers alone.
    private static func isOfTraining(_ path: String) -> Bool {
        ["attn_config.attn_impl", "attn_config.attn_pdrop"].contains(path)
    }

    @Test("the defaults of every family are those of transformers")
    func sizes() throws {
        #expect(Self.defaults.count == 17)
        for (name, config) in Self.defaults {
            var bare = config.object ?? [:]
            let family = try ModelConfiguration(huggingFace: config, file: "config.json").family
            // Sizes stay; what a config may leave out goes.
            for (setting, keys) in family.settings where family.defaults[setting] != nil {
                for key in keys { bare[key] = nil }
            }
            let full = try ModelConfiguration(huggingFace: config, file: "config.json")
            let short = try ModelConfiguration(huggingFace: .object(bare), file: "config.json")
            #expect(short.activation == full.activation && short.mlp == full.mlp, "\(name)")
            #expect(short.normEpsilon == full.normEpsilon && short.logitScale == full.logitScale, "\(name)")
            #expect(short.tiedHead == full.tiedHead || full.tiedHead == false, "\(name)")
            #expect(short.rotary?.width == full.rotary?.width, "\(name)")
            #expect(short.positionOffset == full.positionOffset, "\(name)")
            #expect(short.distanceBuckets == full.distanceBuckets, "\(name)")
            #expect(short.block == full.block && short.attentionScale == full.attentionScale, "\(name)")
        }
    }

    /// A class, a field of its config, and a value that asks for other arithmetic.
    static let refused: [(name: String, key: String, value: JSON)] = [
        ("GPTJForCausalLM", "scale_attn_weights", false), ("GPTJForCausalLM", "rotary", false),
        ("GPTJForCausalLM", "rotary_dim", .null), ("GPTJForCausalLM", "activation_function", "mish"),
        ("CodeGenForCausalLM", "rotary_dim", .null), ("CodeGenForCausalLM", "scale_attn_weights", false),
        ("GPT2LMHeadModel", "add_cross_attention", true), ("GPT2LMHeadModel", "scale_attn_weights", "no"),
        ("GPT2LMHeadModel", "pruned_heads", ["0": [99]]),
        ("GPT2LMHeadModel", "cross_attention_hidden_size", 8),
        ("LlamaForCausalLM", "partial_rotary_factor", 0.5),
        ("LlamaForCausalLM", "rope_parameters.partial_rotary_factor", 0.5),
        ("LlamaForCausalLM", "rope_parameters.rope_type", "yarn"),
        ("LlamaForCausalLM", "attention_bias", "all"), ("LlamaForCausalLM", "mlp_bias", 1),
        ("LlamaForCausalLM", "final_logit_softcapping", 30),
        ("LlamaForCausalLM", "attn_logit_softcapping", 50),
        ("LlamaForCausalLM", "quantization_config.quant_method", "gptq"),
        ("GPTNeoXForCausalLM", "rope_parameters.rope_type", "longrope"),
        ("GPTNeoXForCausalLM", "use_parallel_residual", "often"),
        ("GPTNeoXForCausalLM", "hidden_act", "relu6"),
        ("GPTNeoForCausalLM", "attention_types", "sparse"), ("OPTForCausalLM", "enable_bias", "some"),
        ("OPTForCausalLM", "do_layer_norm_before", 2), ("BloomForCausalLM", "n_inner", 99),
        ("BloomForCausalLM", "apply_residual_connection_post_layernorm", "yes"),
        ("MptForCausalLM", "attn_config.alibi", false), ("MptForCausalLM", "attn_config.prefix_lm", true),
        ("MptForCausalLM", "attn_config.attn_uses_sequence_id", true),
        ("MptForCausalLM", "norm_type", "rmsnorm"),
        ("MptForCausalLM", "attn_config.attn_logit_softcapping", 20),
        ("BertForMaskedLM", "position_embedding_type", "relative_key"),
        ("BertForMaskedLM", "is_decoder", true),
        ("BertForMaskedLM", "directionality", "left"), ("RobertaForMaskedLM", "is_decoder", true),
        ("XLMRobertaForMaskedLM", "position_embedding_type", "relative_key_query"),
        ("CamembertForMaskedLM", "tie_encoder_decoder", true), ("MPNetForMaskedLM", "hidden_act", "glu"),
        ("DistilBertForMaskedLM", "tie_weights_", false), ("DistilBertForMaskedLM", "activation", "glu"),
        ("T5ForConditionalGeneration", "is_decoder", true),
        ("T5ForConditionalGeneration", "feed_forward_proj", "gated-swish"),
        ("MT5ForConditionalGeneration", "is_decoder", true),
        ("MT5ForConditionalGeneration", "feed_forward_proj", "gated-gelu-new"),
    ]

    @Test("a value that asks for other arithmetic is refused by the field's name", arguments: refused)
    func refuses(name: String, key: String, value: JSON) throws {
        var config = try #require(Self.defaults[name]?.object)
        let path = key.split(separator: ".").map(String.init)
        if path.count == 2 {
            var part = config[path[0]]?.object ?? [:]
            part[path[1]] = value
            config[path[0]] = .object(part)
        } else {
            config[key] = value
        }
        let error = try #require(throws: ConfigurationError.self) {
            try ModelConfiguration(huggingFace: .object(config), file: "config.json")
        }
        guard case .setting(_, let named, _, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(named == key)
    }

    @Test("every family has a field that is refused")
    func everyFamily() throws {
        let families = Set(
            Family.all.filter { family in
                Self.refused.contains { entry in family.architectures.contains { $0.name == entry.name } }
            }.map(\.name))
        // Backpack's config is GPT-2's.
        #expect(families == Set(Family.all.map(\.name)).subtracting(["backpack"]))
    }

    @Test("biases that the config denies are refused, and missing ones that it promises")
    func biases() throws {
        for (name, key) in [
            ("llama", "attention_bias"), ("opt", "enable_bias"), ("gpt-neox", "attention_bias"),
        ] {
            let folder = try TemporaryFolder()
            let source = Fixtures.path("Models/\(name)")
            try folder.link("model.safetensors", to: source + "/model.safetensors")
            var config = try #require(try JSON.parse(Fixtures.bytes("Models/\(name)/config.json")).object)
            config[key] = false
            try folder.write(JSON.object(config).encodedBytes(), to: "config.json")
            let error = try #require(throws: WeightError.self) { try Model.load(path: folder.path) }
            guard case .unknown(_, let tensor, _) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(tensor.hasSuffix(".bias"))
        }
        let folder = try TemporaryFolder()
        try folder.link("model.safetensors", to: Fixtures.path("Models/llama-tied") + "/model.safetensors")
        var config = try #require(try JSON.parse(Fixtures.bytes("Models/llama-tied/config.json")).object)
        config["mlp_bias"] = true
        try folder.write(JSON.object(config).encodedBytes(), to: "config.json")
        let error = try #require(throws: WeightError.self) { try Model.load(path: folder.path) }
        guard case .missing(_, let tensor) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(tensor == "model.layers.0.mlp.gate_proj.bias")
    }
}
