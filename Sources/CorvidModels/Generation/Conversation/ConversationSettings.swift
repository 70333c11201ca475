/// How a conversation's replies are made.
public struct ConversationSettings: Sendable, Equatable {
    public var sampling = SamplingSettings()
    /// Most tokens of a reply; `nil` goes on to the end of the context.
    public var maxTokens: Int?
    /// A reply ends before the first of these.
    public var stopStrings: [String] = []
    /// Most rows of prompt in one pass.
    public var prefillChunk = 512
    /// Whether the keys and values of earlier turns are kept.
    public var usesCache = true

    public init() {}

    /// Tokens of context that must be free for a reply, else the oldest turns go: a quarter of the context,
    /// or what a reply may have if that is less. So after turns were dropped, some replies pass before the
    /// next have to be, each time with a new pass over the whole prompt.
    public func room(in contextLength: Int) -> Int {
        min(maxTokens ?? .max, max(contextLength / 4, 1))
    }
}

/// One reply of the model.
public struct Reply: Sendable, Equatable {
    public var text: String { result.text }
    public var stopReason: StopReason { result.stopReason }
    public var result: GenerationResult
    /// Turns that no longer fitted into the context and were dropped for this reply.
    public var droppedTurns: Int
}

/// What happens while a reply is made, in order.
public enum ReplyEvent: Sendable, Equatable {
    /// The context was full: the model no longer sees this many of the oldest turns.
    case dropped(turns: Int)
    /// `done` of `total` tokens of the prompt are in the cache.
    case prefill(done: Int, total: Int)
    /// More of the reply; the pieces make up its text.
    case text(String)
    case finished(Reply)
}

/// Why a conversation cannot go on.
public enum ConversationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A reply is being made.
    case busy
    /// A message spells a special token, and all characters that could mark the place are in use.
    case noPrivateCharacter

    public var description: String {
        switch self {
        case .busy: "a reply is being made; wait for its end or cancel it"
        case .noPrivateCharacter:
            "a message spells a special token, and the conversation has every private-use character of Unicode; "
                + "leave one of them out"
        }
    }
}
