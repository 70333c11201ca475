import CorvidModels

/// The clean run of a fact and its corrupted ones: what cells begin with, and what is restored in them.
///
/// Sequence 0 is the clean run, the others are the samples.
struct TraceRuns {
    /// Of the corrupted runs.
    var caches: [KeyValueCache] = []
    /// The likeliest token of the clean run.
    var likeliest: Int32 = 0
    /// The token that is measured, its probability in the clean run and in the corrupted ones.
    var answer: Int32 = 0
    var clean = 0.0
    var corrupted: [Double] = []
    /// The noise of each sample.
    fileprivate(set) var corruptions: [SiteChange] = []
    /// The residual after each block, from position `first` on, sequence after sequence.
    fileprivate var residuals: [[Float]]
    /// Outputs of each block's MLP or attention in the same order; empty if nobody asks for them.
    fileprivate var modules: [[Float]]
    private let first: Int
    /// Positions of a sequence.
    private let positions: Int
    private let width: Int

    init(_ fact: TracedFact, layers: Int, width: Int) {
        first = fact.subject.lowerBound
        positions = fact.ids.count - first
        self.width = width
        residuals = [[Float]](repeating: [], count: layers)
        modules = [[Float]](repeating: [], count: layers)
    }

    /// The residual before a block, from 1; for the number of blocks, the one after them.
    func residual(_ block: Int, sequence: Int, _ position: Int) -> ArraySlice<Float> {
        row(of: residuals[block - 1], sequence: sequence, position)
    }

    /// The output of a block's MLP or attention.
    func module(_ block: Int, sequence: Int, _ position: Int) -> ArraySlice<Float> {
        row(of: modules[block], sequence: sequence, position)
    }

    private func row(of values: [Float], sequence: Int, _ position: Int) -> ArraySlice<Float> {
        let start = (sequence * positions + position - first) * width
        return values[start..<start + width]
    }
}

extension CausalTracer {
    /// Runs a fact clean and with every sample of noise, and records what the cells need.
    /// - Throws: ``TracingError``, or what a pass throws.
    func recordRuns(of fact: TracedFact) async throws -> TraceRuns {
        try check(fact)
        let configuration = model.configuration
        let layers = configuration.layers
        var runs = TraceRuns(fact, layers: layers, width: configuration.width)
        let positions = Positions.from(fact.subject.lowerBound)
        var sites = (0..<layers).map { Site.output(of: $0) }
        if let kind = recordedModule { sites += (0..<layers).map { Site(kind, layer: $0) } }
        runs.corruptions = corruption(of: fact, sequences: 0..<settings.samples + 1)
        let perPass = max(1, settings.rowsPerPass / fact.ids.count)
        for first in stride(from: 0, through: settings.samples, by: perPass) {
            let sequences = first..<min(settings.samples + 1, first + perPass)
            let batch = try wholeBatch(fact, sequences: sequences.count)
            let plan = SitePlan(
                changes: corruption(of: fact, sequences: sequences),
                readings: sites.map { SiteReading($0, positions: positions) })
            let run = try await model.run(plan, batch)
            for (index, rows) in run.readings.enumerated() {
                if index < layers {
                    runs.residuals[index] += rows.values
                } else {
                    runs.modules[index - layers] += rows.values
                }
            }
            for sequence in sequences {
                let row = run.output.row(sequence - first)
                if sequence == 0 {
                    runs.likeliest = Self.likeliest(in: row)
                    runs.answer = fact.answer ?? runs.likeliest
                }
                let probability = Self.probability(of: runs.answer, in: row)
                guard probability.isFinite else {
                    let position = fact.ids.count - 1
                    // Where there is no noise, it is the model.
                    if sequence == 0 { throw GenerationError.notFinite(position: position) }
                    throw TracingError.notFinite(layer: nil, position: position)
                }
                if sequence == 0 {
                    runs.clean = probability
                } else {
                    runs.corrupted.append(probability)
                    runs.caches.append(batch.caches[sequence - first])
                }
            }
        }
        return runs
    }

    func check(_ fact: TracedFact) throws {
        guard fact.ids.count <= model.contextLength else {
            throw TracingError.tooLong(tokens: fact.ids.count, context: model.contextLength)
        }
        for id in [fact.answer, fact.expected].compactMap({ $0 }) {
            guard id >= 0, Int(id) < model.vocabularySize else {
                throw TracingError.answer(id: id, vocabulary: model.vocabularySize)
            }
        }
    }

    private var recordedModule: Site.Kind? {
        settings.restored == .state ? settings.severed?.site : settings.restored.site
    }

    /// Whole sequences, of which the last row is read.
    func wholeBatch(_ fact: TracedFact, sequences: Int) throws -> Batch<KeyValueCache> {
        let rows = (0..<sequences).flatMap { sequence in
            fact.ids.enumerated().map { position, id in
                Batch<KeyValueCache>.Row(
                    token: id, sequence: sequence, position: position,
                    wantsLogits: position == fact.ids.count - 1)
            }
        }
        return Batch(rows: rows, caches: try (0..<sequences).map { _ in try model.makeCache() })
    }

    /// Noise on the subject in some of the sequences; the first of all is clean.
    func corruption(of fact: TracedFact, sequences: Range<Int>) -> [SiteChange] {
        sequences.filter { $0 > 0 }.map { sequence in
            let vectors = SiteTensor(
                rows: noise.vectors(sample: sequence - 1, count: fact.subject.count),
                columns: model.configuration.embeddingWidth, first: fact.subject.lowerBound)
            return SiteChange(
                settings.noise.replaces ? .replace(vectors) : .add(vectors), at: .embedding,
                positions: .range(fact.subject), sequence: sequence - sequences.lowerBound)
        }
    }

    private static func likeliest(in row: ArraySlice<Float>) -> Int32 {
        let best = row.indices.max { (row[$0], $1) < (row[$1], $0) } ?? row.startIndex
        return Int32(best - row.startIndex)
    }
}

extension Model {
    /// The embeddings of some tokens, before their positions are added.
    func embeddings(of ids: [Int32]) async throws -> [[Float]] {
        var known: [Int32: [Float]] = [:]
        let needed = Array(Set(ids)).sorted()
        let most = max(1, min(512, contextLength))
        for start in stride(from: 0, to: needed.count, by: most) {
            let some = needed[start..<min(needed.count, start + most)]
            let rows = some.enumerated().map { position, id in
                Batch<KeyValueCache>.Row(token: id, sequence: 0, position: position, wantsLogits: false)
            }
            let plan = SitePlan(readings: [SiteReading(.embedding)], endsAfterReadings: true)
            let run = try await run(plan, Batch(rows: rows, caches: [makeCache()]))
            for (row, id) in some.enumerated() { known[id] = Array(run.readings[0][row]) }
        }
        return ids.compactMap { known[$0] }
    }
}
