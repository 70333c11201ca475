extension Family {
    /// mT5 (Xue et al., 2021). T5 1.1 in many languages: its MLP is gated, and its logits are never divided.
    public static let mt5 = Family(
        name: "mt5",
        architectures: [
            .init("MT5ForConditionalGeneration", .vocabulary), .init("MT5Model", .states),
            .init("MT5EncoderModel", .states, isEncoder: true),
            .init("MT5ForSequenceClassification", .labelsAtLast, prefix: "transformer."),
        ],
        modelType: "mt5", block: .sequential, norm: .rms, positions: .none, mlp: .gated, attentionScale: .one,
        settings: t5.settings.merging([.scalesLogits: []]) { $1 },
        defaults: t5.defaults.merging([.activation: .text("gated-gelu"), .scalesLogits: .flag(false)]) { $1 },
        fixed: t5.fixed, weights: t5.weights, encoder: t5.encoder, ignored: t5.ignored)
}
