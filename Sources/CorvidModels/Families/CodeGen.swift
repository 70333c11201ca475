extension Family {
    /// CodeGen (Nijkamp et al., 2022). GPT-J's block, with a fused matrix that is laid out as four processors
    /// once shared it: four slices, each with the queries, values and keys of a quarter of the heads.
    public static let codeGen = Family(
        name: "codegen",
        architectures: .decoder("CodeGen"), modelType: "codegen",
        block: .parallelSharedNorm, norm: .layer, positions: .rotary(.interleaved), mlp: .plain,
        fusedOrder: .slices(4),
        settings: [
            .width: ["n_embd"], .layers: ["n_layer"], .heads: ["n_head"], .hidden: ["n_inner"],
            .vocabulary: ["vocab_size"], .context: ["n_positions", "n_ctx"], .rotaryWidth: ["rotary_dim"],
            .activation: ["activation_function"], .normEpsilon: ["layer_norm_epsilon"],
            .tiedHead: ["tie_word_embeddings"],
        ],
        defaults: [
            .context: .integer(2048), .rotaryWidth: .integer(64), .activation: .text("gelu_new"),
            .normEpsilon: .number(1e-5), .tiedHead: .flag(false),
        ],
        fixed: gptj.fixed,
        weights: [
            .tokenEmbedding: "transformer.wte",
            .attentionNorm: "transformer.h.{layer}.ln_1",
            .queryKeyValue: "transformer.h.{layer}.attn.qkv_proj",
            .attentionOutput: "transformer.h.{layer}.attn.out_proj",
            .up: "transformer.h.{layer}.mlp.fc_in",
            .down: "transformer.h.{layer}.mlp.fc_out",
            .finalNorm: "transformer.ln_f",
            .head: "lm_head",
        ],
        optionalPrefix: "transformer.",
        ignored: [".attn.causal_mask", ".attn.bias", ".attn.masked_bias"])
}
