/// How well a model predicts a text: exp of the mean negative log-likelihood of its tokens.
public struct Perplexity: Sendable, Equatable, Codable {
    /// How many tokens were scored: all but the first.
    public var tokens: Int
    /// Sum of -log p over the scored tokens, in nats.
    public var negativeLogLikelihood: Double

    /// exp(``negativeLogLikelihood`` / ``tokens``).
    public var perplexity: Double {
        tokens > 0 ? exponential(negativeLogLikelihood / Double(tokens)) : .nan
    }

    public init(tokens: Int, negativeLogLikelihood: Double) {
        self.tokens = tokens
        self.negativeLogLikelihood = negativeLogLikelihood
    }
}

/// How a long text is cut into windows.
public struct PerplexitySettings: Sendable, Equatable, Codable {
    /// Tokens that a window feeds to the model; 1 up to the model's context.
    public var context = 512
    /// By how many tokens the next window begins later; 1 up to ``context``. Smaller is slower and gives
    /// each token more text before it.
    public var stride = 512
    /// Most rows of a pass whose logits are not needed.
    public var prefillChunk = 512
    /// Most rows of a pass whose logits are needed: 64 rows of 49,152 columns are 13 MB.
    public var scoredChunk = 64

    public init(context: Int = 512, stride: Int = 512) {
        self.context = context
        self.stride = stride
    }

    /// - Throws: ``GenerationError/outOfRange(field:found:allowed:)``.
    public func validate(contextLength: Int) throws {
        try check("context", context, atMost: contextLength)
        try check("stride", stride, atMost: context)
        try check("prefill-chunk", prefillChunk, atMost: .max)
        try check("scored-chunk", scoredChunk, atMost: .max)
    }

    private func check(_ field: String, _ value: Int, atMost bound: Int) throws {
        if value < 1 || value > bound {
            throw GenerationError.outOfRange(
                field: field, found: "\(value)", allowed: bound == .max ? "1 or more" : "1 to \(bound)")
        }
    }
}

extension LanguageModel {
    /// Scores each token of a text after the first exactly once.
    ///
    /// Window w feeds the tokens from w x stride on, `context` of them at most, each of which predicts its
    /// successor. It counts the successors which no window before it has counted. So no token is lost at the
    /// border of windows, unlike where a window scores its own tokens only.
    ///
    /// - Parameters:
    ///   - ids: the text, `[tokens]`, at least 2, as they are: no token is added.
    ///   - progress: is called with (scored, to be scored) after each pass.
    /// - Throws: ``GenerationError``, `CancellationError`, or what the model throws.
    public func perplexity(
        of ids: [Int32], settings: PerplexitySettings = PerplexitySettings(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Perplexity {
        guard continuesText else { throw GenerationError.continuesNoText }
        try settings.validate(contextLength: contextLength)
        if ids.count < 2 { throw GenerationError.nothingToScore(tokens: ids.count) }
        if let index = ids.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw GenerationError.promptToken(id: ids[index], index: index, vocabularySize: vocabularySize)
        }
        var result = Perplexity(tokens: 0, negativeLogLikelihood: 0)
        /// The next token to be scored.
        var target = 1
        var start = 0
        while target < ids.count {
            let cache = try makeCache()
            // The last token predicts nothing that we could check.
            let end = min(start + settings.context, ids.count - 1)
            while start + cache.count < end {
                try Task.checkCancellation()
                let first = start + cache.count
                let isScored = first + 1 >= target
                // Rows whose successors are counted already only feed the cache.
                let border = isScored ? end : min(end, target - 1)
                let chunk = isScored ? settings.scoredChunk : settings.prefillChunk
                let last = first + min(border - first, chunk)
                let rows = (first..<last).map {
                    Batch<Cache>.Row(
                        token: ids[$0], sequence: 0, position: $0 - start, wantsLogits: isScored)
                }
                // No prompt stands before the text: all of it is what a model might have said.
                let batch = Batch(rows: rows, caches: [cache], promptCounts: [0])
                let logits = try await self.logits(for: batch)
                guard isScored else { continue }
                guard logits.rowCount == rows.count, logits.columns == vocabularySize else {
                    throw GenerationError.logitsShape(
                        found: [logits.rowCount, logits.columns], expected: [rows.count, vocabularySize])
                }
                for row in 0..<rows.count {
                    result.negativeLogLikelihood += try surprise(
                        of: ids[first + row + 1], in: logits.row(row), position: first + row)
                }
                result.tokens += rows.count
                target = last + 1
                progress(result.tokens, ids.count - 1)
            }
            start += settings.stride
        }
        return result
    }
}
