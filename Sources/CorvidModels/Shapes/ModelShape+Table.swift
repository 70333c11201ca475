import CorvidText

// Sizes as the models' own config.json files give them.
extension ModelShape {
    /// All shapes, family by family, the small ones first.
    public static let all: [ModelShape] = [
        ModelShape("gpt-j-6b", layers: 28) { layers in
            config(
                "gptj",
                [
                    "n_embd": 4096, "n_layer": layers, "n_head": 16, "n_positions": 2048, "rotary_dim": 64,
                    "vocab_size": 50400,
                ], ["activation_function": "gelu_new", "tie_word_embeddings": false])
        },

        gpt2("distilgpt2", layers: 6, width: 768, heads: 12),
        gpt2("gpt2", layers: 12, width: 768, heads: 12),
        gpt2("gpt2-medium", layers: 24, width: 1024, heads: 16),
        gpt2("gpt2-large", layers: 36, width: 1280, heads: 20),
        gpt2("gpt2-xl", layers: 48, width: 1600, heads: 25),

        cerebras("cerebras-gpt-111m", layers: 10, width: 768, heads: 12),
        cerebras("cerebras-gpt-256m", layers: 14, width: 1088, heads: 17),
        cerebras("cerebras-gpt-590m", layers: 18, width: 1536, heads: 12),
        cerebras("cerebras-gpt-1.3b", layers: 24, width: 2048, heads: 16),
        cerebras("cerebras-gpt-2.7b", layers: 32, width: 2560, heads: 32),
        cerebras("cerebras-gpt-6.7b", layers: 32, width: 4096, heads: 32),
        cerebras("cerebras-gpt-13b", layers: 40, width: 5120, heads: 40),

        gptNeo("gpt-neo-125m", layers: 12, width: 768, heads: 12),
        gptNeo("gpt-neo-1.3b", layers: 24, width: 2048, heads: 16),
        gptNeo("gpt-neo-2.7b", layers: 32, width: 2560, heads: 20),

        gptNeoX("pythia-70m", layers: 6, width: 512, heads: 8),
        gptNeoX("pythia-160m", layers: 12, width: 768, heads: 12),
        gptNeoX("pythia-410m", layers: 24, width: 1024, heads: 16),
        gptNeoX("pythia-1b", layers: 16, width: 2048, heads: 8),
        gptNeoX("pythia-1.4b", layers: 24, width: 2048, heads: 16),
        gptNeoX("pythia-2.8b", layers: 32, width: 2560, heads: 32),
        gptNeoX("pythia-6.9b", layers: 32, width: 4096, heads: 32, vocabulary: 50432),
        gptNeoX("pythia-12b", layers: 36, width: 5120, heads: 40, vocabulary: 50688),
        gptNeoX(
            "gpt-neox-20b", layers: 44, width: 6144, heads: 64, vocabulary: 50432, activation: "gelu_fast"),

        llama(
            "smollm2-135m", layers: 30, width: 576, heads: (9, 3), hidden: 1536, vocabulary: 49152,
            context: 8192, rotaryBase: 100_000, isTied: true),
        llama("llama-7b", layers: 32, width: 4096, heads: (32, 32), hidden: 11008, context: 2048),
        llama("llama-13b", layers: 40, width: 5120, heads: (40, 40), hidden: 13824, context: 2048),
        llama("llama-2-7b", layers: 32, width: 4096, heads: (32, 32), hidden: 11008, context: 4096),
        llama(
            "llama-3-8b", layers: 32, width: 4096, heads: (32, 8), hidden: 14336, vocabulary: 128256,
            context: 8192, rotaryBase: 500_000),

        opt("opt-125m", layers: 12, width: 768, heads: 12),
        opt("opt-350m", layers: 24, width: 1024, heads: 16, embeddingWidth: 512, hasNormsBefore: false),
        opt("opt-1.3b", layers: 24, width: 2048, heads: 32),
        opt("opt-2.7b", layers: 32, width: 2560, heads: 32),
        opt("opt-6.7b", layers: 32, width: 4096, heads: 32),
        opt("opt-13b", layers: 40, width: 5120, heads: 40),
        opt("opt-30b", layers: 48, width: 7168, heads: 56),
        opt("opt-66b", layers: 64, width: 9216, heads: 72),

        bloom("bloom-560m", layers: 24, width: 1024, heads: 16),
        bloom("bloom-1b1", layers: 24, width: 1536, heads: 16),
        bloom("bloom-1b7", layers: 24, width: 2048, heads: 16),
        bloom("bloom-3b", layers: 30, width: 2560, heads: 32),
        bloom("bloom-7b1", layers: 30, width: 4096, heads: 32),

        mpt("mpt-7b", layers: 32, width: 4096, heads: 32, context: 2048),
        mpt("mpt-30b", layers: 48, width: 7168, heads: 64, context: 8192),

        codeGen("codegen-350m", layers: 20, width: 1024, heads: 16, rotaryWidth: 32),
        codeGen("codegen-2b", layers: 32, width: 2560, heads: 32, rotaryWidth: 64),
        codeGen("codegen-6b", layers: 33, width: 4096, heads: 16, rotaryWidth: 64),
        codeGen("codegen-16b", layers: 34, width: 6144, heads: 24, rotaryWidth: 64),
    ]

