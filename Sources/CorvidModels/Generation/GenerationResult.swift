/// Why an answer ended.
public enum StopReason: String, Codable, Sendable, CaseIterable {
    /// The model gave an end-of-sequence token.
    case eos
    /// A stop string or stop token of the request came.
    case stop
    /// The most tokens asked for, or the end of the context.
    case length
    /// The caller asked for it.
    case cancelled
}

/// One answer.
public struct GenerationResult: Sendable, Equatable {
    /// Index of the request among those started together.
    public var request: Int
    /// Index of the answer among those of its request.
    public var sample: Int
    /// The generated part only, without a stop string and what follows it.
    public var text: String
    /// The generated tokens, those of a stop string among them, the end-of-sequence or stop token not.
    public var ids: [Int32]
    public var stopReason: StopReason
    /// Tokens of the prompt.
    public var promptTokens: Int
    /// Tokens of the prompt that a cache held already and that were not run.
    public var cachedTokens: Int
    /// From the first pass over the prompt to its logits; shared by the samples of a request.
    public var prefillSeconds: Double
    /// From then on to the end of this answer.
    public var decodeSeconds: Double
    /// Passes for this answer after the prompt's; the first token needs none.
    public var decodePasses: Int
    /// For each reading of the request the rows that it selects, in the order of their positions. The last token of
    /// an answer has none: no pass was needed for it.
    public var readings: [SiteValues] = []

    /// Speed of the pass over the prompt; 0 if there was none.
    public var prefillTokensPerSecond: Double {
        prefillSeconds > 0 ? Double(promptTokens - cachedTokens) / prefillSeconds : 0
    }

    /// Speed of the passes behind the prompt; 0 if there was none.
    public var decodeTokensPerSecond: Double {
        decodeSeconds > 0 ? Double(decodePasses) / decodeSeconds : 0
    }
}

/// What happens while answers are made, in the order in which it happens.
public enum GenerationEvent: Sendable, Equatable {
    /// `done` of `total` prompt tokens are in the cache.
    case prefill(request: Int, done: Int, total: Int)
    /// A token was chosen. Its text may come later, or never if it belongs to a stop string.
    case token(request: Int, sample: Int, id: Int32)
    /// More of the answer: whole characters, and nothing of a stop string. The pieces make up the text.
    case text(request: Int, sample: Int, piece: String)
    case finished(GenerationResult)
}
