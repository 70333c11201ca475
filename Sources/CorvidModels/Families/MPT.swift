extension Family {
    /// MPT (MosaicML, 2023). ALiBi, norms without bias, no biases in its matrices. Its config may clip
    /// queries, keys and values, normalise queries and keys over all heads, and scale scores and logits.
    public static let mpt = Family(
        name: "mpt", architectures: .decoder("Mpt") + [.init("MPTForCausalLM", .vocabulary)],
        modelType: "mpt",
        block: .sequential, norm: .layer, positions: .slopes, mlp: .plain,
        settings: [
            .width: ["d_model"], .layers: ["n_layers"], .heads: ["n_heads"],
            .keyValueHeads: ["attn_config.kv_n_heads"], .hiddenRatio: ["expansion_ratio"],
            .vocabulary: ["vocab_size"], .context: ["max_seq_len"], .normEpsilon: ["layer_norm_epsilon"],
            .tiedHead: ["tie_word_embeddings"], .attentionScale: ["attn_config.softmax_scale"],
            .slopeMaximum: ["attn_config.alibi_bias_max"], .queryKeyValueLimit: ["attn_config.clip_qkv"],
            .queryKeyNorm: ["attn_config.qk_ln"], .logitScale: ["logit_scale"],
        ],
        defaults: [
            .context: .integer(2048), .hiddenRatio: .integer(4), .activation: .text("gelu"),
            .normEpsilon: .number(1e-5), .tiedHead: .flag(true),
        ],
        fixed: [
            "attn_config.alibi": [.flag(true)], "attn_config.prefix_lm": [.flag(false)],
            "attn_config.qk_gn": [.flag(false)], "attn_config.rope": [.flag(false)],
            "attn_config.sliding_window_size": [.integer(-1)],
            "attn_config.attn_uses_sequence_id": [.flag(false)], "attn_config.attn_logit_softcapping": [],
            "block_overrides": [], "ffn_config.ffn_act_fn": [],
            "attn_config.attn_type": [.text("multihead_attention"), .text("grouped_query_attention")],
            "ffn_config.ffn_type": [.text("mptmlp")],
            "norm_type": [.text("low_precision_layernorm"), .text("layernorm")],
        ],
        weights: [
            .tokenEmbedding: "transformer.wte",
            .attentionNorm: "transformer.blocks.{layer}.norm_1",
            .queryKeyValue: "transformer.blocks.{layer}.attn.Wqkv",
            .queryNorm: "transformer.blocks.{layer}.attn.q_ln",
            .keyNorm: "transformer.blocks.{layer}.attn.k_ln",
            .attentionOutput: "transformer.blocks.{layer}.attn.out_proj",
            .mlpNorm: "transformer.blocks.{layer}.norm_2",
            .up: "transformer.blocks.{layer}.ffn.up_proj",
            .down: "transformer.blocks.{layer}.ffn.down_proj",
            .finalNorm: "transformer.norm_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        gguf: GGUFNaming(architecture: "mpt", activation: .geluErf, isWritten: false))
}
