import CorvidTensors

/// A checked batch: what the transformer needs to know of its rows.
struct Pass {
    let tokens: [Int]
    let positions: [Int]
    /// Rows that want logits.
    let logitRows: [Int]
    private let runs: [Run]

    /// Neighbouring rows of one sequence.
    private struct Run {
        let rows: Range<Int>
        let firstPosition: Int
        let cache: KeyValueCache
    }

    /// Checks the rows of `batch` and makes room in its caches.
    /// - Throws: ``PassError`` before anything was changed, or an error of memory.
    init(_ batch: Batch<KeyValueCache>, vocabulary: Int, contextLength: Int) throws {
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
        logitRows = batch.rows.indices.filter { batch.rows[$0].wantsLogits }
        self.runs = runs
        for (cache, end) in zip(batch.caches, next) { try cache.reserve(upTo: end) }
    }

    /// The rows of each sequence with its pages.
    var segments: [AttentionSegment] {
        runs.map { AttentionSegment(rows: $0.rows, firstPosition: $0.firstPosition, pages: $0.cache.pages) }
    }

    /// The caches hold all rows now.
    func finish() {
        for run in runs { run.cache.advance(to: run.firstPosition + run.rows.count) }
    }
}
