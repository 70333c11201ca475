import CorvidText

/// Continues prompts with a model: streaming, several at a time, several answers each.
///
///     let generator = Generator(model: model, tokenizer: tokenizer)
///     for try await event in try generator.start(request) {
///         if case .text(_, _, let piece) = event { print(piece, terminator: "") }
///     }
///
/// The text depends on the request alone: not on other requests in the same batch, the cache, or the chunks
/// in which the prompt is run. A generator is made once for a model and kept: with its first request it looks
/// through the whole vocabulary.
public struct Generator<SomeModel: LanguageModel>: Sendable {
    public let model: SomeModel
    public let tokenizer: any Tokenizer
    private let gaps: VocabularyGaps

    public init(model: SomeModel, tokenizer: any Tokenizer) {
        self.model = model
        self.tokenizer = tokenizer
        self.gaps = VocabularyGaps(of: tokenizer)
    }

    /// Starts a request and returns the events of its answers.
    /// - Throws: ``GenerationError`` if the request cannot be run; nothing has been started then.
    public func start(_ request: GenerationRequest) throws -> EventStream<GenerationEvent> {
        try start([request])
    }

    /// Starts requests that run as one batch; events name the index of their request.
    /// - Throws: ``GenerationError`` if one of them cannot be run; nothing has been started then.
    public func start(_ requests: [GenerationRequest]) throws -> EventStream<GenerationEvent> {
        for request in requests { try validate(request) }
        return EventStream { emit in _ = try await run(valid: requests, emit: emit) }
    }

    /// Runs requests as one batch in the caller's task; when that is cancelled, the answers end as they are.
    ///
    /// - Parameter emit: is called for each event, in order.
    /// - Returns: answers by request, then by sample.
    /// - Throws: ``GenerationError``, or what the model throws.
    public func run(
        _ requests: [GenerationRequest], emit: @Sendable (GenerationEvent) -> Void = { _ in }
    ) async throws -> [[GenerationResult]] {
        for request in requests { try validate(request) }
        return try await run(valid: requests, emit: emit)
    }

    private func run(
        valid requests: [GenerationRequest], emit: @Sendable (GenerationEvent) -> Void
    ) async throws -> [[GenerationResult]] {
        var batch = ActiveBatch(model: model, tokenizer: tokenizer, forbidden: gaps.forbidden)
        for request in requests { try batch.add(request).forEach(emit) }
        try await run(&batch, emit: emit)
        return batch.results.map { $0.compactMap { $0 } }
    }

    /// Runs one request on a cache that holds a beginning of its prompt, as a conversation does.
    ///
    /// Afterwards the cache holds the first `cache.count` tokens of the prompt followed by answer 0.
    public func run(
        _ request: GenerationRequest, cache: SomeModel.Cache,
        emit: @Sendable (GenerationEvent) -> Void = { _ in }
    ) async throws -> [GenerationResult] {
        try validate(request)
        var batch = ActiveBatch(model: model, tokenizer: tokenizer, forbidden: gaps.forbidden)
        try batch.add(request, cache: cache).forEach(emit)
        try await run(&batch, emit: emit)
        return batch.results.flatMap { $0.compactMap { $0 } }
    }

    private func validate(_ request: GenerationRequest) throws {
        guard model.continuesText else { throw GenerationError.continuesNoText }
        try request.validate(
            size: tokenizer.vocabularySize, vocabularySize: model.vocabularySize,
            contextLength: model.contextLength)
        for change in model.changes + request.changes {
            guard let needed = change.promptTokensNeeded, needed > request.prompt.count else { continue }
            throw SiteError.tooShort(change.site, tokens: request.prompt.count, needed: needed)
        }
    }

    private func run(
        _ batch: inout ActiveBatch<SomeModel>, emit: @Sendable (GenerationEvent) -> Void
    ) async throws {
        while let pass = batch.nextPass() {
            if Task.isCancelled { break }
            let result: SiteRun
            do {
                result =
                    if let plan = pass.plan {
                        try await model.run(plan, pass.batch)
                    } else {
                        SiteRun(output: try await model.logits(for: pass.batch))
                    }
            } catch is CancellationError {
                batch.rewind(pass)
                break
            } catch {
                batch.rewind(pass)
                throw error
            }
            try batch.accept(result, of: pass).forEach(emit)
        }
        batch.cancel().forEach(emit)
    }
}

extension LanguageModel {
    /// Starts a request and returns the events of its answers; see ``Generator``, which is to be kept where
    /// there are several requests.
    public func generate(
        _ request: GenerationRequest, tokenizer: any Tokenizer
    ) throws -> EventStream<GenerationEvent> {
        try Generator(model: self, tokenizer: tokenizer).start(request)
    }
}
