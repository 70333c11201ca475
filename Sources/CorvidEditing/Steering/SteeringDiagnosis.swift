import CorvidModels

/// How large what is added is beside what stands there.
public struct SteeringDiagnosis: Sendable, Equatable {
    /// One token that the vector is added to.
    public struct Token: Sendable, Equatable {
        public var position: Int
        /// |c h_A|
        public var added: Double
        /// |h|, before anything is added.
        public var stream: Double

        /// How many times as large as the stream the vector is.
        public var ratio: Double { stream > 0 ? added / stream : added > 0 ? .infinity : 0 }
    }

    public let site: Site
    public let tokens: [Token]

    /// Texts break when more than so many times the stream is added: SmolLM2's early layers with 6.8 times, GPT-2 XL
    /// with 10 times still writes sentences.
    public static let mostRatio = 3.0

    /// The largest of all ratios; 0 without tokens.
    public var greatestRatio: Double { tokens.map(\.ratio).max() ?? 0 }
    /// Whether the vector drowns the stream somewhere.
    public var isTooStrong: Bool { greatestRatio > Self.mostRatio }

    /// Measures vectors over a prompt, which is run once without them.
    ///
    /// A vector for generated tokens alone is measured against the prompt's, which have about the same norm.
    /// - Throws: ``SteeringError``, or what the model throws.
    public static func measure(
        _ vectors: [SteeringVector], over prompt: [Int32], _ model: Model
    ) async throws -> [SteeringDiagnosis] {
        for vector in vectors { try vector.check(model.configuration) }
        var streams: [Site: [Double]] = [:]
        let sites = Set(vectors.map(\.site)).sorted { $0.description < $1.description }
        guard !sites.isEmpty, !prompt.isEmpty else { return [] }
        try await SiteRecorder(model: model).record([prompt], at: sites, positions: .all) { _, values in
            for (site, found) in zip(sites, values) {
                streams[site] = (0..<found.count).map { norm(found[$0]) }
            }
        }
        return try vectors.map { vector in
            let positions = try vector.positions(prompt: prompt.count)
            let norms = vector.norms
            let chosen: [Int] =
                vector.place.isByPosition
                ? Array(positions.ranges.joined())
                : vector.place == .all ? Array(prompt.indices) : [prompt.count - 1]
            return SteeringDiagnosis(
                site: vector.site,
                tokens: chosen.enumerated().map { index, position in
                    Token(
                        position: position, added: norms[vector.place.isByPosition ? index : 0],
                        stream: streams[vector.site]?[position] ?? 0)
                })
        }
    }
}
