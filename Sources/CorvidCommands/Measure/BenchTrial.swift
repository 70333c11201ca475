import CorvidModels
import CorvidTensors

/// One prompt and what is generated after it, timed.
struct BenchTrial: Sendable {
    struct Times: Sendable {
        var prefillSeconds = 0.0
        var decodeSeconds = 0.0
    }

    let model: Model
    /// Prompt and generated tokens. What a token is costs nothing: random ones serve.
    let ids: [Int32]
    let plan: BenchPlan

    func run() async throws -> Times {
        let clock = ContinuousClock()
        var times = Times()
        let start = clock.now
        let cache = try await prefill(tokens: plan.promptTokens)
        times.prefillSeconds = (clock.now - start).inSeconds
        times.decodeSeconds = try await generate([cache])
        return times
    }

    /// Caches of so many texts after the prompt, each with keys and values of its own.
    func caches(_ count: Int) async throws -> [KeyValueCache] {
        var caches: [KeyValueCache] = []
        for _ in 0..<count { caches.append(try await prefill(tokens: plan.promptTokens)) }
        return caches
    }

    /// Generates a token for each text per pass, and takes all of them back. Returns seconds.
    /// - Parameter inspect: sees the logits of each pass, and the position of the rows that gave them.
    func generate(
        _ caches: [KeyValueCache], inspect: (_ logits: Logits, _ position: Int) throws -> Void = { _, _ in }
    ) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var caches = caches
        for position in plan.promptTokens..<ids.count {
            if !plan.usesCache {
                for index in caches.indices { caches[index] = try await prefill(tokens: position) }
            }
            let rows = caches.indices.map { sequence in
                Batch<KeyValueCache>.Row(
                    token: ids[position], sequence: sequence, position: position, wantsLogits: true)
            }
            try inspect(try await model.logits(for: Batch(rows: rows, caches: caches)), position)
        }
        let seconds = (clock.now - start).inSeconds
        for cache in caches { cache.truncate(to: min(cache.count, plan.promptTokens)) }
        return seconds
    }

    /// A cache after the first `tokens` tokens.
    func prefill(tokens: Int) async throws -> KeyValueCache {
        let cache = try model.makeCache()
        while cache.count < tokens {
            let end = min(cache.count + plan.prefillChunk, tokens)
            let rows = (cache.count..<end).map { position in
                Batch<KeyValueCache>.Row(
                    token: ids[position], sequence: 0, position: position,
                    wantsLogits: position == tokens - 1)
            }
            _ = try await model.logits(for: Batch(rows: rows, caches: [cache]))
        }
        return cache
    }
}

extension CounterRandom {
    /// Token ids, each as likely as any other.
    func tokens(count: Int, below bound: Int) -> [Int32] {
        (0..<count).map { index in
            let value = uniform(stream: 0, step: UInt64(index)) * Double(bound)
            return Int32(min(bound - 1, Int(value)))
        }
    }
}
