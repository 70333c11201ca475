import CorvidKernels

/// Neighbouring rows of a pass that attend to one sequence.
public struct AttentionSegment {
    /// Rows of the pass.
    public let rows: Range<Int>
    /// Position of the first row.
    public let firstPosition: Int
    /// Positions that have keys and values.
    public let keyCount: Int
    /// Pages of the sequence, covering all these positions.
    public let pages: [KeyValuePage]

    /// Rows of the sequence itself, the last of which is its last position.
    public init(rows: Range<Int>, firstPosition: Int, pages: [KeyValuePage]) {
        self.init(
            rows: rows, firstPosition: firstPosition, keyCount: firstPosition + rows.count, pages: pages)
    }

    public init(rows: Range<Int>, firstPosition: Int, keyCount: Int, pages: [KeyValuePage]) {
        self.rows = rows
        self.firstPosition = firstPosition
        self.keyCount = keyCount
        self.pages = pages
    }
}

/// Scores, softmax and weighted values of one layer.
public struct Attention: Sendable {
    public let layer: Int
    public let heads: Int
    public let shape: KeyValueShape
    /// Multiplies q . k.
    public let scale: Float
    /// Whether a row sees no later position; else it sees all that have keys.
    public let isCausal: Bool
    /// > 0: a row sees only its last `window` keys.
    public let window: Int
    /// What is added to the scores, if anything.
    public let bias: Bias?

    /// What is added to the scores.
    public enum Bias: Sendable {
        /// slope · (key - query) with a slope for each head, `[heads]` (ALiBi).
        case slopes(Vector)
        case table(DistanceBias)
    }

    /// - Parameter shape: of keys and values; its pages may have more heads than the layer.
    public init(
        layer: Int, heads: Int, shape: KeyValueShape, scale: Float, isCausal: Bool = true, window: Int = 0,
        bias: Bias? = nil
    ) {
        precondition(
            shape.heads > 0 ? heads % shape.heads == 0 : heads == 0,
            "query heads must share key-value heads evenly")
        self.layer = layer
        self.heads = heads
        self.shape = shape
        self.scale = scale
        self.isCausal = isCausal
        self.window = window
        self.bias = bias
    }

    /// Where the columns of queries, keys and values stand in the matrices that hold them.
    public struct Columns: Sendable {
        public let query, key, value: @Sendable (Int) -> Int

        public init(
            query: @escaping @Sendable (Int) -> Int, key: @escaping @Sendable (Int) -> Int,
            value: @escaping @Sendable (Int) -> Int
        ) {
            self.query = query
            self.key = key
            self.value = value
        }
    }

    /// Stores the keys and values of all rows in their pages, rounded to the cache's type.
    public func store(
        keys: Matrix, values: Matrix, columns: Columns, segments: [AttentionSegment], workers: Workers
    ) {
        let outer = workers.begin(.cache)
        defer { workers.end(outer) }
        let isF32: Int32 = shape.type == .f32 ? 1 : 0
        let width = shape.headWidth
        for segment in segments {
            // One task per head: no two workers write into one tile.
            let tasks = segment.rows.count * width > 4096 ? shape.heads : 1
            workers.forEach(tasks) { task, _ in
                let range = tasks == 1 ? 0..<shape.heads : task..<task + 1
                for (index, row) in segment.rows.enumerated() {
                    let position = segment.firstPosition + index
                    let page = segment.pages[position / KeyValuePage.positions]
                    let slot = position % KeyValuePage.positions
                    for head in range {
                        ck_store_key(
                            page.keys(layer: layer, head: head), isF32, width, slot,
                            keys.pointer(row: row) + columns.key(head))
                        ck_store_value(
                            page.values(layer: layer, head: head), isF32, width, slot,
                            values.pointer(row: row) + columns.value(head))
                    }
                }
            }
        }
    }

