import CorvidText

/// The sequences being run together: decides what the next pass contains and what its logits mean.
///
/// A plain value without tasks; ``Generator`` feeds it. Every sequence has tokens that its cache does not
/// hold yet: many while its prompt is run, one while it is answered, all of them when it runs without a
/// cache. A pass takes the next of them from each sequence, so prompts and answers of several requests mix
/// freely, and requests may join and leave between passes.
struct ActiveBatch<SomeModel: LanguageModel>: Sendable {
    typealias Cache = SomeModel.Cache

    private let model: SomeModel
    private let tokenizer: any Tokenizer
    /// Applied before all steps of a request.
    private let forbidden: ForbiddenTokens
    private var requests: [GenerationRequest] = []
    private(set) var sequences: [ActiveSequence<Cache>] = []
    /// By request, then by sample; `nil` until the answer is finished.
    private(set) var results: [[GenerationResult?]] = []

    /// What is being run: which rows belong to which sequence.
    struct PlannedPass: Sendable {
        let batch: Batch<Cache>
        /// What happens at sites; nil if nothing does.
        let plan: SitePlan?
        /// One per sequence of the batch.
        let parts: [Part]
        let logitsCount: Int
    }

    struct Part: Sendable {
        /// Index into the sequences.
        let sequence: Int
        /// Length of the cache before the pass.
        let start: Int
        /// The row of the logits that is this sequence's, if its last token is part of the pass.
        let logitsRow: Int?
        /// Which of the plan's readings are this sequence's.
        let readings: Range<Int>
    }

    init(model: SomeModel, tokenizer: any Tokenizer, forbidden: ForbiddenTokens) {
        self.model = model
        self.tokenizer = tokenizer
        self.forbidden = forbidden
    }

    /// Lets a request join; its number is the count of those before.
    ///
    /// - Parameters:
    ///   - request: one that ``GenerationRequest/validate(size:vocabularySize:contextLength:)`` accepts.
    ///   - cache: holds a beginning of the prompt, shorter than the prompt; grows with sample 0.
    /// - Returns: events, if there is nothing to do for this request.
    mutating func add(_ request: GenerationRequest, cache: Cache? = nil) throws -> [GenerationEvent] {
        let number = requests.count
        let given = request.usesCache ? cache : nil
        if let given, given.count >= request.prompt.count { given.truncate(to: request.prompt.count - 1) }
        let sequence = ActiveSequence(
            request: number, sample: 0, prompt: request.prompt, cache: try given ?? model.makeCache(),
            sampler: sampler(for: request, sample: 0),
            decoder: StreamingDecoder(tokenizer, skipSpecialTokens: true, after: .middle),
            stops: StopMatcher(request.stopStrings))
        requests.append(request)
        results.append([GenerationResult?](repeating: nil, count: request.samples))
        if request.maxTokens == 0 { return finish(prompt: sequence, .length, now: .now) }
        sequences.append(sequence)
        return []
    }

    private func sampler(for request: GenerationRequest, sample: Int) -> Sampler {
        Sampler(
            settings: request.sampling, steps: (forbidden.ids.isEmpty ? [] : [forbidden]) + request.steps,
            size: tokenizer.vocabularySize, sample: sample)
    }

    /// The next pass, or `nil` when every answer is finished.
    mutating func nextPass(now: ContinuousClock.Instant = .now) -> PlannedPass? {
        var rows: [Batch<Cache>.Row] = []
        var caches: [Cache] = []
        var parts: [Part] = []
        var promptCounts: [Int?] = []
        var plan = SitePlan()
        var logitsCount = 0
        /// Rows which prompts may still take; set by the first one that asks.
        var room: Int?
        for index in sequences.indices {
            let sequence = sequences[index]
            let start = sequence.cache.count
            var count = sequence.tokens.count - start
            if count > 1 || sequence.isPrompt {
                let chunk = requests[sequence.request].prefillChunk
                count = min(count, chunk, room ?? chunk)
                room = (room ?? chunk) - count
            }
            if count == 0 { continue }
            if sequence.timing.start == nil { sequences[index].timing.start = now }
            let isWhole = start + count == sequence.tokens.count
            for position in start..<start + count {
                rows.append(
                    .init(
                        token: sequence.tokens[position], sequence: caches.count, position: position,
                        wantsLogits: isWhole && position == start + count - 1))
            }
            let request = requests[sequence.request]
            let readings = plan.readings.count..<plan.readings.count + request.readings.count
            plan.add(changes: request.changes, readings: request.readings, sequence: caches.count)
            caches.append(sequence.cache)
            promptCounts.append(sequence.promptCount)
            parts.append(
                Part(
                    sequence: index, start: start, logitsRow: isWhole ? logitsCount : nil, readings: readings)
            )
            if isWhole { logitsCount += 1 }
        }
        return rows.isEmpty
            ? nil
            : PlannedPass(
                batch: Batch(rows: rows, caches: caches, promptCounts: promptCounts),
                plan: plan.isEmpty ? nil : plan, parts: parts, logitsCount: logitsCount)
    }

