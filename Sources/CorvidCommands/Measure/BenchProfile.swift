import CorvidModels
import CorvidTensors
import CorvidText

/// Where the time of a prompt, and of the tokens after it, goes.
struct BenchProfile: Sendable {
    let prefill: Phase?
    let decode: Phase?

    /// One kind of work.
    struct Phase: Sendable {
        let tokens: Int
        /// From the first call to the last result: all parts together.
        let seconds: Double
        /// Time of drawing tokens from the logits, which no figure but this one contains.
        let samplingSeconds: Double
        let passes: PassProfile

        /// Part of ``seconds`` that lies neither in passes nor in sampling: callers that wait for the threads.
        var outsideSeconds: Double { max(0, seconds - samplingSeconds - passes.seconds) }

        init(tokens: Int, seconds: Double, samplingSeconds: Double, passes: PassProfile) {
            self.tokens = tokens
            // A pass ends a moment after its caller goes on.
            self.seconds = max(seconds, samplingSeconds + passes.seconds)
            self.samplingSeconds = samplingSeconds
            self.passes = passes
        }
    }

    /// Runs the prompt and what comes after it once more, with times taken.
    init(_ trial: BenchTrial) async throws {
        let plan = trial.plan
        var cache: KeyValueCache?
        let prefill = try await Self.phase(trial, tokens: plan.promptTokens) {
            cache = try await trial.prefill(tokens: plan.promptTokens)
            return 0
        }
        self.prefill = plan.promptTokens > 0 ? prefill : nil
        guard plan.generateTokens > 0, let cache else {
            decode = nil
            return
        }
        let sampler = Sampler(settings: SamplingSettings(), size: trial.model.vocabularySize)
        let history = TokenHistory(prompt: trial.ids.prefix(plan.promptTokens))
        decode = try await Self.phase(trial, tokens: plan.generateTokens) {
            let clock = ContinuousClock()
            var sampling = 0.0
            _ = try await trial.generate([cache]) { logits, position in
                let start = clock.now
                _ = try sampler.choose(from: logits.row(0), history: history, position: position)
                sampling += (clock.now - start).inSeconds
            }
            return sampling
        }
    }

    /// - Parameter work: runs passes; gives the seconds in which it sampled.
    private static func phase(
        _ trial: BenchTrial, tokens: Int, _ work: () async throws -> Double
    ) async throws -> Phase? {
        let pool = trial.model.pool
        let clock = ContinuousClock()
        try pool.startProfile()
        let start = clock.now
        let sampling = try await work()
        let passes = try pool.stopProfile()
        let seconds = (clock.now - start).inSeconds
        return passes.map {
            Phase(tokens: tokens, seconds: seconds, samplingSeconds: sampling, passes: $0)
        }
    }
}

// MARK: - How it is shown

extension BenchProfile {
    private struct Row {
        let name: String
        let seconds: Double
        /// nil where threads have nothing to do with it.
        let idle: Double?
        let calls: Int?
    }

    var json: JSON {
        var object = JSONObject()
        object["prefill"] = prefill.map(Self.json) ?? .null
        object["decode"] = decode.map(Self.json) ?? .null
        return .object(object)
    }

    private static func json(_ phase: Phase) -> JSON {
        let parts = rows(phase).map { row -> JSON in
            var part: JSONObject = [
                "part": .string(row.name), "seconds": .number(row.seconds),
                "share": .number(phase.seconds > 0 ? row.seconds / phase.seconds : 0),
            ]
            part["idle_fraction"] = row.idle.map { .number($0) } ?? .null
            part["calls"] = row.calls.map { .count($0) } ?? .null
            return .object(part)
        }
        return [
            "tokens": .count(phase.tokens), "seconds": .number(phase.seconds),
            "passes": .count(phase.passes.passes), "threads": .count(phase.passes.threads),
            "idle_fraction": .number(phase.passes.idleFraction), "parts": .array(parts),
        ]
    }

    /// Parts of passes in the order in which they run, then what lies outside.
    private static func rows(_ phase: Phase) -> [Row] {
        var rows = PassPart.allCases.map { part in
            Row(
                name: part.rawValue, seconds: phase.passes[part].seconds,
                idle: phase.passes.idleFraction(of: part), calls: phase.passes[part].calls)
        }
        rows.append(Row(name: "sampling", seconds: phase.samplingSeconds, idle: nil, calls: nil))
        rows.append(Row(name: "outside", seconds: phase.outsideSeconds, idle: nil, calls: nil))
        return rows
    }

    var lines: String {
        let phases = [prefill.map { ("prefill", $0) }, decode.map { ("decode", $0) }].compactMap { $0 }
        return phases.map { Self.lines($0.0, $0.1) }.joined(separator: "\n")
    }

    private static func lines(_ name: String, _ phase: Phase) -> String {
        var table = TextTable(.left, .right, .right, .right)
        table.add("\(name) profile", "ms", "share", "threads idle")
        func add(_ name: String, _ seconds: Double, _ idle: Double?) {
            table.add(
                name.replacing("_", with: " "), Figures.rate(seconds * 1000),
                Figures.percent(phase.seconds > 0 ? seconds / phase.seconds : 0),
                idle.map(Figures.percent) ?? "")
        }
        for row in rows(phase) where row.seconds > 0 { add(row.name, row.seconds, row.idle) }
        add("all", phase.seconds, phase.passes.idleFraction)
        return table.lines
    }
}
