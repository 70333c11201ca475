import CorvidText

/// A dialogue with a model: what was said, and the keys and values of what was said.
///
///     let conversation = Conversation(generator: generator, template: template)
///     for try await event in conversation.reply(to: "Hello") {
///         if case .text(let piece) = event { print(piece, terminator: "") }
///     }
///
/// Each reply renders all turns anew and runs only what follows the longest beginning that the cache holds
/// already. When the context is full the oldest turns are dropped, never the system prompt and never the
/// newest message, and the reply says how many. Where a message spells a special token, that is text: only
/// the template writes special tokens.
public actor Conversation<SomeModel: LanguageModel> {
    public let generator: Generator<SomeModel>
    public let template: ChatTemplate
    public var settings: ConversationSettings
    /// All that was said, dropped turns among it.
    public private(set) var transcript: Transcript
    /// Messages at the beginning that the model no longer sees.
    public private(set) var droppedMessages = 0

    private let encoder: PromptEncoder
    private var isReplying = false
    private var cache: SomeModel.Cache?
    /// The tokens whose keys and values ``cache`` holds.
    private var cachedIDs: [Int32] = []

    public init(
        generator: Generator<SomeModel>, template: ChatTemplate, settings: ConversationSettings = .init(),
        transcript: Transcript = Transcript()
    ) {
        self.generator = generator
        self.template = template
        self.encoder = PromptEncoder(template: template, tokenizer: generator.tokenizer)
        self.settings = settings
        self.transcript = transcript
    }

    public func configure(_ settings: ConversationSettings) {
        self.settings = settings
    }

    /// Replaces all that was said, as when a saved conversation is read or begun anew.
    /// - Throws: ``ConversationError/busy``.
    public func replace(with transcript: Transcript) throws {
        if isReplying { throw ConversationError.busy }
        self.transcript = transcript
        droppedMessages = 0
    }

    /// Changes what the model is told before the first turn.
    /// - Throws: ``ConversationError/busy``.
    public func setSystem(_ system: String?) throws {
        if isReplying { throw ConversationError.busy }
        transcript.system = system
    }

    /// The reply to a message, as it is made; the stream is cancelled when its reader goes away.
    public nonisolated func reply(to message: String) -> EventStream<ReplyEvent> {
        EventStream { emit in _ = try await self.reply(to: message, emit: emit) }
    }

    /// The reply to a message, made in the caller's task.
    ///
    /// When that is cancelled, what came of the answer stays in the transcript; if nothing came, the message
    /// is taken back, as it is after an error.
    /// - Parameter emit: is called for each event, in order.
    /// - Throws: ``ConversationError/busy``, ``GenerationError`` (the message alone does not fit into the
    ///   context, a setting is out of range), `TemplateError`, or what the model throws.
    public func reply(
        to message: String, emit: @escaping @Sendable (ReplyEvent) -> Void
    ) async throws -> Reply {
        if isReplying { throw ConversationError.busy }
        isReplying = true
        defer { isReplying = false }

        let before = transcript.messages.count
        let droppedBefore = droppedMessages
        transcript.messages.append(ChatMessage(role: Transcript.userRole, content: message))
        do {
            let (prompt, droppedTurns) = try fittingPrompt()
            if droppedTurns > 0 { emit(.dropped(turns: droppedTurns)) }
            let result = try await generate(prompt, emit: emit)
            if result.stopReason == .cancelled && result.ids.isEmpty {
                transcript.messages.removeSubrange(before...)
            } else {
                transcript.messages.append(
                    ChatMessage(role: Transcript.assistantRole, content: content(of: result.text)))
            }
            let reply = Reply(result: result, droppedTurns: droppedTurns)
            emit(.finished(reply))
            return reply
        } catch {
            transcript.messages.removeSubrange(before...)
            droppedMessages = droppedBefore
            throw error
        }
    }

    /// The tokens of the conversation, after as many of the oldest turns have been dropped as is needed.
    private func fittingPrompt() throws -> (ids: [Int32], droppedTurns: Int) {
        let contextLength = generator.model.contextLength
        let room = settings.room(in: contextLength)
        var droppedTurns = 0
        while true {
            let ids = try encoder.encode(transcript.messages(from: droppedMessages))
            if ids.count <= contextLength - room { return (ids, droppedTurns) }
            let rest = transcript.messages.indices.dropFirst(droppedMessages + 1)
            guard let next = rest.first(where: { transcript.messages[$0].role == Transcript.userRole }) else {
                // Only the newest message is left: it may still fit, with less room for the reply.
                if ids.count < contextLength { return (ids, droppedTurns) }
                throw GenerationError.promptTooLong(tokens: ids.count, contextLength: contextLength)
            }
            droppedMessages = next
            droppedTurns += 1
        }
    }

    /// Whether turns are written as `User: ...` lines. A model that knows no end of a turn then goes on with
    /// the user's next line, which must stop it.
    private var isPlain: Bool { template.source == nil }

    /// A reply as it goes into the transcript; plain turns write the blank before it themselves.
    private func content(of text: String) -> String {
        isPlain && text.hasPrefix(" ") ? String(text.dropFirst()) : text
    }

    private func generate(
        _ prompt: [Int32], emit: @escaping @Sendable (ReplyEvent) -> Void
    ) async throws -> GenerationResult {
        var request = GenerationRequest(prompt: prompt, sampling: settings.sampling)
        request.maxTokens = settings.maxTokens ?? generator.model.contextLength
        request.stopStrings = settings.stopStrings + (isPlain ? ["\nUser:"] : [])
        request.prefillChunk = settings.prefillChunk
        request.usesCache = settings.usesCache

        let cache = try cache ?? generator.model.makeCache()
        // The prompt's last token must be run: its logits choose the first token of the reply.
        let known = zip(prompt.dropLast(), cachedIDs).prefix { $0 == $1 }.count
        cache.truncate(to: known)
        // Until the reply is done nobody knows what the cache holds.
        self.cache = nil
        cachedIDs = []
        let results = try await generator.run(request, cache: cache) { event in
            switch event {
            case .prefill(_, let done, let total): emit(.prefill(done: done, total: total))
            case .text(_, _, let piece): emit(.text(piece))
            case .token, .finished: break
            }
        }
        guard let result = results.first else { throw CancellationError() }
        if settings.usesCache {
            self.cache = cache
            cachedIDs = Array((prompt + result.ids).prefix(cache.count))
        }
        return result
    }
}
