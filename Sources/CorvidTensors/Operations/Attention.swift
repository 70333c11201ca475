import CorvidKernels

/// Keys and values of 256 positions of one layer, all key-value heads, f16 or f32.
///
/// Keys lie in tiles of 16 positions, so that a score is a sum in the order of the head's dimensions and
/// sixteen of them are made at once; values lie row by row.
public final class KeyValuePage: @unchecked Sendable {
    // Sound: a page is written only by the pass that holds its cache, at positions nobody reads yet.
    public static let positions = Int(CK_PAGE_POSITIONS)

    let shape: KeyValueShape
    private let buffer: AlignedBuffer

    public init(_ shape: KeyValueShape) throws {
        self.shape = shape
        buffer = try AlignedBuffer(byteCount: 2 * shape.heads * shape.headBytes)
    }

    /// A page with the same content.
    public func copy() throws -> KeyValuePage {
        let page = try KeyValuePage(shape)
        page.buffer.base.copyMemory(from: buffer.base, byteCount: buffer.byteCount)
        return page
    }

    fileprivate func keys(head: Int) -> UnsafeMutableRawPointer { buffer.base + head * shape.headBytes }
    fileprivate func values(head: Int) -> UnsafeMutableRawPointer {
        buffer.base + (shape.heads + head) * shape.headBytes
    }
}

/// Sizes of one layer's keys and values.
public struct KeyValueShape: Sendable, Equatable {
    /// Key-value heads.
    public let heads: Int
    public let headWidth: Int
    /// ``DType/f16`` or ``DType/f32``.
    public let type: DType

    public init(heads: Int, headWidth: Int, type: DType) {
        precondition(type == .f16 || type == .f32, "keys and values are f16 or f32")
        self.heads = heads
        self.headWidth = headWidth
        self.type = type
    }

    /// Bytes of one head's keys (or values) in a page.
    var headBytes: Int { KeyValuePage.positions * headWidth * type.blockBytes }
    /// Bytes of keys and values of one position.
    public var bytesPerPosition: Int { 2 * heads * headWidth * type.blockBytes }
}

/// Neighbouring rows of a pass that belong to one sequence.
public struct AttentionSegment {
    /// Rows of the pass.
    public let rows: Range<Int>
    /// Position of the first row.
    public let firstPosition: Int
    /// Pages of this layer and sequence, covering all positions up to the last row's.
    public let pages: [KeyValuePage]

    public init(rows: Range<Int>, firstPosition: Int, pages: [KeyValuePage]) {
        self.rows = rows
        self.firstPosition = firstPosition
        self.pages = pages
    }
}

/// Scores, softmax and weighted values of one layer.
public struct Attention: Sendable {
    public let heads: Int
    public let shape: KeyValueShape
    /// Multiplies q . k.
    public let scale: Float
    /// > 0: a row sees only its last `window` keys.
    public let window: Int
    /// ALiBi slopes `[heads]`, or nil.
    public let slopes: Vector?

