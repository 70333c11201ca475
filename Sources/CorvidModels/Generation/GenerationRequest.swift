/// One prompt to continue, and how.
public struct GenerationRequest: Sendable {
    /// Token ids, as they are: nothing is added. `[tokens]`, at least one.
    public var prompt: [Int32]
    /// Most tokens of an answer; the end of the context may come first.
    public var maxTokens = 128
    public var sampling = SamplingSettings()
    /// Steps of the caller's own, applied before those of ``sampling``.
    public var steps: [any LogitsStep] = []
    /// An answer ends before the first of these; they may straddle tokens.
    public var stopStrings: [String] = []
    /// Tokens that end an answer besides the tokenizer's own.
    public var stopIDs: Set<Int32> = []
    /// How many answers; they share one pass over the prompt.
    public var samples = 1
    /// Without a cache the whole sequence is run again for each token: slow, and the same text.
    public var usesCache = true
    /// Most rows of prompt in one pass.
    public var prefillChunk = 512
    /// What happens at sites while this request is answered; positions count its own tokens, and sequences are not
    /// to be named.
    public var changes: [SiteChange] = []
    /// What is recorded while it is answered (``GenerationResult/readings``).
    public var readings: [SiteReading] = []
    /// Goes on behind the end of sequence, to measure speed.
    public var ignoresEndOfSequence = false

    public init(
        prompt: [Int32], maxTokens: Int = 128, sampling: SamplingSettings = SamplingSettings(),
        stopStrings: [String] = [], samples: Int = 1
    ) {
        self.prompt = prompt
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.stopStrings = stopStrings
        self.samples = samples
    }

    /// Most answers of one request.
    public static let samplesLimit = 1_024
    /// Most stop strings of one request.
    public static let stopStringsLimit = 64

    /// Refuses what cannot be run, before any work.
    /// - Parameters:
    ///   - size: how many tokens the tokenizer has.
    ///   - vocabularySize: how many rows the model's weights have.
    /// - Throws: ``GenerationError``.
    public func validate(size: Int, vocabularySize: Int, contextLength: Int) throws {
        try check("max-tokens", maxTokens, 0...Int.max, "0 or more")
        try check("samples", samples, 1...Self.samplesLimit, "1 to \(Self.samplesLimit)")
        try check("prefill-chunk", prefillChunk, 1...Int.max, "1 or more")
        if stopStrings.count > Self.stopStringsLimit {
            throw GenerationError.outOfRange(
                field: "stop", found: "\(stopStrings.count) strings",
                allowed: "at most \(Self.stopStringsLimit)")
        }
        if stopStrings.contains(where: \.isEmpty) {
            throw GenerationError.outOfRange(
                field: "stop", found: "an empty string", allowed: "at least one character")
        }
        try sampling.validate(size: min(size, vocabularySize))
        if prompt.isEmpty { throw GenerationError.emptyPrompt }
        if let index = prompt.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw GenerationError.promptToken(
                id: prompt[index], index: index, vocabularySize: vocabularySize)
        }
        if prompt.count > contextLength || (prompt.count == contextLength && maxTokens > 0) {
            throw GenerationError.promptTooLong(tokens: prompt.count, contextLength: contextLength)
        }
    }

    private func check(_ field: String, _ value: Int, _ range: ClosedRange<Int>, _ allowed: String) throws {
        if !range.contains(value) {
            throw GenerationError.outOfRange(field: field, found: "\(value)", allowed: allowed)
        }
    }
}
