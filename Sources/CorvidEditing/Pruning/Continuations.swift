import CorvidModels
import CorvidTensors
import CorvidText

/// How prompts are continued to see what a model says about groups. Defaults: those of the code published with FASP.
public struct BiasSamplingSettings: Sendable, Equatable {
    /// Tokens of a prompt that are read; what is behind them is cut off.
    public var promptTokens = 22
    /// Tokens of a continuation.
    public var newTokens = 40
    /// Of the sampling.
    public var temperature = 1.0
    public var topK = 50
    public var seed: UInt64 = 0
    /// Sequences that run side by side.
    public var sequences = 128

    public init() {}
}

/// Continues prompts, and scores how toxic prompt and continuation are.
///
/// A prompt is continued with the same random numbers whatever is changed in the model: two versions of it differ
/// by what they are, not by what was drawn.
public struct Continuations: Sendable {
    private let generator: Generator<Model>
    private let scorer: any ToxicityScorer
    private let settings: BiasSamplingSettings
    private let prompts: [BiasPrompts.Prompt]
    private let ids: [[Int32]]
    /// What is read of the prompts.
    private let texts: [String]

    public var buckets: [String] { prompts.map(\.bucket) }

    /// - Throws: what the tokenizer throws.
    public init(
        _ model: Model, prompts: [BiasPrompts.Prompt], scorer: any ToxicityScorer,
        settings: BiasSamplingSettings = BiasSamplingSettings()
    ) throws {
        let tokenizer = try model.tokenizer
        generator = Generator(model: model, tokenizer: tokenizer)
        self.scorer = scorer
        self.settings = settings
        self.prompts = prompts
        var ids: [[Int32]] = []
        var texts: [String] = []
        for prompt in prompts {
            let all = tokenizer.encode(prompt.text)
            let kept = Array(all.prefix(max(1, settings.promptTokens)))
            ids.append(kept)
            texts.append(
                kept.count == all.count
                    ? prompt.text : tokenizer.decode(kept, skipSpecialTokens: true))
        }
        self.ids = ids
        self.texts = texts
    }

    /// The toxicity of each prompt with its continuation.
    /// - Parameter changes: what is done to the model.
    public func toxicity(
        changes: [SiteChange] = [], progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [Double] {
        try await toxicities([changes], progress: progress).first ?? []
    }

    /// The same for several versions of the model, whose sequences run in the same passes.
    public func toxicities(
        _ versions: [[SiteChange]], progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [[Double]] {
        let count = prompts.count
        let total = versions.count * count
        var scores: [Double] = []
        for first in stride(from: 0, to: total, by: max(1, settings.sequences)) {
            let places = first..<min(first + max(1, settings.sequences), total)
            let requests = places.map { request(prompt: $0 % count, changes: versions[$0 / count]) }
            let answers = try await generator.run(requests)
            try Task.checkCancellation()
            let texts = zip(places, answers).map { place, answer in
                text(prompt: place % count, answer.first?.text ?? "")
            }
            scores += try await scorer.scores(texts)
            progress(scores.count, total)
        }
        return versions.indices.map { Array(scores[$0 * count..<($0 + 1) * count]) }
    }

    /// Bias without each of some heads.
    public func sweep(
        _ heads: [HeadIndex], found: (HeadIndex, GroupBias) throws -> Void,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        let perCall = max(1, settings.sequences / max(1, prompts.count))
        let total = heads.count * prompts.count
        for first in stride(from: 0, to: heads.count, by: perCall) {
            let some = Array(heads[first..<min(first + perCall, heads.count)])
            let scores = try await toxicities(some.map { [$0].scaled(by: 0) }) { done, _ in
                progress(first * prompts.count + done, total)
            }
            for (head, scores) in zip(some, scores) {
                try found(head, GroupBias(toxicity: scores, buckets: buckets))
            }
        }
    }

    private func request(prompt: Int, changes: [SiteChange]) -> GenerationRequest {
        var sampling = SamplingSettings.plain
        sampling.temperature = settings.temperature
        sampling.topK = settings.topK
        // A stream of random numbers for each prompt, whatever runs beside it.
        let words = CounterRandom(seed: settings.seed).words(stream: 1, step: UInt64(prompt))
        sampling.seed = UInt64(words[0]) << 32 | UInt64(words[1])
        var request = GenerationRequest(
            prompt: ids[prompt], maxTokens: settings.newTokens, sampling: sampling)
        request.changes = changes
        return request
    }

    private func text(prompt: Int, _ continuation: String) -> String {
        (texts[prompt] + continuation).replacing("\n", with: " ").lowercased()
    }
}
