import CorvidModels

/// The authors' way: each cell is one pass over the clean copy of the prompt and all corrupted ones, from the
/// embedding to the logits. Slow; there to check the other way, and to be measured.
extension CausalTracer {
    /// The same as ``trace(_:progress:)``, one full pass for each cell.
    public func traceNaively(
        _ fact: TracedFact, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> FactTrace? {
        try check(fact)
        let runs = try await recordRuns(of: fact)
        if let expected = fact.expected, expected != runs.likeliest { return nil }
        let layers = model.configuration.layers
        var means: [[Double]] = []
        for token in fact.ids.indices {
            var row: [Double] = []
            for layer in 0..<layers {
                let values = try await probabilities(
                    of: runs.answer, fact, restoring: token..<token + 1, layer: layer)
                row.append(values.reduce(0, +) / Double(max(1, values.count)))
                progress(token * layers + layer + 1, fact.ids.count * layers)
            }
            means.append(row)
        }
        return FactTrace(
            ids: fact.ids, subject: fact.subject, answer: runs.answer, cleanProbability: runs.clean,
            corruptedProbabilities: runs.corrupted, restoredProbabilities: means)
    }

    /// The probability of a token in each sample with some tokens of the prompt restored at a layer.
    public func probabilities(
        of answer: Int32, _ fact: TracedFact, restoring tokens: Range<Int>, layer: Int
    ) async throws -> [Double] {
        let layers = model.configuration.layers
        let count = settings.samples + 1
        var changes = corruption(of: fact, sequences: 0..<count)
        let blocks =
            settings.restored == .state
            ? layer..<layer + 1 : settings.blocks(around: layer, of: layers)
        for block in blocks {
            changes.append(
                SiteChange(
                    .closure(Self.copyClean), at: Site(settings.restored.site, layer: block),
                    positions: .range(tokens)))
        }
        if let severed = settings.severed {
            // The first pass says what the severed modules give where nothing is restored.
            let sites = (0..<layers).map { Site(severed.site, layer: $0) }
            let first = try await model.run(
                SitePlan(
                    changes: corruption(of: fact, sequences: 0..<count),
                    readings: sites.flatMap { site in
                        (1..<count).map { SiteReading(site, positions: .range(tokens), sequence: $0) }
                    }), wholeBatch(fact, sequences: count))
            for (index, rows) in first.readings.enumerated() {
                changes.append(
                    SiteChange(
                        .replace(
                            SiteTensor(rows: rows.values, columns: rows.columns, first: tokens.lowerBound)),
                        at: sites[index / (count - 1)], positions: .range(tokens),
                        sequence: index % (count - 1) + 1))
            }
        }
        let run = try await model.run(
            SitePlan(changes: changes), wholeBatch(fact, sequences: count))
        return (1..<count).map { Self.probability(of: answer, in: run.output.row($0)) }
    }

    /// Gives all sequences what the first one has.
    private static func copyClean(_ rows: inout SiteValues) {
        var clean: [Int: ArraySlice<Float>] = [:]
        for (row, place) in rows.places.enumerated() where place.sequence == 0 {
            clean[place.position] = rows[row]
        }
        for (row, place) in rows.places.enumerated() where place.sequence > 0 {
            if let values = clean[place.position] { rows[row] = values }
        }
    }
}
