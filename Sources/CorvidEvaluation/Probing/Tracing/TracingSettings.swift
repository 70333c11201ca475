/// Settings of causal tracing. Defaults: those of its authors (Meng et al. 2022, section 2).
public struct TracingSettings: Codable, Sendable, Equatable {
    /// What is restored at a token.
    public enum Restored: String, Codable, Sendable, CaseIterable {
        /// The residual after one block.
        case state
        /// The outputs of the MLPs, or of attention, of the blocks of a window.
        case mlp, attention
    }

    /// What keeps its corrupted values at the restored token, in every block.
    public enum Severed: String, Codable, Sendable, CaseIterable {
        case mlp, attention
    }

    public var restored = Restored.state
    /// Blocks of a window around the layer, 1 or more: for 10, from 5 before it to 4 behind it, as far as there
    /// are such blocks (the authors' code; their paper moves the window by one).
    public var window = 10
    /// Only where the state is restored.
    public var severed: Severed?
    /// Corrupted runs, 1 or more.
    public var samples = 10
    /// Start of the noise's random numbers.
    public var seed: UInt64 = 1
    public var noise = EmbeddingNoise()
    /// Most rows of a pass, 1 or more; one sequence is never cut.
    public var rowsPerPass = 1536

    public init() {}

    /// - Throws: ``TracingError``.
    public func validate() throws {
        for (field, value) in [("samples", samples), ("window", window), ("rows of a pass", rowsPerPass)] {
            guard (1...1 << 20).contains(value) else {
                throw TracingError.outOfRange(field: field, found: "\(value)", allowed: "1 to \(1 << 20)")
            }
        }
        if severed != nil, restored != .state { throw TracingError.severedWindow }
        try noise.validate()
    }

    /// The blocks whose outputs are restored around a layer.
    func blocks(around layer: Int, of layers: Int) -> Range<Int> {
        max(0, layer - window / 2)..<min(layers, layer - window / 2 + window)
    }
}
