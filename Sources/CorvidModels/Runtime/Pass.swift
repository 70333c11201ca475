import CorvidTensors

/// A checked batch: what the transformer needs to know of its rows.
struct Pass {
    let tokens: [Int]
    let positions: [Int]
    let tokenTypes: [Int]
    /// Rows that want an output.
    let wantedRows: [Int]
    private let runs: [Run]

    /// Neighbouring rows of one sequence.
    private struct Run {
        let rows: Range<Int>
        let firstPosition: Int
        let cache: KeyValueCache
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
            guard row.position < contextLength else {
                throw PassError.contextFull(positions: row.position + 1, contextLength: contextLength)
            }
            next[row.sequence] += 1
            let isLast = index + 1 == batch.rows.count || batch.rows[index + 1].sequence != row.sequence
            if isLast {
                runs.append(
                    Run(
                        rows: start..<index + 1, firstPosition: row.position - (index - start),
                        cache: batch.caches[row.sequence]))
                start = index + 1
            }
        }
        tokens = batch.rows.map { Int($0.token) }
        positions = batch.rows.map(\.position)
        self.tokenTypes = batch.rows.map(\.tokenType)
        wantedRows = batch.rows.indices.filter { batch.rows[$0].wantsLogits }
        self.runs = runs
        for (cache, end) in zip(batch.caches, next) { try cache.reserve(upTo: end) }
    }

    /// The rows of each sequence with its pages.
    var segments: [AttentionSegment] {
        runs.map { AttentionSegment(rows: $0.rows, firstPosition: $0.firstPosition, pages: $0.cache.pages) }
    }

    /// The rows of each sequence with its pages of sense vectors.
    var senseSegments: [AttentionSegment] {
        runs.map {
            AttentionSegment(
                rows: $0.rows, firstPosition: $0.firstPosition, pages: $0.cache.senses?.pages ?? [])
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
