import CorvidModels

/// Answers that a model gives with and without steering, and what they are about.
public struct SteeredCompletions: Sendable {
    public let texts: [String]

    /// Part of the answers with at least one of the words.
    public func share(with words: TopicWords) -> Double {
        texts.isEmpty ? .nan : Double(texts.count { words.count(in: $0) > 0 }) / Double(texts.count)
    }

    /// Words of the topic in an answer, on average.
    public func meanWords(_ words: TopicWords) -> Double {
        texts.isEmpty ? .nan : Double(texts.reduce(0) { $0 + words.count(in: $1) }) / Double(texts.count)
    }

    /// Mean sentiment of the answers, -1...1.
    public func sentiment(_ words: SentimentWords) -> Double {
        texts.isEmpty ? .nan : texts.reduce(0) { $0 + words.score($1) } / Double(texts.count)
    }

    /// Part of the neighbouring words that are the same: what broken text has a lot of.
    public var repetition: Double {
        let pairs = texts.map { text -> (same: Int, all: Int) in
            let words = TopicWords.split(text)
            return (zip(words, words.dropFirst()).count { $0 == $1 }, max(0, words.count - 1))
        }
        let all = pairs.reduce(0) { $0 + $1.all }
        return all == 0 ? 0 : Double(pairs.reduce(0) { $0 + $1.same }) / Double(all)
    }

    /// Continues prompts with vectors laid on; without vectors the model as it is.
    ///
    /// The same seed draws the same numbers with and without, so that answers can be compared one by one.
    /// - Parameters:
    ///   - prompts: token ids, each with the token of the beginning.
    ///   - samples: answers to each prompt.
    /// - Throws: ``SteeringError/promptTooShort(tokens:needed:)``, or what the model throws.
    public static func draw(
        _ generator: Generator<Model>, prompts: [[Int32]], vectors: [SteeringVector], samples: Int,
        maxTokens: Int, sampling: SamplingSettings, stop: [String] = [],
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> SteeredCompletions {
        for vector in vectors { try vector.check(generator.model.configuration) }
        let requests = try prompts.map { ids in
            var request = GenerationRequest(
                prompt: ids, maxTokens: maxTokens, sampling: sampling, stopStrings: stop, samples: samples)
            request.changes = try vectors.map { try $0.change(prompt: ids.count) }
            return request
        }
        let total = samples * prompts.count
        let counter = Counter()
        let results = try await generator.run(requests) { event in
            if case .finished = event { progress(counter.next(), total) }
        }
        return SteeredCompletions(texts: results.joined().map(\.text))
    }
}
