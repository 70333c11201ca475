import CorvidModels
import CorvidTensors
import Foundation

/// The sum of what a few heads put into the residual at the end of prompts with demonstrations (Todd et al., 2024).
public struct FunctionVector: Sendable, Equatable {
    /// A head, and what it does for the right answer.
    public struct Head: Sendable, Equatable {
        public var layer, head: Int
        /// Mean over prompts of p(answer | head put in) - p(answer), of prompts with shuffled answers.
        public var effect: Double

        public init(layer: Int, head: Int, effect: Double) {
            self.layer = layer
            self.head = head
            self.effect = effect
        }
    }

    /// `[width]`
    public let values: [Float]
    /// Those that were summed, the strongest first.
    public let heads: [Head]

    /// What is added after a block.
    public func injection(after layer: Int) -> StateInjection { .addition(values, after: layer) }
}

/// A prompt whose answer is known.
public struct AnsweredPrompt: Sendable, Equatable {
    public var prompt: InContextPrompt
    /// The first token of the answer.
    public var answer: Int32

    public init(_ prompt: InContextPrompt, answer: Int32) {
        self.prompt = prompt
        self.answer = answer
    }
}

extension Model {
    /// The function vector of the heads with the greatest effects.
    /// - Parameters:
    ///   - means: what the heads give at the last token, for each layer `[heads · headWidth]`: the mean over prompts
    ///     with demonstrations.
    ///   - effects: by layer and head, see ``indirectEffects(of:on:progress:)``.
    ///   - count: how many heads (10 in the paper). They are summed, as all code does, though the text says averaged.
    public func functionVector(
        means: [[Float]], effects: [[Double]], heads count: Int = 10
    ) async throws -> FunctionVector {
        let all = effects.enumerated().flatMap { layer, row in
            row.enumerated().map { FunctionVector.Head(layer: layer, head: $0, effect: $1) }
        }
        // Equal effects in the order of layers and heads.
        let chosen = all.enumerated().sorted {
            ($0.element.effect, -$0.offset) > ($1.element.effect, -$1.offset)
        }.prefix(count).map(\.element)
        return FunctionVector(
            values: try await projection(of: chosen.map { ($0.layer, $0.head) }, means: means), heads: chosen)
    }

    /// What heads put into the residual: Σ W_O[:, head] mean, without the bias, `[width]`.
    public func projection(
        of heads: [(layer: Int, head: Int)], means: [[Float]]
    ) async throws -> [Float] {
        var sums = [Double](repeating: 0, count: configuration.width)
        let headWidth = configuration.headWidth
        for (layer, group) in Dictionary(grouping: heads, by: \.layer).sorted(by: { $0.key < $1.key }) {
            guard means.indices.contains(layer), means[layer].count == configuration.heads * headWidth,
                let head = group.map(\.head).max(), head < configuration.heads
            else { throw InContextError.layer(layer, layers: means.count) }
            var values = [Float](repeating: 0, count: means[layer].count)
            for (_, head) in group {
                for column in head * headWidth..<(head + 1) * headWidth {
                    values[column] = means[layer][column]
                }
            }
            for (index, value) in try await attentionOutput(of: values, layer: layer).enumerated() {
                sums[index] += Double(value)
            }
        }
        return sums.map { Float($0) }
    }

    /// W_O x of a layer, without the bias: what a pass through it gives for x, less what it gives for nothing.
    private func attentionOutput(of values: [Float], layer: Int) async throws -> [Float] {
        let site = Site(.heads, layer: layer)
        let nothing = [Float](repeating: 0, count: values.count)
        let plan = SitePlan(
            changes: [values, nothing].enumerated().map {
                SiteChange(.replace(SiteTensor($1)), at: site, sequence: $0)
            },
            readings: [SiteReading(Site(.attentionOutput, layer: layer))],
            start: ResumePoint(
                layer: layer, residual: [Float](repeating: 0, count: 2 * configuration.width)),
            endsAfterReadings: true)
        let rows = (0..<2).map {
            Batch<KeyValueCache>.Row(token: 0, sequence: $0, position: 0, wantsLogits: false)
        }
        let caches = [try makeCache(), try makeCache()]
        let output = try await run(plan, Batch(rows: rows, caches: caches)).readings[0]
        return zip(output[0], output[1]).map { $0 - $1 }
    }