    /// out[row, h·D ..< (h+1)·D] = Σ_j softmax_j(scale q·k_j + bias_j) v_j. All keys and values are stored.
    /// `query` holds the rows' queries at `columns.query`, `out` is `[rows, heads·D]`.
    /// - Parameter pattern: is shown the softmax before the values are weighted with it, and may change it.
    public func attend(
        query: Matrix, columns: Columns, segments: [AttentionSegment], into out: Matrix, workers: Workers,
        arena: Arena, pattern: ((AttentionPattern) throws -> Void)? = nil
    ) throws {
        let outer = workers.begin(.attention)
        defer { workers.end(outer) }
        let group = heads / shape.heads
        // The heads of a group must be neighbours in the query's columns; where a fused product puts them
        // apart, they are worked on one by one.
        let together = (0..<heads - 1).allSatisfy {
            ($0 + 1) % group == 0 || columns.query($0 + 1) == columns.query($0) + shape.headWidth
        }
        let units = AttentionUnits(
            segments: segments, shape: shape, group: group, step: together ? group : 1,
            threads: workers.threads)
        let tables = try PageTables(segments, layer: layer, shape: shape, arena: arena)
        let tasks = units.list.map { unit in
            task(unit, segments[unit.segment], tables, group: group, query: query, columns: columns, out: out)
        }
        if let pattern {
            try attendInStages(tasks, workers: workers, arena: arena) { scratch in
                let heads = units.list.map { $0.firstHead..<$0.firstHead + $0.heads }
                let rows = units.list.map { segments[$0.segment].rows.lowerBound + $0.rows.lowerBound }
                try pattern(AttentionPattern(tasks, heads: heads, rows: rows, scratch: scratch))
            }
        } else if units.areShared {
            try attendInStages(tasks, workers: workers, arena: arena)
        } else {
            try attendWhole(tasks, workers: workers)
        }
    }

    /// Each task by one worker.
    private func attendWhole(_ tasks: [ck_attention], workers: Workers) throws {
        var scratchFloats = 16
        for var task in tasks { scratchFloats = max(scratchFloats, ck_attend_scratch_floats(&task)) }
        let scratch = try workers.scratch(byteCount: scratchFloats * 4)
        workers.forEach(tasks.count) { index, worker in
            var task = tasks[index]
            ck_attend(&task, scratch.pointer(worker: worker).assumingMemoryBound(to: Float.self))
        }
    }

    /// Each task by all workers: they share a head's positions, then its queries, then its dimensions.
    ///
    /// - Parameter change: sees the exponentials and sums in the tasks' scratch memory.
    private func attendInStages(
        _ tasks: [ck_attention], workers: Workers, arena: Arena,
        change: ([UnsafeMutablePointer<Float>]) throws -> Void = { _ in }
    ) throws {
        let scratch = try tasks.map { task in
            var task = task
            let floats = ck_attend_stages_scratch_floats(&task)
            return try arena.reserve(byteCount: floats * 4).base.bindMemory(to: Float.self, capacity: floats)
        }
        let parts = workers.threads
        func share(_ count: Int, of granule: Int, _ part: Int) -> Range<Int> {
            let pieces = (count + granule - 1) / granule
            return min(
                count, pieces * part / parts * granule)..<min(count, pieces * (part + 1) / parts * granule)
        }
        func stage(
            _ granule: Int, _ size: (ck_attention) -> Int,
            _ run: (UnsafePointer<ck_attention>, Int, Int, UnsafeMutablePointer<Float>) -> Void
        ) {
            workers.forEach(tasks.count * parts) { index, _ in
                var task = tasks[index / parts]
                let range = share(size(task), of: granule, index % parts)
                if !range.isEmpty { run(&task, range.lowerBound, range.upperBound, scratch[index / parts]) }
            }
        }
        stage(Int(CK_TILE_POSITIONS), { $0.key_count }) { ck_attend_products($0, $1, $2, $3) }
        stage(1, { $0.rows * $0.group }) { ck_attend_exponentials($0, $1, $2, $3) }
        try change(scratch)
        // Whole cache lines, so that no line of the values is read by two workers.
        stage(64 / shape.type.blockBytes, { $0.head_width }) { ck_attend_values($0, $1, $2, $3) }
    }

