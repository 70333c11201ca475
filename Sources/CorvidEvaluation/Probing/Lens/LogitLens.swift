import CorvidModels
import CorvidTensors

/// What a model would say if its blocks ended earlier: the final norm and the head on the residual after each
/// block (logit lens; nostalgebraist 2020).
public struct LogitLens: Sendable {
    public let ids: [Int32]
    /// Rows of the lens: the residual before the first block, then the one after each block.
    public let stages: [Stage]

    /// One row of the lens.
    public struct Stage: Sendable {
        /// The block whose output is read; nil for what goes into the first.
        public let layer: Int?
        /// One for each token that was asked for.
        public let readings: [Reading]
    }

    /// The distribution over the token that follows.
    public struct Reading: Sendable {
        public let position: Int
        /// The likeliest tokens, the likeliest first.
        public let top: [(id: Int32, probability: Double)]
        /// Probability of the token that was asked for.
        public let probability: Double?
        /// In nats.
        public let entropy: Double
        /// Kullback-Leibler divergence from this distribution to the model's own, Σ p_final log(p_final / p), in
        /// nats.
        public let divergence: Double
    }

    /// - Parameters:
    ///   - positions: the tokens to read behind; nil: all.
    ///   - token: a token whose probability is wanted.
    ///   - top: how many tokens are named, 0 or more.
    ///   - progress: is called with (rows done, rows in all).
    /// - Throws: ``TracingError``, or what a pass throws.
    public init(
        _ model: Model, ids: [Int32], positions: Positions = .all, token: Int32? = nil, top: Int = 5,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        let configuration = model.configuration
        guard configuration.output == .vocabulary else {
            throw TracingError.continuesNoText(family: configuration.family.name)
        }
        guard configuration.senses == 0, configuration.encoderLayers == 0 else {
            throw TracingError.noLens(family: configuration.family.name)
        }
        guard !ids.isEmpty else { throw TracingError.noTokens }
        guard ids.count <= model.contextLength else {
            throw TracingError.tooLong(tokens: ids.count, context: model.contextLength)
        }
        if let token, token < 0 || Int(token) >= model.vocabularySize {
            throw TracingError.answer(id: token, vocabulary: model.vocabularySize)
        }
        self.ids = ids
        let layers = configuration.layers
        let sites = [Site.input(of: 0)] + (0..<layers).map { Site.output(of: $0) }
        let rows = ids.enumerated().map { position, id in
            Batch<KeyValueCache>.Row(token: id, sequence: 0, position: position, wantsLogits: false)
        }
        let run = try await model.run(
            SitePlan(
                readings: sites.map { SiteReading($0, positions: positions) }, endsAfterReadings: true),
            Batch(rows: rows, caches: [model.makeCache()], promptCounts: [ids.count]))
        let places = run.readings[0].places
        var readings = [[Reading]](repeating: [], count: sites.count)
        // All stages of a few positions at a time: their rows of logits are large.
        let chunk = max(1, Self.valuesAtOnce / (model.vocabularySize * sites.count))
        for start in stride(from: 0, to: places.count, by: chunk) {
            let some = start..<min(places.count, start + chunk)
            let residual = run.readings.flatMap { rows in some.flatMap { rows[$0] } }
            let logits = try await model.readOut(residual)
            func row(_ stage: Int, _ index: Int) -> ArraySlice<Float> {
                logits.row(stage * some.count + index - some.lowerBound)
            }
            for index in some {
                let final = Distribution(row(layers, index))
                for stage in sites.indices {
                    let distribution = stage == layers ? final : Distribution(row(stage, index))
                    let found = Reading(
                        position: places[index].position, distribution, final: final, token: token, top: top)
                    guard found.entropy.isFinite, found.divergence.isFinite else {
                        throw GenerationError.notFinite(position: places[index].position)
                    }
                    readings[stage].append(found)
                }
            }
            progress(some.upperBound * sites.count, places.count * sites.count)
        }
        stages = readings.enumerated().map { Stage(layer: $0 == 0 ? nil : $0 - 1, readings: $1) }
    }

    /// Logits of one pass: 64 MB.
    private static let valuesAtOnce = 1 << 24
}

/// Logits with the sum that makes probabilities of them.
private struct Distribution {
    let logits: ArraySlice<Float>
    private let sum: Double

    init(_ logits: ArraySlice<Float>) {
        self.logits = logits
        sum = Elementwise.logSumExp(logits)
    }

    /// log p of each token in turn.
    func logProbability(_ index: Int) -> Double { Double(logits[logits.startIndex + index]) - sum }
}

extension LogitLens.Reading {
    fileprivate init(
        position: Int, _ distribution: Distribution, final: Distribution, token: Int32?, top: Int
    ) {
        self.position = position
        probability = token.map { exponential(distribution.logProbability(Int($0))) }
        var entropy = 0.0
        var divergence = 0.0
        for index in 0..<distribution.logits.count {
            let own = distribution.logProbability(index)
            let last = final.logProbability(index)
            // A token without a logit of its own (-infinity) has no part in either sum.
            if own > -.infinity { entropy -= exponential(own) * own }
            if last > -.infinity { divergence += exponential(last) * (last - own) }
        }
        self.entropy = entropy
        // Rounding may leave it a hair below 0.
        self.divergence = max(0, divergence)
        self.top = Self.greatest(distribution.logits, top).map {
            (Int32($0), exponential(distribution.logProbability($0)))
        }
    }

    /// Indices of the greatest values, in order; the lower index first among equals.
    private static func greatest(_ values: ArraySlice<Float>, _ count: Int) -> [Int] {
        var best: [(index: Int, value: Float)] = []
        guard count > 0 else { return [] }
        for (index, value) in values.enumerated() {
            if best.count == count, value <= best[count - 1].value { continue }
            let place = best.firstIndex { $0.value < value } ?? best.count
            best.insert((index, value), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.index)
    }
}
