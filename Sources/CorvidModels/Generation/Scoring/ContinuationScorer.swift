import CorvidTensors

/// Probabilities of given continuations after many prompts that begin alike, such as the label words of a task
/// after its examples.
///
///     let scorer = try await ContinuationScorer(model, context: shared)
///     let tree = try ContinuationTree(labels)
///     let scores = try await scorer.logProbabilities(of: tree, after: prompts)
///
/// The common beginning is run once. Each prompt continues from a copy of its keys and values, so it costs its
/// own tokens only; one pass gives the probabilities of all continuations of one token, and longer ones share
/// what they begin with. A result depends on its prompt alone: not on the context that was shared, nor on the
/// other prompts.
public struct ContinuationScorer<SomeModel: LanguageModel>: Sendable {
    public let model: SomeModel
    /// What has been run already, `[tokens]`.
    public let context: [Int32]
    public let settings: ContinuationScorerSettings
    private let base: SomeModel.Cache
    /// Tokens at a prompt's end that are never shared: the last one, whose logits are needed, and those which the
    /// model changes because the prompt ends behind them.
    private let ownTokens: Int

    /// Runs the common beginning.
    ///
    /// - Parameters:
    ///   - context: token ids with which most prompts begin; may be empty.
    ///   - progress: is called with (tokens done, tokens in all) after each pass.
    /// - Throws: ``GenerationError``, ``ContinuationError``, `CancellationError`, or what the model throws.
    public init(
        _ model: SomeModel, context: [Int32],
        settings: ContinuationScorerSettings = ContinuationScorerSettings(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        guard model.continuesText else { throw GenerationError.continuesNoText }
        try settings.validate()
        try Self.check(context, vocabularySize: model.vocabularySize)
        if context.count > model.contextLength {
            throw ContinuationError.tooLong(
                prompt: 0, tokens: context.count, contextLength: model.contextLength)
        }
        self.model = model
        self.context = context
        self.settings = settings
        ownTokens = model.changes.reduce(1) { most, change in
            change.positions.origin == .promptEnd ? max(most, -max(change.positions.first ?? 0, -.max)) : most
        }
        base = try model.makeCache()
        while base.count < context.count {
            try Task.checkCancellation()
            let places = base.count..<min(context.count, base.count + settings.rows)
            let rows = places.map {
                Batch<SomeModel.Cache>.Row(token: context[$0], sequence: 0, position: $0, wantsLogits: false)
            }
            // Where the prompts end is not known yet: behind the context.
            _ = try await model.logits(
                for: Batch(rows: rows, caches: [base], promptCounts: [model.contextLength]))
            progress(base.count, context.count)
        }
    }

    /// log P(continuation | prompt), the sum over its tokens, in nats, `[prompts][continuations]`.
    ///
    /// - Parameters:
    ///   - tree: the continuations.
    ///   - prompts: token ids of whole prompts; each begins with ``context`` as far as it can.
    ///   - progress: is called with (prompts done, prompts in all).
    /// - Throws: ``GenerationError``, ``ContinuationError``, `CancellationError`, or what the model throws.
    public func logProbabilities(
        of tree: ContinuationTree, after prompts: [[Int32]],
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [[Double]] {
        for tokens in tree.continuations { try Self.check(tokens, vocabularySize: model.vocabularySize) }
        for (index, prompt) in prompts.enumerated() {
            if prompt.isEmpty { throw ContinuationError.emptyPrompt(index: index) }
            try Self.check(prompt, vocabularySize: model.vocabularySize)
            let needed = prompt.count + tree.depth
            if needed > model.contextLength {
                throw ContinuationError.tooLong(
                    prompt: index, tokens: needed, contextLength: model.contextLength)
            }
        }
        var results: [[Double]] = []
        results.reserveCapacity(prompts.count)
        var slots: [Slot] = []
        for start in stride(from: 0, to: prompts.count, by: settings.sequences) {
            let group = prompts[start..<min(prompts.count, start + settings.sequences)]
            results += try await score(Array(group), tree, &slots)
            progress(results.count, prompts.count)
        }
        return results
    }

    /// Tokens with which all prompts begin, but for the last token of each, which is always run.
    public static func commonBeginning(of prompts: [[Int32]]) -> [Int32] {
        guard var common = prompts.first?.dropLast() else { return [] }
        for prompt in prompts.dropFirst() {
            common = common.prefix(Self.common(Array(common), Array(prompt.dropLast())))
        }
        return Array(common)
    }

    // MARK: One group of prompts

    /// A copy of the common beginning that prompts use one after another.
    private struct Slot {
        var cache: SomeModel.Cache
        /// How much of ``context`` the cache holds.
        var held: Int
    }

    /// A row to be run, and the node whose children its logits score.
    private struct Planned {
        let slot: Int
        let token: Int32
        let position: Int
        let node: Int?
    }

    private func score(
        _ prompts: [[Int32]], _ tree: ContinuationTree, _ slots: inout [Slot]
    ) async throws -> [[Double]] {
        var rows: [Planned] = []
        for (index, prompt) in prompts.enumerated() {
            let shared = max(0, min(Self.common(context, prompt), prompt.count - ownTokens))
            try prepare(&slots, index, shared: shared)
            rows += (shared..<prompt.count).map {
                Planned(
                    slot: index, token: prompt[$0], position: $0, node: $0 == prompt.count - 1 ? 0 : nil)
            }
        }
        var scores = [[Double]](
            repeating: [Double](repeating: 0, count: tree.nodes.count), count: prompts.count)
        try await run(rows, prompts, slots, tree, &scores)
        for branch in tree.branches {
            rows = []
            for (index, prompt) in prompts.enumerated() {
                let start = prompt.count + branch.depth
                slots[index].cache.truncate(to: start)
                rows += branch.nodes.enumerated().map {
                    Planned(
                        slot: index, token: tree.nodes[$1].token, position: start + $0, node: $1)
                }
            }
            try await run(rows, prompts, slots, tree, &scores)
        }
        return scores.map { values in
            var result = [Double](repeating: 0, count: tree.continuations.count)
            for (node, value) in zip(tree.nodes, values) {
                if let continuation = node.continuation { result[continuation] = value }
            }
            return result
        }
    }

    /// Makes the cache of a slot hold the first `shared` tokens of the context and nothing else.
    private func prepare(_ slots: inout [Slot], _ index: Int, shared: Int) throws {
        if index == slots.count {
            slots.append(Slot(cache: try base.fork(), held: context.count))
        } else if slots[index].held < shared {
            slots[index] = Slot(cache: try base.fork(), held: context.count)
        }
        slots[index].cache.truncate(to: shared)
        slots[index].held = shared
    }

    /// Runs rows in as many passes as it takes, and adds up what their logits say.
    private func run(
        _ rows: [Planned], _ prompts: [[Int32]], _ slots: [Slot], _ tree: ContinuationTree,
        _ scores: inout [[Double]]
    ) async throws {
        var next = 0
        while next < rows.count {
            try Task.checkCancellation()
            var batch = Batch<SomeModel.Cache>(rows: [], caches: [])
            var scored: [Planned] = []
            var slot: Int?
            while next < rows.count, batch.rows.count < settings.rows, scored.count < settings.scoredRows {
                let row = rows[next]
                if row.slot != slot {
                    batch.caches.append(slots[row.slot].cache)
                    batch.promptCounts.append(prompts[row.slot].count)
                    slot = row.slot
                }
                batch.rows.append(
                    .init(
                        token: row.token, sequence: batch.caches.count - 1, position: row.position,
                        wantsLogits: row.node != nil))
                if row.node != nil { scored.append(row) }
                next += 1
            }
            let logits = try await model.logits(for: batch)
            guard logits.rowCount == scored.count,
                scored.isEmpty || logits.columns == model.vocabularySize
            else {
                throw GenerationError.logitsShape(
                    found: [logits.rowCount, logits.columns], expected: [scored.count, model.vocabularySize])
            }
            for (index, row) in scored.enumerated() {
                let values = logits.row(index)
                let node = row.node ?? 0
                // Only the children's logits and the sum are kept of a row.
                let sum = Elementwise.logSumExp(values)
                guard sum.isFinite else { throw GenerationError.notFinite(position: row.position) }
                for child in tree.nodes[node].children {
                    let logit = Double(values[values.startIndex + Int(tree.nodes[child].token)])
                    scores[row.slot][child] = scores[row.slot][node] + logit - sum
                }
            }
        }
    }

    // MARK: Tokens

    /// How many tokens two sequences have in common at their beginning.
    private static func common(_ first: [Int32], _ second: [Int32]) -> Int {
        var count = 0
        let most = min(first.count, second.count)
        while count < most, first[count] == second[count] { count += 1 }
        return count
    }

    private static func check(_ tokens: [Int32], vocabularySize: Int) throws {
        if let index = tokens.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw GenerationError.promptToken(
                id: tokens[index], index: index, vocabularySize: vocabularySize)
        }
    }
}

/// How many prompts are scored at a time. None of it changes a result.
public struct ContinuationScorerSettings: Sendable, Equatable {
    /// Most prompts under way, each with a cache of its own; 1 or more.
    public var sequences = 64
    /// Most rows of a pass; 1 or more.
    public var rows = 512
    /// Most rows of a pass whose logits are needed; 1 or more. 64 rows of 49,152 columns are 13 MB.
    public var scoredRows = 64

    public init() {}

    /// Settings with which the caches of all prompts under way take about `bytes`.
    /// - Parameters:
    ///   - cacheBytesPerPosition: of one position of one sequence, as ``Model/cacheBytesPerPosition`` says.
    ///   - positions: that a prompt has beyond the pages which it shares with others.
    public init(bytes: Int, cacheBytesPerPosition: Int, positions: Int = 512) {
        let (need, overflow) = max(1, cacheBytesPerPosition).multipliedReportingOverflow(
            by: max(1, positions))
        sequences = overflow ? 1 : min(sequences, max(1, bytes / need))
    }

    /// - Throws: ``GenerationError/outOfRange(field:found:allowed:)``.
    func validate() throws {
        for (field, value) in [("sequences", sequences), ("rows", rows), ("scored-rows", scoredRows)]
        where value < 1 {
            throw GenerationError.outOfRange(field: field, found: "\(value)", allowed: "1 or more")
        }
    }
}
