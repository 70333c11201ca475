import CorvidModels
import CorvidText

/// What a benchmark found.
struct BenchReport: Report {
    let model: String
    let type: String
    let threads: Int
    let promptTokens: Int
    let generateTokens: Int
    let seed: UInt64
    let loadSeconds: Double
    var prefillRates: [Double] = []
    var decodeRates: [Double] = []
    /// Greatest resident size of the process, the mapped weights among it.
    var peakMemoryBytes: Int?
    /// Greatest resident memory that belongs to no file: caches, activations, the program's own.
    var memoryBeyondFileBytes: Int?
    /// Bytes per second that the threads can read.
    var bandwidth = 0.0
    /// Part of ``bandwidth`` at which generation reads weights, keys and values.
    var bandwidthFraction: Double?
    /// Part of the machine's peak at which the prompt is computed.
    var peakFraction: Double?

    init(
        model: String, type: String, threads: Int, promptTokens: Int, generateTokens: Int, seed: UInt64,
        loadSeconds: Double
    ) {
        self.model = model
        self.type = type
        self.threads = threads
        self.promptTokens = promptTokens
        self.generateTokens = generateTokens
        self.seed = seed
        self.loadSeconds = loadSeconds
    }

    mutating func add(_ times: BenchTrial.Times) {
        if promptTokens > 0 { prefillRates.append(Double(promptTokens) / times.prefillSeconds) }
        if generateTokens > 0 { decodeRates.append(Double(generateTokens) / times.decodeSeconds) }
        if let bytes = times.residentBeyondFiles {
            memoryBeyondFileBytes = max(bytes, memoryBeyondFileBytes ?? 0)
        }
    }

    /// - Parameters:
    ///   - bandwidth: bytes per second.
    ///   - peakOperations: operations per second, two for a multiply-add.
    mutating func compare(with model: Model, bandwidth: Double, peakOperations: Double) {
        self.bandwidth = bandwidth
        if let rate = decodeRates.median {
            // While position p is generated, p positions are read: on average those half-way.
            let positions = Double(promptTokens) + Double(generateTokens - 1) / 2
            let bytes = Double(model.weightBytesPerPass) + positions * Double(model.cacheBytesPerPosition)
            bandwidthFraction = bytes * rate / bandwidth
        }
        if let rate = prefillRates.median { peakFraction = model.operationsPerRow * rate / peakOperations }
    }

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "type": .string(type), "threads": .count(threads),
            "prompt_tokens": .count(promptTokens), "generate_tokens": .count(generateTokens),
            "seed": .seed(seed),
            "prefill_tokens_per_second": .numbers(prefillRates),
            "decode_tokens_per_second": .numbers(decodeRates), "load_seconds": .number(loadSeconds),
        ]
        object["peak_memory_bytes"] = peakMemoryBytes.map { .count($0) } ?? .null
        object["memory_beyond_file_bytes"] = memoryBeyondFileBytes.map { .count($0) } ?? .null
        object["read_bandwidth_bytes_per_second"] = .number(bandwidth)
        object["bandwidth_fraction"] = bandwidthFraction.map { .number($0) } ?? .null
        object["peak_fraction"] = peakFraction.map { .number($0) } ?? .null
        return .object(object)
    }

    var lines: String {
        var table = TextTable(.left, .right, .right, .right, .left)
        table.add("", "min", "median", "max", "")
        func add(_ name: String, _ rates: [Double], _ remark: String) {
            guard let least = rates.min(), let median = rates.median, let most = rates.max() else { return }
            table.add(
                name, Figures.rate(least), Figures.rate(median), Figures.rate(most), "tokens/s  \(remark)")
        }
        add(
            "prefill \(promptTokens)", prefillRates,
            peakFraction.map { "\(Figures.percent($0)) of peak" } ?? "")
        add(
            "decode \(generateTokens)", decodeRates,
            bandwidthFraction.map { "\(Figures.percent($0)) of bandwidth" } ?? "")
        let memory = [
            peakMemoryBytes.map { "peak memory \(Figures.bytes($0))" },
            memoryBeyondFileBytes.map { "\(Figures.bytes($0)) beyond the file" },
        ].compactMap { $0 }.joined(separator: ", ")
        return """
            \(model)  \(type), \(Figures.count(threads, "thread")), loaded in \(Figures.rate(loadSeconds * 1000)) ms
            \(table.lines)
            \(memory); read bandwidth \(Figures.bytes(Int(bandwidth)))/s
            """
    }
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
