import CorvidModels
import CorvidTensors

/// Finds the tokens and layers through which a model comes to an answer (causal tracing; Meng et al. 2022,
/// "Locating and Editing Factual Associations in GPT", section 2).
///
/// The subject's embeddings are corrupted by noise; then what the clean run had at one token and layer is put
/// back, and the answer's probability says how much came back with it. One cell of the grid is a token and a
/// layer.
///
/// A cell needs no run of its own from the beginning. The tokens before it, and the blocks below its layer, hold
/// what they hold in the corrupted run: a cell takes that run's cache up to its token, begins at its layer with
/// recorded residuals, and has as many rows as there are tokens from it on. The cells of a layer run side by side,
/// and those that cannot change the last token are not run at all.
public struct CausalTracer: Sendable {
    public let model: Model
    public let settings: TracingSettings
    let noise: NoiseSource

    /// Level of the noise in the units of the embedding; for noise with a covariance, the factor on it.
    public var noiseLevel: Double { noise.level }

    /// - Parameter facts: whose subjects' embeddings the noise is measured by. Unlike the authors' code, which
    ///   encodes each subject alone, it takes the tokens that a subject has in its prompt.
    /// - Throws: ``TracingError``, or what a pass throws.
    public init(
        _ model: Model, settings: TracingSettings = TracingSettings(), facts: [TracedFact]
    ) async throws {
        try settings.validate()
        let configuration = model.configuration
        guard model.continuesText, configuration.encoderLayers == 0 else {
            throw TracingError.continuesNoText(family: configuration.family.name)
        }
        self.model = model
        self.settings = settings
        var embeddings: [[Float]] = []
        var needsEmbeddings = settings.noise.shape == .covariance || settings.noise.shape == .student
        if case .deviations = settings.noise.level { needsEmbeddings = true }
        if needsEmbeddings {
            embeddings = try await model.embeddings(of: facts.flatMap { Array($0.ids[$0.subject]) })
        }
        noise = NoiseSource(
            settings.noise, seed: settings.seed, width: configuration.embeddingWidth,
            deviation: Self.deviation(embeddings), embeddings: embeddings)
    }