    /// The average indirect effect of each head: by how much the answer gets likelier when the head gives, at the
    /// last token, its mean over good prompts.
    ///
    /// Only the last token runs again, for all heads of a layer at once, from that layer on.
    /// - Parameter prompts: with shuffled answers in their demonstrations (10 to 25 of them in the literature).
    /// - Returns: by layer and head.
    public func indirectEffects(
        of means: [[Float]], on prompts: [AnsweredPrompt],
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [[Double]] {
        let (layers, heads) = (configuration.layers, configuration.heads)
        var effects = [[Double]](repeating: [Double](repeating: 0, count: heads), count: layers)
        guard !prompts.isEmpty else { throw InContextError.noTest }
        guard means.count == layers, means.allSatisfy({ $0.count == heads * configuration.headWidth }) else {
            throw InContextError.differentShapes
        }
        let longest = prompts.map(\.prompt.tokens.count).max() ?? 0
        let capacity = max(1, PromptBatch.capacity(self, tokens: longest) / heads)
        for start in stride(from: 0, to: prompts.count, by: capacity) {
            let part = Array(prompts[start..<min(prompts.count, start + capacity)])
            let found = try await effectsOfPart(means, part) { layer in
                progress(start * layers + layer * part.count, prompts.count * layers)
            }
            for layer in 0..<layers {
                for head in 0..<heads { effects[layer][head] += found[layer][head] / Double(prompts.count) }
            }
        }
        return effects
    }

    /// Sums over prompts, by layer and head.
    private func effectsOfPart(
        _ means: [[Float]], _ prompts: [AnsweredPrompt], progress: (Int) -> Void
    ) async throws -> [[Double]] {
        let (layers, heads, headWidth) = (configuration.layers, configuration.heads, configuration.headWidth)
        let tokens = prompts.map(\.prompt.tokens)
        var before = PromptBatch(self, tokens)
        _ = try await before.run(upTo: tokens.map { $0.count - 1 })
        let inputs = (0..<layers).map { SiteReading(.input(of: $0)) }
        let clean = try await run(
            SitePlan(readings: inputs), lastTokens(of: tokens, before.caches, copies: 1))
        let likely = try zip(prompts.indices, prompts).map {
            try Self.probability(of: $1.answer, in: clean.output.row($0))
        }
        for (cache, prompt) in zip(before.caches, tokens) { cache.truncate(to: prompt.count - 1) }
        let batch = try lastTokens(of: tokens, before.caches, copies: heads)
        var effects = [[Double]](repeating: [Double](repeating: 0, count: heads), count: layers)
        for layer in 0..<layers {
            try Task.checkCancellation()
            progress(layer)
            let residual = prompts.indices.flatMap { prompt in
                (0..<heads).flatMap { _ in clean.readings[layer][prompt] }
            }
            let changes = prompts.indices.flatMap { prompt in
                (0..<heads).map { head in
                    let values = Array(means[layer][head * headWidth..<(head + 1) * headWidth])
                    return SiteChange(
                        .replace(SiteTensor(values)), at: Site(.heads, layer: layer),
                        sequence: prompt * heads + head, part: .heads([head]))
                }
            }
            // Nothing is stored below block `layer`, so that the caches serve for all layers.
            let output = try await run(
                SitePlan(changes: changes, start: ResumePoint(layer: layer, residual: residual)), batch
            ).output
            for (prompt, answered) in prompts.enumerated() {
                for head in 0..<heads {
                    let patched = try Self.probability(
                        of: answered.answer, in: output.row(prompt * heads + head))
                    effects[layer][head] += patched - likely[prompt]
                }
            }
        }
        return effects
    }

    /// The last token of each prompt, several times, each on its own copy of the cache.
    private func lastTokens(
        of prompts: [[Int32]], _ caches: [KeyValueCache], copies: Int
    ) throws -> Batch<KeyValueCache> {
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        for (prompt, cache) in zip(prompts, caches) {
            for _ in 0..<copies {
                guard let token = prompt.last else { continue }
                batch.rows.append(
                    .init(
                        token: token, sequence: batch.caches.count, position: prompt.count - 1,
                        wantsLogits: true))
                batch.caches.append(copies == 1 ? cache : try cache.fork())
            }
        }
        return batch
    }

    /// Probability of a token; 0 for one that the model does not have.
    private static func probability(of token: Int32, in logits: ArraySlice<Float>) throws -> Double {
        guard token >= 0, Int(token) < logits.count else { return 0 }
        let sum = Elementwise.logSumExp(logits)
        guard sum.isFinite else { throw GenerationError.notFinite(position: 0) }
        return exp(Double(logits[logits.startIndex + Int(token)]) - sum)
    }
}
