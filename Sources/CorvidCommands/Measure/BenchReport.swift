import CorvidModels
import CorvidTensors
import CorvidText

/// What a benchmark found. Where several numbers of threads were measured, the figures without a list are
/// those of the last.
struct BenchReport: Report {
    let model: String
    let type: String
    let isRandom: Bool
    let layers: Int
    let plan: BenchPlan
    let loadSeconds: Double
    let weightBytesPerPass: Int
    let arithmetic: Arithmetic
    /// Greatest resident size of the process, the mapped weights among it.
    let peakMemoryBytes: Int?
    /// One for each number of threads.
    let figures: [Figure]
    /// Of the last number of threads, if it was asked for.
    var profile: BenchProfile?

    /// What one number of threads reached.
    struct Figure: Sendable {
        let threads: Int
        var prefillRates: [Double] = []
        var prefillOperations: [Double] = []
        var decodeRates: [Double] = []
        var decodeBytes: [Double] = []
        var batches: [(size: Int, rates: [Double])] = []
        /// Greatest resident memory that belongs to no file: caches, activations, the program's own.
        var memoryBeyondFileBytes: Int?
        /// Bytes per second that the threads can read.
        var bandwidth = 0.0
        /// Operations per second that they can do.
        var peakOperations = 0.0
        /// Part of ``bandwidth`` at which generation reads weights, keys and values.
        var bandwidthFraction: Double?
        /// Part of ``peakOperations`` at which the prompt is computed.
        var peakFraction: Double?
    }