    /// Traces a fact.
    /// - Parameter progress: is called with (cells done, cells in all).
    /// - Returns: nil if the fact expects another answer than the model gives.
    /// - Throws: ``TracingError``, `CancellationError`, or what a pass throws.
    public func trace(
        _ fact: TracedFact, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> FactTrace? {
        let runs = try await recordRuns(of: fact)
        if let expected = fact.expected, expected != runs.likeliest { return nil }
        let layers = model.configuration.layers
        var grid = Grid(tokens: fact.ids.count, layers: layers, corrupted: runs.corrupted)
        let groups = groups(of: fact)
        for (index, group) in groups.enumerated() {
            let caches = try group.map { branch in
                let cache = try runs.caches[branch.sample].fork()
                cache.truncate(to: branch.token)
                return cache
            }
            for layer in 0..<layers {
                let chosen = group.indices.filter { changes(group[$0].token, layer, fact) }
                guard !chosen.isEmpty else { continue }
                let branches = chosen.map { group[$0] }
                let run = try await model.run(
                    plan(branches, layer: layer, fact, runs),
                    batch(branches, fact, caches: chosen.map { caches[$0] }))
                // A pass from the embedding on leaves its rows in the caches.
                for index in chosen { caches[index].truncate(to: group[index].token) }
                for (row, branch) in branches.enumerated() {
                    let probability = Self.probability(of: runs.answer, in: run.output.row(row))
                    guard probability.isFinite else {
                        throw TracingError.notFinite(layer: layer, position: branch.token)
                    }
                    grid.set(branch, layer: layer, to: probability)
                }
                progress(index * layers + layer + 1, groups.count * layers)
            }
        }
        return FactTrace(
            ids: fact.ids, subject: fact.subject, answer: runs.answer, cleanProbability: runs.clean,
            corruptedProbabilities: runs.corrupted, restoredProbabilities: grid.means)
    }

    /// A token that is restored in one of the corrupted runs.
    struct Branch {
        let token: Int
        let sample: Int
    }

    /// The probabilities of all cells and samples.
    private struct Grid {
        private var values: [[[Double]]]

        /// Cells that are not run have what the corrupted runs have.
        init(tokens: Int, layers: Int, corrupted: [Double]) {
            values = [[[Double]]](
                repeating: [[Double]](repeating: corrupted, count: layers), count: tokens)
        }

        mutating func set(_ branch: Branch, layer: Int, to value: Double) {
            values[branch.token][layer][branch.sample] = value
        }

        var means: [[Double]] {
            values.map { $0.map { $0.reduce(0, +) / Double(max(1, $0.count)) } }
        }
    }

    // MARK: What is run

    /// Branches that fit in a pass together. Their caches stay through all layers.
    private func groups(of fact: TracedFact) -> [[Branch]] {
        var groups: [[Branch]] = [[]]
        var rows = 0
        for token in fact.subject.lowerBound..<fact.ids.count {
            let more = fact.ids.count - token
            for sample in 0..<settings.samples {
                if rows + more > settings.rowsPerPass, rows > 0 {
                    groups.append([])
                    rows = 0
                }
                groups[groups.count - 1].append(Branch(token: token, sample: sample))
                rows += more
            }
        }
        return groups
    }

    /// The block at which a cell's run begins, 0 for the embedding.
    private func start(_ layer: Int) -> Int {
        switch settings.restored {
        case .state: layer + 1
        case .mlp, .attention: settings.blocks(around: layer, of: model.configuration.layers).lowerBound
        }
    }

    /// Whether restoring a token can change the answer: those before the subject hold the same in both runs, and
    /// what no block reads any more reaches no other token. (A Backpack's senses are read behind the blocks.)
    private func changes(_ token: Int, _ layer: Int, _ fact: TracedFact) -> Bool {
        guard token >= fact.subject.lowerBound else { return false }
        if token == fact.ids.count - 1 || model.configuration.senses > 0 { return true }
        let layers = model.configuration.layers
        return start(layer) < (settings.restored == .state ? layers : layers - 1)
    }

    private func batch(
        _ branches: [Branch], _ fact: TracedFact, caches: [KeyValueCache]
    ) -> Batch<KeyValueCache> {
        let rows = branches.enumerated().flatMap { sequence, branch in
            (branch.token..<fact.ids.count).map { position in
                Batch<KeyValueCache>.Row(
                    token: fact.ids[position], sequence: sequence, position: position,
                    wantsLogits: position == fact.ids.count - 1)
            }
        }
        return Batch(rows: rows, caches: caches)
    }

    private func plan(
        _ branches: [Branch], layer: Int, _ fact: TracedFact, _ runs: TraceRuns
    ) -> SitePlan {
        let start = start(layer)
        let layers = model.configuration.layers
        var residual: [Float] = []
        var changes: [SiteChange] = []
        for (sequence, branch) in branches.enumerated() {
            let corrupted = branch.sample + 1
            if start == 0 {
                var corruption = runs.corruptions[branch.sample]
                corruption.sequence = sequence
                changes.append(corruption)
            } else {
                for position in branch.token..<fact.ids.count {
                    let isRestored = position == branch.token && settings.restored == .state
                    residual += runs.residual(start, sequence: isRestored ? 0 : corrupted, position)
                }
            }
            func replace(_ kind: Site.Kind, _ blocks: Range<Int>, from source: Int) {
                for block in blocks {
                    let vector = SiteTensor(
                        Array(runs.module(block, sequence: source, branch.token)))
                    changes.append(
                        SiteChange(
                            .replace(vector), at: Site(kind, layer: block), positions: .at(branch.token),
                            sequence: sequence))
                }
            }
            if settings.restored != .state {
                replace(
                    settings.restored.site, settings.blocks(around: layer, of: layers), from: 0)
            } else if let severed = settings.severed {
                replace(severed.site, start..<layers, from: corrupted)
            }
        }
        return SitePlan(
            changes: changes, start: start == 0 ? nil : ResumePoint(layer: start, residual: residual))
    }

    /// exp of the token's logit over the sum of all.
    static func probability(of token: Int32, in row: ArraySlice<Float>) -> Double {
        exponential(Double(row[row.startIndex + Int(token)]) - Elementwise.logSumExp(row))
    }

    /// Standard deviation over all values of some vectors, with one less than their number below the sum.
    private static func deviation(_ rows: [[Float]]) -> Double {
        let count = Double(rows.reduce(0) { $0 + $1.count })
        let mean = rows.reduce(0) { $0 + $1.reduce(0) { $0 + Double($1) } } / max(1, count)
        let squares = rows.reduce(0) { sum, row in
            sum + row.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        }
        return (squares / max(1, count - 1)).squareRoot()
    }
}

extension TracingSettings.Restored {
    /// Where it stands in a block.
    var site: Site.Kind {
        switch self {
        case .state: .output
        case .mlp: .mlpOutput
        case .attention: .attentionOutput
        }
    }
}

extension TracingSettings.Severed {
    var site: Site.Kind { self == .mlp ? .mlpOutput : .attentionOutput }
}
