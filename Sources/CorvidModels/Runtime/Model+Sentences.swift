import CorvidText

/// The tokens of one text, or of two that are read together.
public struct TokenSequence: Sendable, Equatable {
    public var ids: [Int32]
    /// The type of each token: 0 for those of the first text, 1 for those of the second. Empty: all 0.
    public var types: [Int]

    public init(_ ids: [Int32], types: [Int] = []) {
        self.ids = ids
        self.types = types
    }

    /// Two texts as a tokenizer puts them together.
    public init(_ pair: TokenPair) { self.init(pair.ids, types: pair.types.map(Int.init)) }
}

extension Model {
    /// The tokens of a text as the model expects one that it reads at once. A text that is too long loses its
    /// end, but not the tokens around it.
    /// - Throws: `TokenizerError` if the model's tokenizer is missing or not understood;
    ///   ``ConfigurationError``.
    public func sentence(_ text: String) throws -> TokenSequence {
        let limit = min(try sentencePooling.tokenLimit ?? contextLength, contextLength)
        let tokenizer = try tokenizer
        let ids = tokenizer.encode(text)
        guard ids.count > limit else { return TokenSequence(ids) }
        let bare = tokenizer.encode(text, addSpecialTokens: false)
        let around = max(0, ids.count - bare.count)
        let before = (0...around).first { ids.dropFirst($0).starts(with: bare) } ?? 0
        let kept = max(0, limit - around)
        let whole = Array(ids.prefix(before + kept) + ids.suffix(around - before))
        return TokenSequence(Array(whole.prefix(limit)))
    }

    /// Scores of the model's labels (``ModelConfiguration/labels``) for each sequence, `[sequences, labels]`,
    /// before any softmax.
    ///
    /// An encoder scores a sequence's first token, a decoder its last one that is not padding. An encoder-decoder
    /// reads the sequence as its source and writes it again; what it says to the last token that ends a source
    /// (``ModelConfiguration/endToken``) is scored.
    /// - Throws: ``OutputError`` if the model is no classifier; ``PassError``, also for an empty sequence;
    ///   `CancellationError`.
    public func classify(_ sequences: [TokenSequence]) async throws -> RowValues {
        try transformer.head.check(.labels)
        let atLast = configuration.output == .labelsAtLast
        let sequences = sequences.map { atLast ? withoutPadding($0) : $0 }
        var values: [Float] = []
        if transformer.encoder != nil {
            for (index, sequence) in sequences.enumerated() {
                values += try await scoreOfSource(sequence, index: index)
            }
            return RowValues(
                rowCount: sequences.count, columns: configuration.labels.count, values: values)
        }
        try await run(sequences, for: .labels) { sequence, position in
            position == (atLast ? sequence.ids.count - 1 : 0)
        } use: { rows in
            for row in 0..<rows.rowCount { values += rows.row(row) }
        }
        return RowValues(
            rowCount: sequences.count, columns: configuration.labels.count, values: values)
    }

    /// The scores of one sequence that an encoder-decoder reads as its source.
    private func scoreOfSource(_ sequence: TokenSequence, index: Int) async throws -> [Float] {
        let ids = sequence.ids
        guard !ids.isEmpty else { throw PassError.empty(sequence: index) }
        if let type = sequence.types.first(where: { $0 != 0 }) {
            throw PassError.tokenType(found: type, count: 0)
        }
        guard let end = ids.lastIndex(where: { $0 == configuration.endToken }),
            let start = configuration.startToken
        else { throw PassError.noEnd(sequence: index, token: configuration.endToken ?? -1) }
        let cache = try await makeCache(source: ids)
        let rows = ([start] + ids[..<end]).enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: $0 == end)
        }
        return Array(try await output(.labels, for: Batch(rows: rows, caches: [cache])).row(0))
    }

    /// One vector for each sequence.
    /// - Parameter pooling: how it is made of the states; nil: as the model's files say (``sentencePooling``).
    /// - Throws: ``ConfigurationError`` if the files say something that is not understood; ``PassError``, also
    ///   for an empty sequence; `CancellationError`.
    public func embed(_ sequences: [TokenSequence], pooling: SentencePooling? = nil) async throws -> [[Float]]
    {
        let pooling = try pooling ?? sentencePooling
        var counts = sequences.map(\.ids.count)[...]
        var vectors: [[Float]] = []
        try await run(sequences, for: .states) { _, _ in
            true
        } use: { states in
            var first = 0
            while first < states.rowCount, let count = counts.popFirst() {
                vectors.append(pooling.vector(of: states.rows(first..<first + count)))
                first += count
            }
        }
        return vectors
    }

    /// The sequence up to its last token that is not padding; all of it, if there is no other.
    private func withoutPadding(_ sequence: TokenSequence) -> TokenSequence {
        guard let padding = configuration.paddingToken else { return sequence }
        let count = (sequence.ids.lastIndex { $0 != padding } ?? 0) + 1
        return TokenSequence(Array(sequence.ids.prefix(count)), types: Array(sequence.types.prefix(count)))
    }

    /// Rows of one pass: more would take memory and no longer make it faster.
    private static let rowsPerPass = 2048

    /// Runs whole sequences, several in a pass, and hands on what they give in their order.
    private func run(
        _ sequences: [TokenSequence], for output: ModelOutput,
        wants: (TokenSequence, Int) -> Bool, use: (RowValues) -> Void
    ) async throws {
        var next = 0
        while next < sequences.count {
            var batch = Batch<KeyValueCache>(rows: [], caches: [])
            repeat {
                let sequence = sequences[next]
                guard !sequence.ids.isEmpty else { throw PassError.empty(sequence: next) }
                guard sequence.types.isEmpty || sequence.types.count == sequence.ids.count else {
                    throw PassError.types(found: sequence.types.count, expected: sequence.ids.count)
                }
                for (position, id) in sequence.ids.enumerated() {
                    batch.rows.append(
                        .init(
                            token: id, sequence: batch.caches.count, position: position,
                            wantsLogits: wants(sequence, position),
                            tokenType: sequence.types.isEmpty ? 0 : sequence.types[position]))
                }
                batch.caches.append(try makeCache())
                next += 1
            } while next < sequences.count && batch.rows.count + sequences[next].ids.count <= Self.rowsPerPass
            use(try await self.output(output, for: batch))
        }
    }
}