    public init(heads: Int, shape: KeyValueShape, scale: Float, window: Int = 0, slopes: Vector? = nil) {
        precondition(shape.heads > 0 && heads % shape.heads == 0, "query heads must share key-value heads evenly")
        self.heads = heads
        self.shape = shape
        self.scale = scale
        self.window = window
        self.slopes = slopes
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
                            page.keys(head: head), isF32, width, slot, keys.pointer(row: row) + columns.key(head))
                        ck_store_value(
                            page.values(head: head), isF32, width, slot,
                            values.pointer(row: row) + columns.value(head))
                    }
                }
            }
        }
    }

    /// out[row, h·D ..< (h+1)·D] = Σ_j softmax_j(scale q·k_j + bias_j) v_j, causal. Keys and values of all rows
    /// are stored. `query` holds the rows' queries at `columns.query`, `out` is `[rows, heads·D]`.
    public func attend(
        query: Matrix, columns: Columns, segments: [AttentionSegment], into out: Matrix,
        workers: Workers
    ) throws {
        let tasks = AttentionTasks(segments: segments, shape: shape, threads: workers.threads)
        let group = heads / shape.heads
        // The heads of a group must be neighbours in the query's columns; where a fused product puts them
        // apart, they are worked on one by one.
        let together = (0..<heads - 1).allSatisfy {
            ($0 + 1) % group == 0 || columns.query($0 + 1) == columns.query($0) + shape.headWidth
        }
        let step = together ? group : 1
        var scratchFloats = 16
        for segment in segments {
            segment.withPages(shape: shape, head: 0) { keyPages, valuePages in
                var task = task(
                    segment, rows: 0..<segment.rows.count, head: 0, group: step, query: query, columns: columns,
                    out: out)
                task.key_pages = keyPages
                task.value_pages = valuePages
                scratchFloats = max(scratchFloats, ck_attend_scratch_floats(&task))
            }
        }
        let scratch = try workers.scratch(byteCount: scratchFloats * 4)
        workers.forEach(tasks.count) { index, worker in
            let (segment, keyValueHead, rows) = tasks[index]
            let memory = scratch.pointer(worker: worker).assumingMemoryBound(to: Float.self)
            segments[segment].withPages(shape: shape, head: keyValueHead) { keyPages, valuePages in
                for head in Swift.stride(from: keyValueHead * group, to: (keyValueHead + 1) * group, by: step) {
                    var task = task(
                        segments[segment], rows: rows, head: head, group: step, query: query, columns: columns,
                        out: out)
                    task.key_pages = keyPages
                    task.value_pages = valuePages
                    ck_attend(&task, memory)
                }
            }
        }
    }

    private func task(
        _ segment: AttentionSegment, rows: Range<Int>, head: Int, group: Int, query: Matrix, columns: Columns,
        out: Matrix
    ) -> ck_attention {
        var task = ck_attention()
        let firstRow = segment.rows.lowerBound + rows.lowerBound
        task.keys_are_f32 = shape.type == .f32 ? 1 : 0
        task.head_width = shape.headWidth
        task.group = group
        task.rows = rows.count
        task.first_position = segment.firstPosition + rows.lowerBound
        task.key_count = segment.firstPosition + segment.rows.count
        task.causal = 1
        task.window = window
        task.scale = scale
        task.slopes = slopes.map { $0.pointer + head }
        task.query = UnsafePointer(query.pointer(row: firstRow) + columns.query(head))
        task.query_stride = query.stride
        task.out = out.pointer(row: firstRow) + head * shape.headWidth
        task.out_stride = out.stride
        return task
    }
}

extension AttentionSegment {
    fileprivate func withPages(
        shape: KeyValueShape, head: Int,
        _ body: (UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeRawPointer?>?) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: 2 * max(1, pages.count)) { pointers in
            for (index, page) in pages.enumerated() {
                pointers.initializeElement(at: index, to: UnsafeRawPointer(page.keys(head: head)))
                pointers.initializeElement(
                    at: pages.count + index, to: UnsafeRawPointer(page.values(head: head)))
            }
            let start = pointers.baseAddress.map { UnsafePointer($0) }
            body(start, start.map { $0 + pages.count })
        }
    }
}

/// Division of attention into tasks: (segment, key-value head, rows).
private struct AttentionTasks {
    private var tasks: [(segment: Int, head: Int, rows: Range<Int>)] = []
    var count: Int { tasks.count }
    subscript(task: Int) -> (segment: Int, head: Int, rows: Range<Int>) { tasks[task] }

    init(segments: [AttentionSegment], shape: KeyValueShape, threads: Int) {
        for (index, segment) in segments.enumerated() {
            let rows = segment.rows.count
            // Long prompts are split by rows, too: later rows see more keys.
            let size = rows > 64 ? max(32, rows / (threads * 2)) : rows
            for head in 0..<shape.heads {
                var start = 0
                while start < rows {
                    let end = min(rows, start + size)
                    tasks.append((index, head, start..<end))
                    start = end
                }
            }
        }
    }
}
