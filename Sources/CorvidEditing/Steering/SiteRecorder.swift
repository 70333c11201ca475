import CorvidModels

/// Records the residual stream of many texts: as many side by side as are worth a pass, ended behind the last
/// layer that is asked for, and without logits.
struct SiteRecorder: Sendable {
    let model: Model
    /// Most rows of a pass.
    var passRows = 1_024
    /// Most values that a pass records.
    var passValues = 1 << 26

    /// - Parameters:
    ///   - texts: token ids.
    ///   - sites: what is recorded.
    ///   - positions: of each text; its end counts as the end of its prompt.
    ///   - consume: is called with each text in order and what was recorded of it, site by site.
    /// - Throws: what the model throws; ``SteeringError/notFinite(_:text:)``.
    func record(
        _ texts: [[Int32]], at sites: [Site], positions: Positions,
        consume: (_ text: Int, _ values: [SiteValues]) throws -> Void,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        guard model.continuesText else { throw GenerationError.continuesNoText }
        let width = max(1, model.configuration.width * max(1, sites.count))
        let most = max(1, min(passRows, passValues / width))
        var next = 0
        while next < texts.count {
            try Task.checkCancellation()
            let first = next
            var rows = 0
            repeat {
                rows += texts[next].count
                next += 1
            } while next < texts.count && rows + texts[next].count <= most
            let plan = SitePlan(
                readings: sites.map { SiteReading($0, positions: positions) }, endsAfterReadings: true)
            let run = try await model.run(plan, try batch(texts[first..<next]))
            for text in first..<next {
                let values = run.readings.map { $0.of(sequence: text - first) }
                for (site, found) in zip(sites, values) where !found.values.allSatisfy(\.isFinite) {
                    throw SteeringError.notFinite(site, text: text)
                }
                try consume(text, values)
            }
            progress(next, texts.count)
        }
    }

    private func batch(_ texts: ArraySlice<[Int32]>) throws -> Batch<KeyValueCache> {
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        for (sequence, ids) in texts.enumerated() {
            batch.caches.append(try model.makeCache())
            for (position, id) in ids.enumerated() {
                batch.rows.append(
                    .init(token: id, sequence: sequence, position: position, wantsLogits: false))
            }
        }
        return batch
    }
}

extension SiteValues {
    /// The rows of one sequence.
    func of(sequence: Int) -> SiteValues {
        let rows = places.indices.filter { places[$0].sequence == sequence }
        return SiteValues(
            places: rows.map { places[$0] }, columns: columns, values: rows.flatMap { self[$0] })
    }
}
