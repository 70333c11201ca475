import CorvidText

/// A prompt whose arrows are known: `{input}→{output}`, blank line, ..., `{query}→`.
public struct InContextPrompt: Sendable, Equatable {
    public var tokens: [Int32]
    /// Where the tokens of each arrow stand: of the demonstrations in their order, then the query's, which ends the
    /// prompt. Known from building the prompt, so that arrows within inputs and outputs do not count.
    public var arrows: [Range<Int>]

    public init(tokens: [Int32], arrows: [Range<Int>]) {
        self.tokens = tokens
        self.arrows = arrows
    }

    /// How many demonstrations stand before the query.
    public var demonstrations: Int { max(0, arrows.count - 1) }
    /// The query's arrow.
    var last: Range<Int> { arrows.last ?? tokens.count..<tokens.count }
}

/// How demonstrations and queries are written.
public struct InContextTemplate: Sendable, Equatable {
    public var beforeInput: String
    /// Between input and output; what the state of a demonstration is read at.
    public var arrow: String
    /// Behind a demonstration.
    public var separator: String

    /// The default is that of Li et al. (2024).
    public init(beforeInput: String = "", arrow: String = "→", separator: String = "\n\n") {
        self.beforeInput = beforeInput
        self.arrow = arrow
        self.separator = separator
    }
}

/// Builds prompts for one model.
public struct InContextPromptBuilder: Sendable {
    /// How a text becomes tokens.
    public enum Tokenisation: String, Sendable, CaseIterable {
        /// The whole text at once; arrows are located by their place in it.
        case whole
        /// Piece by piece as the authors' code does it: growing texts are encoded and cut by length, by which a
        /// byte-level vocabulary gets a line break more between demonstrations.
        case pieces
    }

    /// The token before the text, into which attention that has nothing to look at goes.
    public enum Sink: Sendable, Equatable {
        /// The token that separates documents, or else the one that begins or ends a text.
        case automatic
        case none
        case token(String)
    }

    public let tokenizer: any Tokenizer
    public let template: InContextTemplate
    public let tokenisation: Tokenisation
    /// nil if nothing stands before the text.
    public let sink: Int32?
    /// Most tokens of a prompt.
    public let contextLength: Int

    /// - Throws: ``InContextError/sink(_:)``, ``InContextError/emptyTemplate``.
    public init(
        _ tokenizer: any Tokenizer, template: InContextTemplate = InContextTemplate(),
        tokenisation: Tokenisation = .whole, sink: Sink = .automatic, contextLength: Int
    ) throws {
        guard !template.arrow.isEmpty else { throw InContextError.emptyTemplate }
        self.tokenizer = tokenizer
        self.template = template
        self.tokenisation = tokenisation
        self.contextLength = contextLength
        switch sink {
        case .none: self.sink = nil
        case .token(let text):
            guard let id = tokenizer.id(of: text) else { throw InContextError.sink(text) }
            self.sink = id
        case .automatic:
            // A model tuned to converse often names the token that begins a turn as the one that begins a text.
            let separator = tokenizer.id(of: "<|endoftext|>").flatMap { tokenizer.isSpecial($0) ? $0 : nil }
            self.sink = separator ?? tokenizer.beginningOfSequence ?? tokenizer.endOfSequence
        }
    }

    public var warnings: [InContextWarning] { sink == nil ? [.noSink] : [] }

    /// The prompt with as many of the demonstrations as fit in the context; those at the end are left out first.
    /// - Throws: ``InContextError/context(tokens:contextLength:)``, ``InContextError/arrowsLost``.
    public func prompt(_ demonstrations: [InContextPair], query: String) throws -> InContextPrompt {
        var kept = demonstrations
        while true {
            let prompt = try build(kept, query: query)
            if prompt.tokens.count <= contextLength { return prompt }
            guard !kept.isEmpty else {
                throw InContextError.context(tokens: prompt.tokens.count, contextLength: contextLength)
            }
            kept.removeLast()
        }
    }