    // MARK: What the models of a family have in common

    private static func gpt2(_ name: String, layers: Int, width: Int, heads: Int) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "gpt2",
                [
                    "n_embd": width, "n_layer": layers, "n_head": heads, "n_positions": 1024,
                    "vocab_size": 50257,
                ], ["activation_function": "gelu_new"])
        }
    }

    /// GPT-2's class with another activation and a longer context.
    private static func cerebras(_ name: String, layers: Int, width: Int, heads: Int) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "gpt2",
                [
                    "n_embd": width, "n_layer": layers, "n_head": heads, "n_inner": 4 * width,
                    "n_positions": 2048, "vocab_size": 50257,
                ], ["activation_function": "gelu"])
        }
    }

    private static func gptNeo(_ name: String, layers: Int, width: Int, heads: Int) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            let kinds = (0..<layers).map { JSON.string($0.isMultiple(of: 2) ? "global" : "local") }
            return config(
                "gpt_neo",
                [
                    "hidden_size": width, "num_layers": layers, "num_heads": heads,
                    "max_position_embeddings": 2048, "window_size": 256, "vocab_size": 50257,
                ], ["activation_function": "gelu_new", "attention_layers": .array(kinds)])
        }
    }

    private static func gptNeoX(
        _ name: String, layers: Int, width: Int, heads: Int, vocabulary: Int = 50304,
        activation: String = "gelu"
    ) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "gpt_neox",
                [
                    "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
                    "intermediate_size": 4 * width, "max_position_embeddings": 2048, "vocab_size": vocabulary,
                ],
                [
                    "hidden_act": .string(activation), "rotary_pct": .number(0.25),
                    "use_parallel_residual": true, "tie_word_embeddings": false,
                ])
        }
    }

    private static func llama(
        _ name: String, layers: Int, width: Int, heads: (query: Int, keyValue: Int), hidden: Int,
        vocabulary: Int = 32000, context: Int, rotaryBase: Double = 10_000, isTied: Bool = false
    ) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "llama",
                [
                    "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads.query,
                    "num_key_value_heads": heads.keyValue, "intermediate_size": hidden,
                    "max_position_embeddings": context, "vocab_size": vocabulary,
                ],
                [
                    "hidden_act": "silu", "rms_norm_eps": .number(1e-5), "rope_theta": .number(rotaryBase),
                    "tie_word_embeddings": .bool(isTied),
                ])
        }
    }

    private static func opt(
        _ name: String, layers: Int, width: Int, heads: Int, embeddingWidth: Int? = nil,
        hasNormsBefore: Bool = true
    ) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "opt",
                [
                    "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
                    "ffn_dim": 4 * width, "word_embed_proj_dim": embeddingWidth ?? width,
                    "max_position_embeddings": 2048, "vocab_size": 50272,
                ], ["activation_function": "relu", "do_layer_norm_before": .bool(hasNormsBefore)])
        }
    }

    private static func bloom(_ name: String, layers: Int, width: Int, heads: Int) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "bloom",
                [
                    "n_embed": width, "n_layer": layers, "n_head": heads, "seq_length": 2048,
                    "vocab_size": 250_880,
                ])
        }
    }

    private static func mpt(
        _ name: String, layers: Int, width: Int, heads: Int, context: Int
    ) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "mpt",
                [
                    "d_model": width, "n_layers": layers, "n_heads": heads, "expansion_ratio": 4,
                    "max_seq_len": context, "vocab_size": 50432,
                ], ["attn_config": ["alibi": true]])
        }
    }

    private static func codeGen(
        _ name: String, layers: Int, width: Int, heads: Int, rotaryWidth: Int
    ) -> ModelShape {
        ModelShape(name, layers: layers) { layers in
            config(
                "codegen",
                [
                    "n_embd": width, "n_layer": layers, "n_head": heads, "n_positions": 2048,
                    "rotary_dim": rotaryWidth, "vocab_size": 51200,
                ], ["activation_function": "gelu_new", "tie_word_embeddings": false])
        }
    }

    private static func config(
        _ modelType: String, _ sizes: KeyValuePairs<String, Int>, _ choices: KeyValuePairs<String, JSON> = [:]
    ) -> JSON {
        var object: JSONObject = ["model_type": .string(modelType)]
        for (key, size) in sizes { object[key] = .integer(Int64(size)) }
        for (key, choice) in choices { object[key] = choice }
        return .object(object)
    }
}
