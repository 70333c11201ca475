import CorvidTensors

/// A checked batch: what the transformer needs to know of its rows.
struct Pass {
    let tokens: [Int]
    let positions: [Int]
    let tokenTypes: [Int]
    /// Rows that want an output.
    let wantedRows: [Int]
    /// Length of the prompt of each sequence.
    let promptEnds: [Int]
    private let runs: [Run]

    /// Neighbouring rows of one sequence.
    private struct Run {
        let rows: Range<Int>
        let sequence: Int
        /// Position of the first row, counted from the first token.
        let firstPosition: Int
        let cache: KeyValueCache

        /// The same counted from the first key.
        var firstKey: Int { firstPosition + cache.prefixCount }
    }

    /// Checks the rows of `batch` and makes room in its caches.
    /// - Parameters:
    ///   - sees: what the rows attend to.
    ///   - readsSource: whether sequences need a source text.
    /// - Throws: ``PassError`` before anything was changed, or an error of memory.
    init(
        _ batch: Batch<KeyValueCache>, vocabulary: Int, contextLength: Int, tokenTypes: Int = 0,
        sees: Family.Visibility = .earlier, readsSource: Bool = false
    ) throws {
        var runs: [Run] = []
        var next = batch.caches.map(\.count)
        var start = 0
        for (index, row) in batch.rows.enumerated() {
            guard row.token >= 0, Int(row.token) < vocabulary else {
                throw PassError.token(id: row.token, vocabularySize: vocabulary)
            }
            guard batch.caches.indices.contains(row.sequence) else {
                throw PassError.sequence(index: row.sequence, count: batch.caches.count)
            }
            guard row.position == next[row.sequence] else {
                throw PassError.position(found: row.position, expected: next[row.sequence])
            }
            guard row.tokenType >= 0, row.tokenType < max(1, tokenTypes) else {
                throw PassError.tokenType(found: row.tokenType, count: tokenTypes)
            }
            guard !readsSource || batch.caches[row.sequence].source != nil else {
                throw PassError.noSource(sequence: row.sequence)
            }
            let isNew = start == index
            guard sees == .earlier || !isNew || row.position == 0 else {
                throw PassError.notWhole(position: row.position)
            }
            let before = batch.caches[row.sequence].prefixCount
            guard row.position < contextLength - before else {
                throw PassError.contextFull(
                    positions: row.position + before + 1, contextLength: contextLength)
            }
            next[row.sequence] += 1
            let isLast = index + 1 == batch.rows.count || batch.rows[index + 1].sequence != row.sequence
            if isLast {
                runs.append(
                    Run(
                        rows: start..<index + 1, sequence: row.sequence,
                        firstPosition: row.position - (index - start), cache: batch.caches[row.sequence]))
                start = index + 1
            }
        }
        tokens = batch.rows.map { Int($0.token) }
        positions = batch.rows.map { $0.position + batch.caches[$0.sequence].prefixCount }
        self.tokenTypes = batch.rows.map(\.tokenType)
        wantedRows = batch.rows.indices.filter { batch.rows[$0].wantsLogits }
        self.runs = runs
        promptEnds = next.indices.map { index in
            index < batch.promptCounts.count ? batch.promptCounts[index] ?? next[index] : next[index]
        }
        for (cache, end) in zip(batch.caches, next) { try cache.reserve(upTo: end) }
    }

    /// The rows of each sequence with its pages.
    var segments: [AttentionSegment] {
        runs.map { AttentionSegment(rows: $0.rows, firstPosition: $0.firstKey, pages: $0.cache.pages) }
    }

    /// Where each row stands, counted from its sequence's first token.
    var places: [SiteValues.Place] {
        runs.flatMap { run in
            run.rows.indices.map {
                SiteValues.Place(
                    sequence: run.sequence, position: run.firstPosition + $0 - run.rows.lowerBound)
            }
        }
    }

    /// The rows at some positions of a sequence, or of all.
    /// - Throws: ``SiteError/sequence(index:count:)``.
    func rows(_ positions: Positions, sequence: Int?) throws -> [Range<Int>] {
        if let sequence, !promptEnds.indices.contains(sequence) {
            throw SiteError.sequence(index: sequence, count: promptEnds.count)
        }
        return runs.flatMap { run -> [Range<Int>] in
            guard sequence == nil || sequence == run.sequence else { return [] }
            let origin = positions.origin == .start ? 0 : promptEnds[run.sequence]
            // Row r has the position r + shift, counted as `positions` are.
            let shift = run.firstPosition - run.rows.lowerBound - origin
            return positions.ranges.compactMap { range in
                let lower = max(run.rows.lowerBound, range.lowerBound - shift)
                let upper =
                    range.upperBound == .max
                    ? run.rows.upperBound : min(run.rows.upperBound, range.upperBound - shift)
                return lower < upper ? lower..<upper : nil
            }
        }
    }

    /// The rows of each sequence with its pages of sense vectors.
    var senseSegments: [AttentionSegment] {
        runs.map {
            AttentionSegment(
                rows: $0.rows, firstPosition: $0.firstKey, pages: $0.cache.senses?.pages ?? [])
        }
    }

    /// The rows of each sequence with the pages of its source text; none if no sequence has one.
    /// - Parameter chosen: the rows that there are, counted without the others; nil: all.
    func sourceSegments(_ chosen: [Int]?) -> [AttentionSegment] {
        var next = 0
        return runs.compactMap { run in
            guard let source = run.cache.source else { return nil }
            let count = chosen?.count { run.rows.contains($0) } ?? run.rows.count
            guard count > 0 else { return nil }
            defer { next += count }
            return AttentionSegment(
                rows: next..<next + count, firstPosition: 0, keyCount: source.count, pages: source.pages)
        }
    }

    /// The caches hold all rows now.
    func finish() {
        for run in runs { run.cache.advance(to: run.firstPosition + run.rows.count) }
    }
}
