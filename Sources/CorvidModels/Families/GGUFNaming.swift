import CorvidTensors

/// What differs when a family comes from GGUF.
public struct GGUFNaming: Sendable, Equatable {
    public let architecture: String
    /// What the file's model gives; GGUF has no class that says so.
    public let output: Family.Output
    /// Rotary pairs of the rows as GGUF stores them, if they differ from Hugging Face's.
    public let rotaryPairs: RotaryPairs?
    /// GGUF does not say which activation an MLP has.
    public let activation: Activation
    /// The activation of an MLP that has a gate, in a family which has both kinds.
    public let gatedActivation: Activation?
    /// Names that differ from those of other families (``WeightRole/ggufName``).
    public let weights: [WeightRole: WeightNames]
    /// Names in the stack that reads a source text.
    public let encoder: [WeightRole: WeightNames]
    /// Whether such files are written, too, not only read.
    public let isWritten: Bool

    public init(
        architecture: String, output: Family.Output = .vocabulary, rotaryPairs: RotaryPairs? = nil,
        activation: Activation, gatedActivation: Activation? = nil,
        weights: [WeightRole: WeightNames] = [:], encoder: [WeightRole: WeightNames] = [:],
        isWritten: Bool = true
    ) {
        self.architecture = architecture
        self.output = output
        self.rotaryPairs = rotaryPairs
        self.activation = activation
        self.gatedActivation = gatedActivation
        self.weights = weights
        self.encoder = encoder
        self.isWritten = isWritten
    }
}

extension Family {
    /// Names of the weights, without `.weight` and `.bias`; `{layer}` is the block's number. Block types need
    /// GGUF's names also in families which GGUF does not know.
    func names(isGGUF: Bool) -> [WeightRole: WeightNames] {
        guard isGGUF else { return weights }
        var names = gguf?.weights ?? [:]
        for role in WeightRole.allCases where names[role] == nil {
            names[role] = role.ggufName.map { WeightNames(stringLiteral: $0) }
        }
        return names
    }

    /// The same for the stack that reads a source text; empty if there is none.
    func encoderNames(isGGUF: Bool) -> [WeightRole: WeightNames] {
        isGGUF ? gguf?.encoder ?? [:] : encoder
    }
}
