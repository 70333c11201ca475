import CorvidTensors
import CorvidText

/// A prompt being run or an answer being made: its tokens, its cache and how far its text has come.
struct ActiveSequence<Cache: SequenceCache>: Sendable {
    let request: Int
    let sample: Int
    /// Prompt and answer.
    private(set) var tokens: [Int32]
    let promptCount: Int
    /// Holds the first `cache.count` of ``tokens``; the others are still to be run.
    var cache: Cache
    /// Whether the prompt's logits are still to come.
    var isPrompt = true

    var timing = Timing()
    /// What was recorded so far, for each reading of the request.
    private(set) var readings: [SiteValues] = []

    private var history: TokenHistory
    private let sampler: Sampler
    private var decoder: StreamingDecoder
    private var stops: StopMatcher
    private(set) var text = ""

    struct Timing: Sendable {
        var start: ContinuousClock.Instant?
        var prefilled: ContinuousClock.Instant?
        var cachedTokens = 0
        var decodePasses = 0
    }

    init(
        request: Int, sample: Int, prompt: [Int32], cache: Cache, sampler: Sampler,
        decoder: StreamingDecoder, stops: StopMatcher
    ) {
        self.request = request
        self.sample = sample
        self.tokens = prompt
        self.promptCount = prompt.count
        self.cache = cache
        self.sampler = sampler
        self.decoder = decoder
        self.stops = stops
        self.history = TokenHistory(prompt: prompt)
        timing.cachedTokens = cache.count
    }

    /// The same prompt's next answer, with a cache and a sampler of its own.
    func fork(sample: Int, cache: Cache, sampler: Sampler) -> ActiveSequence {
        var fork = ActiveSequence(
            request: request, sample: sample, prompt: tokens, cache: cache, sampler: sampler,
            decoder: decoder, stops: stops)
        fork.timing = timing
        fork.readings = readings
        fork.isPrompt = isPrompt
        return fork
    }

    /// Keeps what a pass recorded of this sequence.
    /// - Parameter isBeginning: whether the pass began with the first token; without a cache it does so again for
    ///   each token.
    mutating func record(_ values: ArraySlice<SiteValues>, isBeginning: Bool) {
        guard !values.isEmpty else { return }
        if readings.isEmpty || isBeginning {
            readings = [SiteValues](repeating: SiteValues(), count: values.count)
        }
        for (index, var value) in values.enumerated() {
            for row in value.places.indices { value.places[row].sequence = 0 }
            readings[index].append(value)
        }
    }

    var generated: ArraySlice<Int32> { tokens[promptCount...] }

    /// The token that follows ``tokens``, not yet appended.
    func choose(from row: ArraySlice<Float>) throws -> Int32 {
        try sampler.choose(from: row, history: history, position: tokens.count)
    }

    /// - Returns: the text which this token sets free.
    mutating func append(_ id: Int32) -> String {
        tokens.append(id)
        history.append(id)
        return release(decoder.append(id))
    }

    /// Whether the text has reached a stop string.
    var isStopped: Bool { stops.isStopped }

    /// - Returns: the text that was held back for further tokens, none of which will come.
    mutating func finish() -> String {
        let rest = release(decoder.finish())
        let held = stops.finish()
        text += held
        return rest + held
    }

    private mutating func release(_ piece: String) -> String {
        let free = stops.append(piece)
        text += free
        return free
    }

    func result(_ reason: StopReason, now: ContinuousClock.Instant) -> GenerationResult {
        let prefilled = timing.prefilled ?? now
        return GenerationResult(
            request: request, sample: sample, text: text, ids: Array(generated), stopReason: reason,
            promptTokens: promptCount, cachedTokens: timing.cachedTokens,
            prefillSeconds: timing.start.map { (prefilled - $0).inSeconds } ?? 0,
            decodeSeconds: (now - prefilled).inSeconds, decodePasses: timing.decodePasses,
            readings: readings)
    }
}