    /// Takes what a pass gave: chooses a token for each sequence that is complete.
    /// - Returns: what happened, in order.
    mutating func accept(
        _ run: SiteRun, of pass: PlannedPass, now: ContinuousClock.Instant = .now
    ) throws -> [GenerationEvent] {
        let logits = run.output
        guard logits.rowCount == pass.logitsCount,
            logits.rowCount == 0 || logits.columns == model.vocabularySize
        else {
            throw GenerationError.logitsShape(
                found: [logits.rowCount, logits.columns], expected: [pass.logitsCount, model.vocabularySize])
        }
        var events: [GenerationEvent] = []
        var next: [ActiveSequence<Cache>] = []
        var parts = pass.parts[...]
        // Each sequence is moved out of the list: a second reference to its tokens would have them copied with
        // every token that is appended.
        var waiting: [ActiveSequence<Cache>] = sequences.reversed()
        sequences = []
        var index = -1
        while var sequence = waiting.popLast() {
            index += 1
            // A sequence for which the pass had no room.
            guard let part = parts.first, part.sequence == index else {
                next.append(sequence)
                continue
            }
            parts.removeFirst()
            sequence.record(run.readings[part.readings], isBeginning: part.start == 0)
            if sequence.isPrompt {
                events.append(
                    .prefill(
                        request: sequence.request, done: sequence.cache.count, total: sequence.promptCount))
            }
            guard let logitsRow = part.logitsRow else {
                next.append(sequence)
                continue
            }
            let row = logits.row(logitsRow)
            if sequence.isPrompt {
                sequence.isPrompt = false
                sequence.timing.prefilled = now
                for var sample in try samples(of: sequence) {
                    try advance(&sample, row, now: now, &events, &next)
                }
            } else {
                sequence.timing.decodePasses += 1
                try advance(&sequence, row, now: now, &events, &next)
            }
        }
        sequences = next
        return events
    }

    /// One sequence per answer, all of which continue from the same prompt.
    private func samples(of prompt: ActiveSequence<Cache>) throws -> [ActiveSequence<Cache>] {
        let request = requests[prompt.request]
        return try [prompt]
            + (1..<request.samples).map { sample in
                prompt.fork(
                    sample: sample, cache: try request.usesCache ? prompt.cache.fork() : prompt.cache,
                    sampler: sampler(for: request, sample: sample))
            }
    }

    /// Appends the next token, and either finishes the answer or keeps it in `next`.
    private mutating func advance(
        _ sequence: inout ActiveSequence<Cache>, _ row: ArraySlice<Float>, now: ContinuousClock.Instant,
        _ events: inout [GenerationEvent], _ next: inout [ActiveSequence<Cache>]
    ) throws {
        let request = requests[sequence.request]
        let id = try sequence.choose(from: row)
        if request.stopIDs.contains(id) { return finish(&sequence, .stop, now: now, &events) }
        if !request.ignoresEndOfSequence, tokenizer.endOfGeneration.contains(id) {
            return finish(&sequence, .eos, now: now, &events)
        }
        events.append(.token(request: sequence.request, sample: sequence.sample, id: id))
        let piece = sequence.append(id)
        if !piece.isEmpty {
            events.append(.text(request: sequence.request, sample: sequence.sample, piece: piece))
        }
        if sequence.isStopped { return finish(&sequence, .stop, now: now, &events) }
        if sequence.generated.count >= request.maxTokens || sequence.tokens.count >= model.contextLength {
            return finish(&sequence, .length, now: now, &events)
        }
        if !request.usesCache { sequence.cache = try model.makeCache() }
        next.append(sequence)
    }

    private mutating func finish(
        _ sequence: inout ActiveSequence<Cache>, _ reason: StopReason, now: ContinuousClock.Instant,
        _ events: inout [GenerationEvent]
    ) {
        let wasStopped = sequence.isStopped
        let piece = sequence.finish()
        if !piece.isEmpty {
            events.append(.text(request: sequence.request, sample: sequence.sample, piece: piece))
        }
        // The replacement for an incomplete character may itself complete a stop string.
        let reason = sequence.isStopped && !wasStopped ? .stop : reason
        let result = sequence.result(reason, now: now)
        results[sequence.request][sequence.sample] = result
        events.append(.finished(result))
    }

    /// Finishes all answers of a prompt that was not run to its end.
    private mutating func finish(
        prompt: ActiveSequence<Cache>, _ reason: StopReason, now: ContinuousClock.Instant
    ) -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for sample in 0..<requests[prompt.request].samples {
            var sequence = prompt.fork(
                sample: sample, cache: prompt.cache,
                sampler: sampler(for: requests[prompt.request], sample: sample))
            finish(&sequence, reason, now: now, &events)
        }
        return events
    }

    /// Ends everything that is under way; answers keep what they have.
    mutating func cancel(now: ContinuousClock.Instant = .now) -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for var sequence in sequences {
            if sequence.isPrompt {
                events += finish(prompt: sequence, .cancelled, now: now)
            } else {
                finish(&sequence, .cancelled, now: now, &events)
            }
        }
        sequences = []
        return events
    }

    /// Undoes what a pass that did not return may have left in the caches.
    func rewind(_ pass: PlannedPass) {
        for (part, cache) in zip(pass.parts, pass.batch.caches) where cache.count > part.start {
            cache.truncate(to: part.start)
        }
    }
}
