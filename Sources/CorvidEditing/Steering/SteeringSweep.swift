import CorvidModels

/// Tries vectors of several layers with several coefficients on topical and unrelated texts.
///
/// It answers what people search for by hand: where and how strongly to add a vector so that the topic becomes
/// likelier while other texts stay as they are.
public struct SteeringSweep: Sendable {
    /// One layer with one coefficient.
    public struct Point: Sendable, Equatable {
        public var site: Site
        public var coefficient: Float
        /// Norm of what is added beside the stream's; nil if unknown.
        public var relativeNorm: Double?
        /// Below 1: topical texts became likelier. See ``TextEffect/perplexityRatio``.
        public var topicalRatio: Double
        /// About 1: unrelated texts stayed as likely.
        public var unrelatedRatio: Double
        /// Mean KL(base ‖ steered) over the tokens of unrelated texts, in nats.
        public var unrelatedDivergence: Double
        /// Whether no other point has both a lower topical ratio and a lower divergence.
        public var isOnFront = false

        /// What the topic gained beside what other texts lost.
        public var selectivity: Double { topicalRatio / unrelatedRatio }
    }

    /// By layer, then by coefficient.
    public let points: [Point]
    /// Texts that were long enough to be scored.
    public let topicalTexts: Int
    public let unrelatedTexts: Int

    /// Points for which no other is better in both respects, the most cautious first.
    public var front: [Point] {
        points.filter(\.isOnFront).sorted { $0.unrelatedDivergence < $1.unrelatedDivergence }
    }

    /// The point with the lowest topical ratio among those that make unrelated texts at most so much less likely.
    /// - Parameter most: greatest ``Point/unrelatedRatio``.
    public func best(within most: Double) -> Point? {
        points.filter { $0.unrelatedRatio <= most && $0.topicalRatio.isFinite }
            .min { $0.topicalRatio < $1.topicalRatio }
    }

    /// - Parameters:
    ///   - vectors: one for each layer, as they are with coefficient 1.
    ///   - coefficients: each is tried in each layer.
    ///   - isRelative: whether the coefficients are parts of the stream's norm.
    ///   - topical, unrelated: token ids of texts, each with the token of the beginning.
    /// - Throws: ``SteeringError``, or what the model throws.
    public static func run(
        _ vectors: [SteeringVector], coefficients: [Double], isRelative: Bool = false, topical: [[Int32]],
        unrelated: [[Int32]], model: Model,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> SteeringSweep {
        let variants = try vectors.flatMap { vector in
            try coefficients.map {
                isRelative ? try vector.scaled(toPartOfStream: $0) : vector.scaled(to: Float($0))
            }
        }
        let meter = SteeringMeter(model)
        let sizes = [topical, unrelated].map { $0.reduce(0) { $0 + $1.count } }
        let total = (sizes[0] + sizes[1]) * (variants.count + 1)
        let first = sizes[0] * (variants.count + 1)
        let single = variants.map { [$0] }
        let onTopic = try await meter.effects(of: single, on: topical) { done, _ in progress(done, total) }
        let offTopic = try await meter.effects(of: single, on: unrelated) { done, _ in
            progress(first + done, total)
        }
        guard onTopic.contains(where: { !$0.texts.isEmpty }) else {
            throw SteeringError.nothingToScore(group: "topical")
        }
        guard offTopic.contains(where: { !$0.texts.isEmpty }) else {
            throw SteeringError.nothingToScore(group: "unrelated")
        }
        var points = variants.indices.map { index in
            let vector = variants[index]
            let lengths = vector.norms.filter { $0 > 0 }
            let mean = lengths.isEmpty ? 0 : lengths.reduce(0, +) / Double(lengths.count)
            return Point(
                site: vector.site, coefficient: vector.coefficient,
                relativeNorm: vector.streamNorm.map { mean / $0 },
                topicalRatio: onTopic[index].perplexityRatio, unrelatedRatio: offTopic[index].perplexityRatio,
                unrelatedDivergence: offTopic[index].meanDivergence)
        }
        markFront(&points)
        return SteeringSweep(
            points: points, topicalTexts: onTopic.map(\.texts.count).max() ?? 0,
            unrelatedTexts: offTopic.map(\.texts.count).max() ?? 0)
    }

    static func markFront(_ points: inout [Point]) {
        for index in points.indices {
            let (ratio, divergence) = (points[index].topicalRatio, points[index].unrelatedDivergence)
            guard ratio.isFinite, divergence.isFinite else { continue }
            points[index].isOnFront = !points.contains {
                $0.topicalRatio <= ratio && $0.unrelatedDivergence <= divergence
                    && ($0.topicalRatio < ratio || $0.unrelatedDivergence < divergence)
            }
        }
    }
}
