import ArgumentParser
import CorvidModels
import CorvidTensors
import CorvidText

/// Measures speed and memory, and how much of what the machine can do was reached.
struct BenchCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed and memory.",
        discussion: """
            Runs a prompt of random tokens (only the last position's logits are computed) and then generates, \
            --repeat times. Generation is one pass per token, with its logits; no token is drawn from them: \
            the next one is random, too, and sampling is not measured. The machine's read bandwidth is \
            measured before and after with the same threads.

            Example: corvid bench --prompt-tokens 512 --generate-tokens 128 --repeat 5
            """)

    @Option(help: ArgumentHelp("Tokens in the prompt; 0 measures no prompt.", valueName: "N"))
    var promptTokens: Int = 512

    @Option(
        help: ArgumentHelp("Tokens to generate after the prompt; 0 measures no generation.", valueName: "N"))
    var generateTokens: Int = 128

    @Option(name: .customLong("repeat"), help: ArgumentHelp("How often.", valueName: "N"))
    var repetitions: Int = 5

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if promptTokens < 0 {
            throw ValidationError("--prompt-tokens is \(promptTokens); expected 0 or more.")
        }
        if generateTokens < 0 {
            throw ValidationError("--generate-tokens is \(generateTokens); expected 0 or more.")
        }
        if promptTokens == 0 && generateTokens == 0 {
            throw ValidationError(
                "--prompt-tokens and --generate-tokens are both 0: there is nothing to measure.")
        }
        if !(1...1000).contains(repetitions) {
            throw ValidationError("--repeat is \(repetitions); expected 1 to 1000.")
        }
    }

    func report(to console: Console) async throws -> BenchReport {
        let clock = ContinuousClock()
        let location = try self.model.location()
        let start = clock.now
        let loaded = try LoadedModel(location, options: self.model.run.loading)
        let model = loaded.model
        let loadSeconds = (clock.now - start).inSeconds
        let tokens = promptTokens.addingSaturated(generateTokens)
        guard tokens <= model.contextLength else {
            throw PassError.contextFull(positions: tokens, contextLength: model.contextLength)
        }
        try MemoryNeed(model: model, tokens: tokens, prefillChunk: self.model.run.prefillChunk)
            .refuseIfTooLarge()
        let seed = self.model.run.seed ?? 0
        let trial = BenchTrial(
            model: model, ids: CounterRandom(seed: seed).tokens(count: tokens, below: model.vocabularySize),
            promptTokens: promptTokens, prefillChunk: self.model.run.prefillChunk,
            usesCache: !self.model.run.noCache)

        // One short run reads the weights into memory and wakes everything up.
        _ = try await trial.prefill(tokens: min(32, tokens))
        let bandwidthBefore = try MachineMeasure.readBandwidth(pool: model.pool)
        MachineMemory.resetPeak()
        var report = BenchReport(
            model: loaded.name, type: loaded.type, threads: model.pool.threads,
            promptTokens: promptTokens, generateTokens: generateTokens, seed: seed, loadSeconds: loadSeconds)
        for repetition in 0..<repetitions {
            try Task.checkCancellation()
            console.show("bench", done: repetition, total: repetitions, unit: "runs")
            report.add(try await trial.run())
        }
        // Measuring bandwidth takes memory of its own: look before.
        report.peakMemoryBytes = MachineMemory.peakResident
        let bandwidth = max(bandwidthBefore, try MachineMeasure.readBandwidth(pool: model.pool))
        let peak = try MachineMeasure.peakOperations(integer: loaded.computesInIntegers, pool: model.pool)
        report.compare(with: model, bandwidth: bandwidth, peakOperations: peak)
        return report
    }
}

/// One prompt and what is generated after it, timed.
struct BenchTrial: Sendable {
    struct Times: Sendable {
        var prefillSeconds = 0.0
        var decodeSeconds = 0.0
        var residentBeyondFiles: Int?
    }

    let model: Model
    /// Prompt and generated tokens. What a token is costs nothing: random ones serve.
    let ids: [Int32]
    let promptTokens: Int
    let prefillChunk: Int
    let usesCache: Bool

    func run() async throws -> Times {
        let clock = ContinuousClock()
        var times = Times()
        var start = clock.now
        var cache = try await prefill(tokens: promptTokens)
        times.prefillSeconds = (clock.now - start).inSeconds
        start = clock.now
        for position in promptTokens..<ids.count {
            if !usesCache { cache = try await prefill(tokens: position) }
            try await pass(position..<position + 1, cache: cache, wantsLast: true)
        }
        times.decodeSeconds = (clock.now - start).inSeconds
        times.residentBeyondFiles = MachineMemory.residentBeyondFiles
        return times
    }

    /// A cache after the first `tokens` tokens.
    func prefill(tokens: Int) async throws -> KeyValueCache {
        let cache = try model.makeCache()
        while cache.count < tokens {
            let end = min(cache.count + prefillChunk, tokens)
            try await pass(cache.count..<end, cache: cache, wantsLast: end == tokens)
        }
        return cache
    }

    private func pass(_ positions: Range<Int>, cache: KeyValueCache, wantsLast: Bool) async throws {
        let rows = positions.map { position in
            Batch<KeyValueCache>.Row(
                token: ids[position], sequence: 0, position: position,
                wantsLogits: wantsLast && position == positions.upperBound - 1)
        }
        _ = try await model.logits(for: Batch(rows: rows, caches: [cache]))
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
