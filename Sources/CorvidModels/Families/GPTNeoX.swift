extension Family {
    /// GPT-NeoX (Black et al., 2022) and Pythia. Attention and MLP stand side by side, each with a norm of
    /// its own; `use_parallel_residual` false puts them one after the other. Only a part of each head is
    /// rotated, and the fused matrix holds query, key and value of one head after those of another.
    public static let gptNeoX = Family(
        name: "gpt-neox", architectures: .decoder("GPTNeoX"), modelType: "gpt_neox",
        block: .parallel, blockChoice: BlockChoice(flag: false, block: .sequential), norm: .layer,
        positions: .rotary(.halves), mlp: .plain, fusedOrder: .perHead,
        settings: [
            .width: ["hidden_size"], .layers: ["num_hidden_layers"], .heads: ["num_attention_heads"],
            .hidden: ["intermediate_size"], .vocabulary: ["vocab_size"],
            .context: ["max_position_embeddings"],
            .rotaryFraction: [
                "rope_parameters.partial_rotary_factor", "rotary_pct", "partial_rotary_factor",
            ],
            .rotaryBase: ["rotary_emb_base", "rope_theta"], .activation: ["hidden_act"],
            .normEpsilon: ["layer_norm_eps"], .tiedHead: ["tie_word_embeddings"],
            .blockChoice: ["use_parallel_residual"], .attentionBias: ["attention_bias"],
        ],
        defaults: [
            .context: .integer(2048), .rotaryFraction: .number(0.25), .activation: .text("gelu"),
            .normEpsilon: .number(1e-5), .tiedHead: .flag(false),
        ],
        weights: [
            .tokenEmbedding: "gpt_neox.embed_in",
            .attentionNorm: "gpt_neox.layers.{layer}.input_layernorm",
            .queryKeyValue: "gpt_neox.layers.{layer}.attention.query_key_value",
            .attentionOutput: "gpt_neox.layers.{layer}.attention.dense",
            .mlpNorm: "gpt_neox.layers.{layer}.post_attention_layernorm",
            .up: "gpt_neox.layers.{layer}.mlp.dense_h_to_4h",
            .down: "gpt_neox.layers.{layer}.mlp.dense_4h_to_h",
            .finalNorm: "gpt_neox.final_layer_norm",
            .head: "embed_out",
        ],
        optionalPrefix: "gpt_neox.",
        ignored: [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
        gguf: GGUFNaming(architecture: "gptneox", activation: .geluErf, isWritten: false))
}
