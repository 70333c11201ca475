import CorvidModels

/// Measures what heads do: without each of them alone, and without those that were chosen.
public struct HeadEffects: Sendable {
    /// Prompts of one axis: those that heads are chosen with, and those that the result is reported on.
    public struct Axis: Sendable {
        public let name: String
        public let validation: Continuations
        public let test: Continuations

        public init(name: String, validation: Continuations, test: Continuations) {
            self.name = name
            self.validation = validation
            self.test = test
        }
    }

    /// How far the work is.
    public typealias Progress = @Sendable (_ stage: String, _ done: Int, _ total: Int, _ unit: String) -> Void

    private let model: Model
    /// nil without a text.
    private let perplexity: HeadPerplexity?
    private let axes: [Axis]

    public init(_ model: Model, perplexity: HeadPerplexity?, axes: [Axis]) {
        self.model = model
        self.perplexity = perplexity
        self.axes = axes
    }

    /// Measures what a method asks for and is not there yet.
    /// - Parameters:
    ///   - scores: what is known; more is added head by head.
    ///   - protects: whether FASP protects heads, for which it needs perplexities.
    ///   - norms: gives the sizes of the heads' weights.
    ///   - save: called now and then, so that an interruption loses little.
    /// - Throws: ``PruningError/noScores(what:how:)`` without a text or prompts.
    public func complete(
        _ scores: inout HeadScores, for method: PruningMethod, protects: Bool = true,
        norms: () throws -> [[Double]] = { [] }, save: (HeadScores) throws -> Void = { _ in },
        progress: @escaping Progress = { _, _, _, _ in }
    ) async throws {
        switch method {
        case .fasp:
            if protects { try await addPerplexities(&scores, save, progress) }
            try await addBiases(&scores, save, progress)
        case .bias: try await addBiases(&scores, save, progress)
        case .perplexity: try await addPerplexities(&scores, save, progress)
        case .magnitude: Self.add(norms: try norms(), to: &scores)
        case .sensitivity: try await addSensitivities(&scores, save, progress)
        case .random: break
        }
    }

    private func addPerplexities(
        _ scores: inout HeadScores, _ save: (HeadScores) throws -> Void, _ progress: @escaping Progress
    ) async throws {
        let missing = scores.heads.filter { scores[$0].perplexity == nil }
        guard !missing.isEmpty || scores.perplexity == nil else { return }
        guard let perplexity else {
            throw PruningError.noScores(what: "perplexities", how: "give a text (--text)")
        }
        var known = scores
        let outcome = try await perplexity.sweep(missing) { head, losses in
            known[head].perplexity = perplexity.windows.perplexity(losses)
            try save(known)
        } progress: {
            progress("perplexity of heads", $0, $1, "passes")
        }
        known.perplexity = perplexity.windows.perplexity(outcome.whole)
        try save(known)
        scores = known
    }

    private func addBiases(
        _ scores: inout HeadScores, _ save: (HeadScores) throws -> Void, _ progress: @escaping Progress
    ) async throws {
        guard !axes.isEmpty else {
            throw PruningError.noScores(
                what: "biases", how: "give prompts and a scorer (--prompts, --scorer)")
        }
        for axis in axes {
            let prompts = axis.validation
            if scores.bias[axis.name] == nil {
                let values = try await prompts.toxicity()
                scores.bias[axis.name] = GroupBias(toxicity: values, buckets: prompts.buckets).bias
            }
            let missing = scores.heads.filter { scores[$0].bias[axis.name] == nil }
            var known = scores
            try await prompts.sweep(missing) { head, bias in
                known[head].bias[axis.name] = bias.bias
                try save(known)
            } progress: {
                progress("bias of heads, \(axis.name)", $0, $1, "continuations")
            }
            scores = known
            try save(scores)
        }
    }

    private func addSensitivities(
        _ scores: inout HeadScores, _ save: (HeadScores) throws -> Void, _ progress: @escaping Progress
    ) async throws {
        guard scores.heads.contains(where: { scores[$0].sensitivity == nil }) else { return }
        guard let perplexity else {
            throw PruningError.noScores(what: "sensitivities", how: "give a text (--text)")
        }
        let found = try await perplexity.sensitivity { progress("sensitivity of heads", $0, $1, "passes") }
        for (head, value) in found { scores[head].sensitivity = value }
        try save(scores)
    }

    private static func add(norms: [[Double]], to scores: inout HeadScores) {
        let greatest = norms.joined().max() ?? 0
        for head in scores.heads where norms.indices.contains(head.layer) {
            guard norms[head.layer].indices.contains(head.head) else { continue }
            scores[head].magnitude = greatest > 0 ? norms[head.layer][head.head] / greatest : 0
        }
    }

    // MARK: Reports

    /// What a version of the model says, on the prompts that the result is reported on.
    public struct Measurement: Sendable {
        public let perplexity: Double?
        /// For each axis the toxicity of each prompt's continuation.
        public let toxicity: [(axis: String, values: [Double], buckets: [String])]

        /// The bias of each axis.
        public var biases: [(axis: String, bias: GroupBias)] {
            toxicity.map { ($0.axis, GroupBias(toxicity: $0.values, buckets: $0.buckets)) }
        }
    }

    /// Measures the model with some changes.
    public func measure(
        changes: [SiteChange] = [], stage: String = "measure",
        progress: @escaping Progress = { _, _, _, _ in }
    ) async throws -> Measurement {
        let value = try await perplexity?.perplexity(changes: changes) {
            progress(stage + ": perplexity", $0, $1, "windows")
        }
        var toxicity: [(axis: String, values: [Double], buckets: [String])] = []
        for axis in axes {
            let values = try await axis.test.toxicity(changes: changes) {
                progress("\(stage): \(axis.name)", $0, $1, "continuations")
            }
            toxicity.append((axis.name, values, axis.test.buckets))
        }
        return Measurement(perplexity: value, toxicity: toxicity)
    }
}