    private func task(
        _ unit: AttentionUnits.Unit, _ segment: AttentionSegment, _ tables: PageTables, group: Int,
        query: Matrix, columns: Columns, out: Matrix
    ) -> ck_attention {
        var task = ck_attention()
        let firstRow = segment.rows.lowerBound + unit.rows.lowerBound
        let head = unit.firstHead
        task.keys_are_f32 = shape.type == .f32 ? 1 : 0
        task.key_pages = tables.keys(segment: unit.segment, head: head / group)
        task.value_pages = tables.values(segment: unit.segment, head: head / group)
        task.head_width = shape.headWidth
        task.group = unit.heads
        task.rows = unit.rows.count
        task.first_position = segment.firstPosition + unit.rows.lowerBound
        task.key_count =
            isCausal
            ? min(segment.keyCount, segment.firstPosition + unit.rows.upperBound) : segment.keyCount
        task.causal = isCausal ? 1 : 0
        task.window = window
        task.scale = scale
        switch bias {
        case nil: break
        case .slopes(let slopes): task.slopes = slopes.pointer + head
        case .table(let table):
            task.biases = table.pointer(head: head)
            task.first_bias = table.first
            task.bias_count = table.count
        }
        task.query = UnsafePointer(query.pointer(row: firstRow) + columns.query(head))
        task.query_stride = query.stride
        task.out = out.pointer(row: firstRow) + head * shape.headWidth
        task.out_stride = out.stride
        return task
    }
}

/// Division of attention into units: some heads of one segment for some of its rows.
private struct AttentionUnits {
    struct Unit {
        let segment: Int
        let firstHead: Int
        let heads: Int
        let rows: Range<Int>
    }

    private(set) var list: [Unit] = []
    /// Whether all workers share each unit, since whole ones would leave some of them idle.
    let areShared: Bool

    init(segments: [AttentionSegment], shape: KeyValueShape, group: Int, step: Int, threads: Int) {
        var mostKeys = 0
        for (index, segment) in segments.enumerated() {
            let rows = segment.rows.count
            // Long prompts are split by rows, too: later rows see more keys.
            let size = rows > 64 ? max(32, rows / (threads * 2)) : rows
            mostKeys = max(mostKeys, segment.keyCount)
            for head in stride(from: 0, to: shape.heads * group, by: step) {
                for start in stride(from: 0, to: rows, by: size) {
                    list.append(
                        Unit(
                            segment: index, firstHead: head, heads: step,
                            rows: start..<min(rows, start + size)))
                }
            }
        }
        // Three hand-overs instead of one pay only where a unit takes much longer than they do.
        let isLong = segments.allSatisfy { $0.rows.count == 1 } && mostKeys * shape.headWidth >= 65_536
        areShared = isLong && list.count < threads
    }
}

extension Attention.Bias {
    /// What is added to the scores of some heads only.
    public func of(heads: [Int]) throws -> Attention.Bias {
        guard case .slopes(let slopes) = self, heads != Array(0..<slopes.count) else { return self }
        let values = slopes.values
        return .slopes(try Vector(heads.map { values.indices.contains($0) ? values[$0] : 0 }))
    }
}

/// Pointers to the pages of every segment and head, in the arena for the time of one operation.
private struct PageTables {
    private let shape: KeyValueShape
    private let base: UnsafeMutablePointer<UnsafeRawPointer?>
    private var starts: [Int] = []
    private var counts: [Int] = []

    init(_ segments: [AttentionSegment], layer: Int, shape: KeyValueShape, arena: Arena) throws {
        self.shape = shape
        let total = segments.reduce(0) { $0 + 2 * shape.heads * $1.pages.count }
        let bytes = total * MemoryLayout<UnsafeRawPointer?>.stride
        base = try arena.reserve(byteCount: bytes).base.bindMemory(
            to: UnsafeRawPointer?.self, capacity: total)
        var next = 0
        for segment in segments {
            starts.append(next)
            counts.append(segment.pages.count)
            for head in 0..<shape.heads {
                for (index, page) in segment.pages.enumerated() {
                    base[next + index] = UnsafeRawPointer(page.keys(layer: layer, head: head))
                    base[next + segment.pages.count + index] = UnsafeRawPointer(
                        page.values(layer: layer, head: head))
                }
                next += 2 * segment.pages.count
            }
        }
    }

    func keys(segment: Int, head: Int) -> UnsafePointer<UnsafeRawPointer?> {
        UnsafePointer(base + starts[segment] + 2 * head * counts[segment])
    }

    func values(segment: Int, head: Int) -> UnsafePointer<UnsafeRawPointer?> {
        keys(segment: segment, head: head) + counts[segment]
    }
}
