extension Family {
    /// A class that config.json names in `architectures`: a family's blocks with one of several ends.
    public struct Architecture: Sendable, Equatable {
        public let name: String
        public let output: Output
        /// Whether it is the stack of an encoder-decoder that reads the source, alone.
        public let isEncoder: Bool
        /// What stands before the names of the body's weights in this class only.
        public let prefix: String

        public init(_ name: String, _ output: Output, isEncoder: Bool = false, prefix: String = "") {
            self.name = name
            self.output = output
            self.isEncoder = isEncoder
            self.prefix = prefix
        }
    }

    /// What a model was made to give.
    public enum Output: Sendable, Equatable {
        /// For each row a logit for each token of the vocabulary.
        case vocabulary
        /// The states of the last layer.
        case states
        /// A score for each label, made of a sequence's first token.
        case labelsAtFirst
        /// The same, made of its last token; in an encoder-decoder, of what the decoder says to the last end of
        /// the source.
        case labelsAtLast

        /// Whether it is a score for each label.
        public var isLabels: Bool { self == .labelsAtFirst || self == .labelsAtLast }
    }
}

extension [Family.Architecture] {
    /// The classes that transformers makes of one decoder, by the beginning of their names.
    public static func decoder(_ name: String, causal: String = "ForCausalLM") -> Self {
        [
            .init(name + causal, .vocabulary), .init(name + "Model", .states),
            .init(name + "ForSequenceClassification", .labelsAtLast),
        ]
    }

    /// The same for an encoder.
    public static func encoder(_ name: String) -> Self {
        [
            .init(name + "ForMaskedLM", .vocabulary), .init(name + "Model", .states),
            .init(name + "ForSequenceClassification", .labelsAtFirst),
        ]
    }
}
