extension Family {
    /// LLaMA 1, 2 and 3 (Touvron et al., 2023; Meta, 2024) and models of the same shape, such as SmolLM2.
    /// RMS norms, a gated MLP, rotary positions over the whole head, key-value heads shared by groups of query
    /// heads. GGUF stores the rows of queries and keys so that rotary pairs are neighbours.
    public static let llama = Family(
        name: "llama", architectures: .decoder("Llama") + [.init("LLaMAForCausalLM", .vocabulary)],
        modelType: "llama",
        block: .sequential, norm: .rms, positions: .rotary(.halves), mlp: .gated,
        settings: [
            .width: ["hidden_size"], .layers: ["num_hidden_layers"], .heads: ["num_attention_heads"],
            .keyValueHeads: ["num_key_value_heads"], .headWidth: ["head_dim"], .hidden: ["intermediate_size"],
            .vocabulary: ["vocab_size"], .context: ["max_position_embeddings"], .rotaryBase: ["rope_theta"],
            .activation: ["hidden_act"], .normEpsilon: ["rms_norm_eps"], .tiedHead: ["tie_word_embeddings"],
            .attentionBias: ["attention_bias"], .mlpBias: ["mlp_bias"],
        ],
        defaults: [
            .context: .integer(2048), .rotaryBase: .number(10_000), .activation: .text("silu"),
            .normEpsilon: .number(1e-6),
        ],
        fixed: [
            "partial_rotary_factor": [.integer(1)], "rope_parameters.partial_rotary_factor": [.integer(1)],
        ],
        weights: [
            .tokenEmbedding: "model.embed_tokens",
            .attentionNorm: "model.layers.{layer}.input_layernorm",
            .query: "model.layers.{layer}.self_attn.q_proj",
            .key: "model.layers.{layer}.self_attn.k_proj",
            .value: "model.layers.{layer}.self_attn.v_proj",
            .attentionOutput: "model.layers.{layer}.self_attn.o_proj",
            .mlpNorm: "model.layers.{layer}.post_attention_layernorm",
            .gate: "model.layers.{layer}.mlp.gate_proj",
            .up: "model.layers.{layer}.mlp.up_proj",
            .down: "model.layers.{layer}.mlp.down_proj",
            .finalNorm: "model.norm",
            .head: "lm_head",
        ],
        optionalPrefix: "model.",
        ignored: [".rotary_emb.inv_freq"],
        gguf: GGUFNaming(architecture: "llama", rotaryPairs: .interleaved, activation: .silu))
}