    static let measured: Set<String> = [
        "load_seconds", "peak_memory_bytes", "prefill_tokens_per_second", "prefill_operations_per_second",
        "decode_tokens_per_second", "decode_bytes_per_second", "memory_beyond_file_bytes",
        "read_bandwidth_bytes_per_second", "peak_operations_per_second", "bandwidth_fraction",
        "peak_fraction",
        "profile",
    ]

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "type": .string(type), "random_weights": .bool(isRandom),
            "layers": .count(layers), "arithmetic": .string(arithmetic.rawValue),
            "instruction_set": .string(InstructionSet.current.rawValue),
            "prompt_tokens": .count(plan.promptTokens), "generate_tokens": .count(plan.generateTokens),
            "seed": .seed(plan.seed), "load_seconds": .number(loadSeconds),
            "weight_bytes_per_pass": .count(weightBytesPerPass),
        ]
        object["peak_memory_bytes"] = peakMemoryBytes.map { .count($0) } ?? .null
        if let figure = figures.last {
            for (key, value) in figure.json { object[key] = value }
        }
        object["scaling"] = .array(figures.map { .object($0.json) })
        object["profile"] = profile?.json ?? .null
        return .object(object)
    }

    var lines: String {
        let threads = figures.map { "\($0.threads)" }.joined(separator: ", ")
        let single = figures.count == 1 && figures[0].threads == 1
        var parts = [
            "\(model)  \(type), \(Figures.count(layers, "layer")), \(threads) thread\(single ? "" : "s"), "
                + "\(isRandom ? "made" : "loaded") in \(Figures.rate(loadSeconds * 1000)) ms"
        ]
        parts += figures.map { lines(of: $0) }
        if figures.count > 1 { parts.append(scaling) }
        if let profile { parts.append(profile.lines) }
        parts.append(memory)
        return parts.joined(separator: "\n")
    }

    private var memory: String {
        [
            peakMemoryBytes.map { "peak memory \(Figures.bytes($0))" },
            figures.last?.memoryBeyondFileBytes.map {
                "\(Figures.bytes($0)) beyond the \(isRandom ? "weights" : "file")"
            },
            figures.last.map { "read bandwidth \(Figures.bytes(Int($0.bandwidth)))/s" },
            figures.last.map { "peak \(Figures.operations($0.peakOperations)) in \(arithmetic.rawValue)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private func lines(of figure: Figure) -> String {
        var table = TextTable(.left, .right, .right, .right, .left)
        table.add(
            figures.count > 1 ? Figures.count(figure.threads, "thread") : "", "min", "median", "max", "")
        func add(_ name: String, _ rates: [Double], _ remarks: [String?]) {
            guard let least = rates.min(), let median = rates.median, let most = rates.max() else { return }
            let remark = remarks.compactMap { $0 }.joined(separator: ", ")
            table.add(
                name, Figures.rate(least), Figures.rate(median), Figures.rate(most), "tokens/s  \(remark)")
        }
        add(
            "prefill \(plan.promptTokens)", figure.prefillRates,
            [
                figure.prefillOperations.median.map { Figures.operations($0) },
                figure.peakFraction.map { "\(Figures.percent($0)) of peak" },
            ])
        add(
            "decode \(plan.generateTokens)", figure.decodeRates,
            [
                figure.decodeBytes.median.map { "\(Figures.bytes(Int($0)))/s" },
                figure.bandwidthFraction.map { "\(Figures.percent($0)) of bandwidth" },
            ])
        for (size, rates) in figure.batches {
            let gain = rates.median.flatMap { rate in figure.decodeRates.median.map { rate / $0 } }
            add(
                "decode \(plan.generateTokens) x \(size)", rates,
                [gain.map { "\(Figures.rate($0)) times one text" }])
        }
        return table.lines
    }

    /// How speed grows with the threads.
    private var scaling: String {
        var table = TextTable(.right, .right, .right, .right, .right, .right)
        table.add("threads", "prefill", "times", "decode", "times", "bandwidth")
        let first = figures[0]
        func times(_ rates: [Double], _ base: [Double]) -> String {
            guard let rate = rates.median, let base = base.median else { return "-" }
            return Figures.rate(rate / base)
        }
        for figure in figures {
            table.add(
                "\(figure.threads)", figure.prefillRates.median.map(Figures.rate) ?? "-",
                times(figure.prefillRates, first.prefillRates),
                figure.decodeRates.median.map(Figures.rate) ?? "-",
                times(figure.decodeRates, first.decodeRates), "\(Figures.bytes(Int(figure.bandwidth)))/s")
        }
        return table.lines
    }
}

extension BenchReport {
    init(subject: BenchSubject, plan: BenchPlan, runs: [BenchRun], peakMemoryBytes: Int?) {
        model = subject.name
        type = runs.first?.type ?? ""
        isRandom = subject.isRandom
        layers = subject.configuration.layers
        self.plan = plan
        loadSeconds = runs.first?.loadSeconds ?? 0
        weightBytesPerPass = runs.first?.model.weightBytesPerPass ?? 0
        arithmetic = runs.first?.model.arithmetic ?? .f32
        self.peakMemoryBytes = peakMemoryBytes
        figures = runs.map { run in
            Figure(
                threads: run.threads, prefillRates: run.prefillRates,
                prefillOperations: run.prefillOperations, decodeRates: run.decodeRates,
                decodeBytes: run.decodeBytes,
                batches: plan.batches.map { ($0, run.batchRates($0)) },
                memoryBeyondFileBytes: run.residentBeyondFiles.map { max(0, $0 - subject.randomBytes) },
                bandwidth: run.bandwidth, peakOperations: run.peakOperations,
                bandwidthFraction: run.bandwidthFraction, peakFraction: run.peakFraction)
        }
    }
}

extension BenchReport.Figure {
    fileprivate var json: JSONObject {
        var object: JSONObject = [
            "threads": .count(threads),
            "prefill_tokens_per_second": .numbers(prefillRates),
            "prefill_operations_per_second": .numbers(prefillOperations),
            "decode_tokens_per_second": .numbers(decodeRates),
            "decode_bytes_per_second": .numbers(decodeBytes),
            "batch": .array(
                batches.map {
                    ["sequences": .count($0.size), "decode_tokens_per_second": .numbers($0.rates)]
                }),
        ]
        object["memory_beyond_file_bytes"] = memoryBeyondFileBytes.map { .count($0) } ?? .null
        object["read_bandwidth_bytes_per_second"] = .number(bandwidth)
        object["peak_operations_per_second"] = .number(peakOperations)
        object["bandwidth_fraction"] = bandwidthFraction.map { .number($0) } ?? .null
        object["peak_fraction"] = peakFraction.map { .number($0) } ?? .null
        return object
    }
}

extension Figures {
    /// Operations per second: `4.1e11` as `410 Gop/s`.
    static func operations(_ perSecond: Double) -> String { "\(rate(perSecond / 1e9)) Gop/s" }
}
