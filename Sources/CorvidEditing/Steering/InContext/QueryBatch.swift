import CorvidModels
import CorvidTensors

/// Prompts whose last arrow runs again and again under different injections. What stands before the arrows has run
/// once, so that an injection costs a row or two for each prompt.
public struct QueryBatch: Sendable {
    let model: Model
    let prompts: [InContextPrompt]
    /// Prompts that run side by side, with the caches of what stands before their arrows.
    private let parts: [(range: Range<Int>, caches: [KeyValueCache])]

    /// Runs the prompts up to their last arrows.
    /// - Parameter changes: what is changed in the demonstrations, at positions from the beginning.
    /// - Throws: what a pass throws.
    public init(_ model: Model, _ prompts: [InContextPrompt], changes: [SiteChange] = []) async throws {
        self.model = model
        self.prompts = prompts
        let longest = prompts.map(\.tokens.count).max() ?? 0
        let capacity = PromptBatch.capacity(model, tokens: longest)
        var parts: [(Range<Int>, [KeyValueCache])] = []
        for start in stride(from: 0, to: prompts.count, by: capacity) {
            let range = start..<min(prompts.count, start + capacity)
            var batch = PromptBatch(model, prompts[range].map(\.tokens), changes: changes)
            _ = try await batch.run(upTo: prompts[range].map { $0.tokens.count - $0.last.count })
            parts.append((range, batch.caches))
        }
        self.parts = parts
    }

    /// The next token's logits of each prompt, under an injection or none.
    ///
    /// - Parameter each: is called once for each prompt, in order, with its logits, `[vocabulary]`.
    /// - Throws: ``InContextError``, or what a pass throws.
    public func logits(
        _ injection: StateInjection? = nil, each: (_ prompt: Int, ArraySlice<Float>) throws -> Void
    ) async throws {
        try injection?.check(model.configuration)
        for part in parts {
            let counts = Set(part.range.map { prompts[$0].last.count })
            var plan = SitePlan()
            if let injection, let count = counts.first, counts.count == 1 {
                plan.changes = injection.changes(arrowTokens: count)
            } else if let injection {
                for (sequence, index) in part.range.enumerated() {
                    plan.changes += injection.changes(arrowTokens: prompts[index].last.count).map {
                        var change = $0
                        change.sequence = sequence
                        return change
                    }
                }
            }
            try await run(plan, part, each)
        }
    }

    /// The next token's logits of each prompt, with a vector's layers 0 to `layer` put in.
    ///
    /// Where a token's embedding does not depend on its position, nothing of the prompt reaches the residual at the
    /// arrow in the layers that are replaced: it is the same for all prompts, and only the layers above run
    /// (`residuals`, from ``ArrowResiduals``).
    public func logits(
        _ vector: StateVector, through layer: Int, _ residuals: ArrowResiduals?,
        each: (_ prompt: Int, ArraySlice<Float>) throws -> Void
    ) async throws {
        guard let residuals else {
            return try await logits(.state(vector.through(layer)), each: each)
        }
        for part in parts {
            let arrows = part.range.map { Array(prompts[$0].tokens[prompts[$0].last]) }
            let rows = arrows.map { residuals.residual(of: $0, after: layer) }
            guard rows.allSatisfy({ $0 != nil }) else {
                return try await logits(.state(vector.through(layer)), each: each)
            }
            let start = ResumePoint(layer: layer + 1, residual: rows.flatMap { $0 ?? [] })
            try await run(SitePlan(start: start), part, each)
        }
    }

    private func run(
        _ plan: SitePlan, _ part: (range: Range<Int>, caches: [KeyValueCache]),
        _ each: (Int, ArraySlice<Float>) throws -> Void
    ) async throws {
        try Task.checkCancellation()
        var rows: [Batch<KeyValueCache>.Row] = []
        for (sequence, index) in part.range.enumerated() {
            let prompt = prompts[index]
            for position in prompt.last {
                rows.append(
                    .init(
                        token: prompt.tokens[position], sequence: sequence, position: position,
                        wantsLogits: position == prompt.tokens.count - 1))
            }
        }
        defer {
            for (cache, index) in zip(part.caches, part.range) {
                cache.truncate(to: prompts[index].tokens.count - prompts[index].last.count)
            }
        }
        let output = try await model.run(plan, Batch(rows: rows, caches: part.caches)).output
        for (row, index) in part.range.enumerated() { try each(index, output.row(row)) }
    }
}

/// The residuals at an arrow under a vector, where they do not depend on the prompt before it.
///
/// The residual after block L is the arrow's embedding, the outputs of attention in blocks 0 to L, which are put in,
/// and those of the MLPs, which read nothing else: the vanilla state vector is the task vector of its layer.
public struct ArrowResiduals: Sendable {
    private let layers: Int
    /// By the arrow's tokens; for each layer `[tokens, width]`.
    private let residuals: [[Int32]: [[Float]]]

    /// nil for a model whose embeddings depend on positions, or a vector with fewer tokens than an arrow.
    public init?(_ vector: StateVector, prompts: [InContextPrompt], _ model: Model) async throws {
        switch model.configuration.family.positions {
        case .learned, .learnedAfterPadding: return nil
        case .rotary, .slopes, .none: break
        }
        try vector.check(model.configuration)
        let arrows = Set(prompts.map { Array($0.tokens[$0.last]) })
        guard arrows.allSatisfy({ $0.count == vector.tokens }), model.configuration.senses == 0 else {
            return nil
        }
        layers = vector.layers.count
        let sites = (0..<layers).map { Site.output(of: $0) }
        let changes = StateInjection.state(vector).changes(arrowTokens: vector.tokens)
        var residuals: [[Int32]: [[Float]]] = [:]
        for arrow in arrows {
            let rows = arrow.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: false)
            }
            let plan = SitePlan(
                changes: changes, readings: sites.map { SiteReading($0) }, endsAfterReadings: true)
            let run = try await model.run(plan, Batch(rows: rows, caches: [try model.makeCache()]))
            residuals[arrow] = run.readings.map(\.values)
        }
        self.residuals = residuals
    }

    func residual(of arrow: [Int32], after layer: Int) -> [Float]? {
        guard (0..<layers).contains(layer) else { return nil }
        return residuals[arrow]?[layer]
    }
}
