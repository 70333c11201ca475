import CorvidModels
import CorvidTensors

/// The measurements of one number of threads.
struct BenchRun: Sendable {
    let threads: Int
    let model: Model
    let type: String
    let loadSeconds: Double
    private(set) var prefillSeconds: [Double] = []
    private(set) var decodeSeconds: [Double] = []
    /// For each size of a batch the seconds of each repetition.
    private(set) var batchSeconds: [Int: [Double]] = [:]
    /// Greatest resident memory that belongs to no file.
    private(set) var residentBeyondFiles: Int?
    /// Bytes per second that the threads can read.
    private(set) var bandwidth: Double
    /// Operations per second at most, for the model's arithmetic.
    private(set) var peakOperations = 0.0
    let trial: BenchTrial
    private let plan: BenchPlan

    /// Loads the subject on `threads` threads and warms up.
    init(_ subject: BenchSubject, _ plan: BenchPlan, threads: Int) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let pool = try WorkerPool(threads: threads)
        (model, type) = try subject.load(pool: pool)
        loadSeconds = (clock.now - start).inSeconds
        self.threads = pool.threads
        self.plan = plan
        let ids = CounterRandom(seed: plan.seed).tokens(count: plan.tokens, below: model.vocabularySize)
        trial = BenchTrial(model: model, ids: ids, plan: plan)
        // One short run reads the weights into memory and wakes everything up.
        _ = try await trial.prefill(tokens: min(32, plan.tokens))
        bandwidth = try MachineMeasure.readBandwidth(pool: pool, byteCount: Self.bandwidthBytes)
    }

    /// One prompt, what is generated after it, and each batch.
    mutating func measure() async throws {
        let times = try await trial.run()
        if plan.promptTokens > 0 { prefillSeconds.append(times.prefillSeconds) }
        if plan.generateTokens > 0 { decodeSeconds.append(times.decodeSeconds) }
        if !plan.batches.isEmpty {
            let caches = try await trial.caches(plan.batches.max() ?? 0)
            for size in plan.batches {
                let seconds = try await trial.generate(Array(caches.prefix(size)))
                batchSeconds[size, default: []].append(seconds)
            }
        }
        if let bytes = MachineMemory.residentBeyondFiles {
            residentBeyondFiles = max(bytes, residentBeyondFiles ?? 0)
        }
    }

    /// Measures the machine again.
    mutating func finish() throws {
        bandwidth = max(
            bandwidth,
            try MachineMeasure.readBandwidth(pool: model.pool, byteCount: Self.bandwidthBytes))
        peakOperations = try MachineMeasure.peakOperations(model.arithmetic, pool: model.pool)
    }

    /// What the bandwidth is measured over: 1 GiB, where there is so much.
    private static var bandwidthBytes: Int {
        max(64 << 20, min(1 << 30, (MachineMemory.available ?? 1 << 32) / 2) / 4096 * 4096)
    }
}

// MARK: - What the times say

extension BenchRun {
    var prefillRates: [Double] { prefillSeconds.map { Double(plan.promptTokens) / $0 } }
    var decodeRates: [Double] { decodeSeconds.map { Double(plan.generateTokens) / $0 } }

    /// Tokens per second of all texts of a batch together.
    func batchRates(_ size: Int) -> [Double] {
        (batchSeconds[size] ?? []).map { Double(size * plan.generateTokens) / $0 }
    }

    /// Operations per second of the products while the prompt is read.
    var prefillOperations: [Double] {
        var operations = 0.0
        for start in stride(from: 0, to: plan.promptTokens, by: plan.prefillChunk) {
            let rows = min(plan.prefillChunk, plan.promptTokens - start)
            operations += model.operations(rows: rows, logits: start + rows == plan.promptTokens ? 1 : 0)
        }
        return prefillSeconds.map { operations / $0 }
    }

    /// Bytes per second of weights, keys and values that are read while one text is generated.
    var decodeBytes: [Double] {
        // While position p is generated, p positions are read: on average those half-way.
        let positions = Double(plan.promptTokens) + Double(plan.generateTokens - 1) / 2
        let bytes = Double(model.weightBytesPerPass) + positions * Double(model.cacheBytesPerPosition)
        return decodeRates.map { bytes * $0 }
    }

    /// Part of the read bandwidth at which one text is generated.
    var bandwidthFraction: Double? { decodeBytes.median.map { $0 / bandwidth } }
    /// Part of the machine's peak at which the prompt is read.
    var peakFraction: Double? { prefillOperations.median.map { $0 / peakOperations } }
}

extension [Double] {
    /// The middle value, or the mean of the two middle ones; nil for none.
    var median: Double? {
        guard !isEmpty else { return nil }
        let sorted = sorted()
        let middle = count / 2
        return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
