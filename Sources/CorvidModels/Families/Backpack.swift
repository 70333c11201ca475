extension Family {
    /// Backpack (Hewitt et al., 2023). GPT-2 says how much each sense of each earlier token counts; a state is
    /// the sum of these sense vectors, which depend on nothing but their token. Its config calls itself GPT-2.
    public static let backpack = Family(
        name: "backpack", architectures: [.init("BackpackGPT2LMHeadModel", .vocabulary)],
        modelType: "backpack-gpt2", block: .sequential, norm: .layer, positions: .learned(offset: 0),
        mlp: .plain, orientation: .columns,
        settings: gpt2.settings.merging([
            .senses: ["num_senses"], .senseRatio: ["sense_intermediate_scale"],
        ]) { $1 },
        defaults: gpt2.defaults.merging([.senses: .integer(16), .senseRatio: .integer(4)]) { $1 },
        weights: [
            .tokenEmbedding: "backpack.gpt2_model.wte",
            .positionEmbedding: "backpack.gpt2_model.wpe",
            .attentionNorm: "backpack.gpt2_model.h.{layer}.ln_1",
            .queryKeyValue: "backpack.gpt2_model.h.{layer}.attn.c_attn",
            .attentionOutput: "backpack.gpt2_model.h.{layer}.attn.c_proj",
            .mlpNorm: "backpack.gpt2_model.h.{layer}.ln_2",
            .up: "backpack.gpt2_model.h.{layer}.mlp.c_fc",
            .down: "backpack.gpt2_model.h.{layer}.mlp.c_proj",
            .finalNorm: "backpack.gpt2_model.ln_f",
            .senseNorm: "backpack.sense_network.ln",
            .senseInnerNorm: "backpack.sense_network.block.ln_1",
            .senseInnerUp: "backpack.sense_network.block.mlp.c_fc",
            .senseInnerDown: "backpack.sense_network.block.mlp.c_proj",
            .senseOuterNorm: "backpack.sense_network.block.ln_2",
            .senseUp: "backpack.sense_network.final_mlp.c_fc",
            .senseDown: "backpack.sense_network.final_mlp.c_proj",
            .senseQueryKey: "backpack.sense_weight_net.c_attn",
            .head: "lm_head",
        ],
        ignored: [
            ".attn.bias", ".attn.masked_bias", "backpack.word_embeddings.weight",
            "backpack.position_embeddings.weight",
        ])
}