    /// Prompts that differ in their queries, all with as many demonstrations as fit before the longest.
    public func prompts(_ demonstrations: [InContextPair], queries: [String]) throws -> [InContextPrompt] {
        let prompts = try queries.map { try prompt(demonstrations, query: $0) }
        let fewest = prompts.map(\.demonstrations).min() ?? 0
        return try zip(queries, prompts).map { query, prompt in
            prompt.demonstrations == fewest
                ? prompt : try self.prompt(Array(demonstrations.prefix(fewest)), query: query)
        }
    }

    /// The first token of an answer: the first one that the query with its answer has beyond the query.
    /// - Throws: ``InContextError/emptyAnswer(query:)``.
    public func answerToken(query: String, answer: String) throws -> Int32 {
        let asked = template.beforeInput + query + template.arrow
        let (before, after) = (encode(asked), encode(asked + answer))
        let first = zip(before, after).prefix { $0 == $1 }.count
        guard first < after.count else { throw InContextError.emptyAnswer(query: query) }
        return after[first]
    }

    private func encode(_ text: String) -> [Int32] {
        tokenizer.encode(text, addSpecialTokens: false, parseSpecial: false)
    }

    /// Pieces of a prompt, and whether they are arrows.
    private func pieces(_ demonstrations: [InContextPair], query: String) -> [(text: String, isArrow: Bool)] {
        let shown = demonstrations.flatMap { pair in
            [
                (template.beforeInput + pair.input, false), (template.arrow, true), (pair.output, false),
                (template.separator, false),
            ]
        }
        return shown + [(template.beforeInput + query, false), (template.arrow, true)]
    }

    private func build(_ demonstrations: [InContextPair], query: String) throws -> InContextPrompt {
        let pieces = pieces(demonstrations, query: query)
        var prompt = tokenisation == .whole ? try whole(pieces) : try grown(pieces)
        guard let sink else { return prompt }
        prompt.tokens.insert(sink, at: 0)
        prompt.arrows = prompt.arrows.map { $0.lowerBound + 1..<$0.upperBound + 1 }
        return prompt
    }

    private func whole(_ pieces: [(text: String, isArrow: Bool)]) throws -> InContextPrompt {
        var text: [UInt8] = []
        var arrows: [Range<Int>] = []
        for piece in pieces {
            let start = text.count
            text += piece.text.utf8
            if piece.isArrow { arrows.append(start..<text.count) }
        }
        let ids = tokenizer.encode(bytes: text, addSpecialTokens: false, parseSpecial: false)
        var ends: [Int] = []
        var decoded: [UInt8] = []
        var place = DecodingPlace.start
        for id in ids {
            tokenizer.appendBytes(of: id, after: &place, to: &decoded)
            ends.append(decoded.count)
        }
        guard decoded == text else { throw InContextError.arrowsLost }
        var next = 0
        let places = try arrows.map { arrow -> Range<Int> in
            while next < ends.count, ends[next] <= arrow.lowerBound { next += 1 }
            let first = next
            while next < ends.count, ends[next] < arrow.upperBound { next += 1 }
            guard next < ends.count else { throw InContextError.arrowsLost }
            return first..<next + 1
        }
        return InContextPrompt(tokens: ids, arrows: places)
    }

    /// As the authors' code does it.
    private func grown(_ pieces: [(text: String, isArrow: Bool)]) throws -> InContextPrompt {
        var prompt = InContextPrompt(tokens: [], arrows: [])
        var text = ""
        for piece in pieces {
            text += piece.text
            let start = prompt.tokens.count
            prompt.tokens += encode(text).dropFirst(start)
            guard piece.isArrow else { continue }
            guard prompt.tokens.count > start else { throw InContextError.arrowsLost }
            prompt.arrows.append(start..<prompt.tokens.count)
        }
        return prompt
    }
}
