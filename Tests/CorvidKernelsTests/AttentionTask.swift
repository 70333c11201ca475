import CorvidKernels
import TestSupport

/// One key-value head with its cache pages, filled as the runtime fills them, and queries over it.
final class AttentionTask {
    struct Shape {
        var f32 = false
        var width = 16
        var group = 1
        var rows = 1
        var firstPosition = 0
        var keyCount = 1
        var causal = true
        var window = 0
        var scale: Float = 0.25
        var slopes: [Float]? = nil
        /// What each head adds at the distances `firstBias...`, beyond them as at their ends.
        var biases: [[Float]]? = nil
        var firstBias = 0
    }

    let shape: Shape
    private let keyPages: [UnsafeMutableRawPointer]
    private let valuePages: [UnsafeMutableRawPointer]
    /// `[keyCount, width]`, as the cache holds them: rounded to f16 unless `f32`.
    private(set) var keys: [Float]
    private(set) var values: [Float]
    /// `[rows, group, width]`
    var queries: [Float]

    init(_ shape: Shape, using random: inout SeededGenerator) {
        self.shape = shape
        let pageBytes = Int(CK_PAGE_POSITIONS) * shape.width * (shape.f32 ? 4 : 2)
        let pages = (shape.keyCount + 255) / 256
        // All bits set is NaN in both types: what was never written must not be seen.
        func page() -> UnsafeMutableRawPointer {
            let page = UnsafeMutableRawPointer.allocate(byteCount: pageBytes, alignment: 64)
            page.initializeMemory(as: UInt8.self, repeating: 0xFF, count: pageBytes)
            return page
        }
        keyPages = (0..<pages).map { _ in page() }
        valuePages = (0..<pages).map { _ in page() }
        keys = random.floats(shape.keyCount * shape.width, magnitude: 2)
        values = random.floats(shape.keyCount * shape.width)
        queries = random.floats(shape.rows * shape.group * shape.width)
        if !shape.f32 {
            keys = Self.roundedToHalf(keys)
            values = Self.roundedToHalf(values)
        }
        for position in 0..<shape.keyCount {
            let vector = position * shape.width..<(position + 1) * shape.width
            store(key: Array(keys[vector]), value: Array(values[vector]), at: position)
        }
    }

    deinit {
        for page in keyPages + valuePages { page.deallocate() }
    }

    /// Writes a key and a value over those at a position.
    func store(key: [Float], value: [Float], at position: Int) {
        let vector = position * shape.width..<(position + 1) * shape.width
        keys.replaceSubrange(vector, with: key)
        values.replaceSubrange(vector, with: value)
        let type: Int32 = shape.f32 ? 1 : 0
        ck_store_key(keyPages[position / 256], type, shape.width, position % 256, key)
        ck_store_value(valuePages[position / 256], type, shape.width, position % 256, value)
    }

    /// The positions which a row sees.
    func visible(row: Int) -> Range<Int> {
        let end = shape.causal ? min(shape.firstPosition + row + 1, shape.keyCount) : shape.keyCount
        return (shape.window > 0 ? max(0, end - shape.window) : 0)..<end
    }

    /// What is added to the score of a head at a position.
    func bias(row: Int, head: Int, position: Int) -> Float {
        if let biases = shape.biases {
            let distance = position - (shape.firstPosition + row)
            return biases[head][min(max(distance - shape.firstBias, 0), biases[head].count - 1)]
        }
        guard let slopes = shape.slopes else { return 0 }
        return slopes[head] * Float(position - (visible(row: row).upperBound - 1))
    }

    // MARK: The kernel

    /// The output of rows `rows`, computed together: `[rows, group, width]`.
    func attend(rows: Range<Int>? = nil) -> [Float] {
        run(rows ?? 0..<shape.rows, floats: ck_attend_scratch_floats) { task, scratch in
            ck_attend(task, scratch)
        }
    }

    /// The output of all rows by the three stages, each cut into parts of random size.
    func attendInStages(using random: inout SeededGenerator) -> [Float] {
        run(0..<shape.rows, floats: ck_attend_stages_scratch_floats) { task, scratch in
            Self.parts(of: shape.keyCount, unit: 16, using: &random) { from, to in
                ck_attend_products(task, from, to, scratch)
            }
            Self.parts(of: shape.rows * shape.group, unit: 1, using: &random) { from, to in
                ck_attend_exponentials(task, from, to, scratch)
            }
            Self.parts(of: shape.width, unit: 16, using: &random) { from, to in
                ck_attend_values(task, from, to, scratch)
            }
        }
    }

    private func run(
        _ rows: Range<Int>, floats: (UnsafePointer<ck_attention>) -> Int,
        body: (UnsafePointer<ck_attention>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        let stride = shape.group * shape.width
        var task = ck_attention()
        task.keys_are_f32 = shape.f32 ? 1 : 0
        task.head_width = shape.width
        task.group = shape.group
        task.rows = rows.count
        task.first_position = shape.firstPosition + rows.lowerBound
        task.key_count = shape.keyCount
        task.causal = shape.causal ? 1 : 0
        task.window = shape.window
        task.scale = shape.scale
        task.query_stride = stride
        task.out_stride = stride
        let canary: Float = 12345
        var out = [Float](repeating: canary, count: rows.count * stride + 16)
        var scratch: [Float] = []
        // The ends stand 16 times.
        let tables = (shape.biases ?? []).map { table in
            let ends = (table.first ?? 0, table.last ?? 0)
            return Array(repeating: ends.0, count: 15) + table + Array(repeating: ends.1, count: 15)
        }
        task.first_bias = shape.firstBias - 15
        task.bias_count = tables.first?.count ?? 0
        let keys = keyPages.map { UnsafeRawPointer($0) as UnsafeRawPointer? }
        let values = valuePages.map { UnsafeRawPointer($0) as UnsafeRawPointer? }
        withPointers(to: shape.slopes ?? [], Array(tables.joined()), queries) { slopes, biases, queries in
            keys.withUnsafeBufferPointer { keys in
                values.withUnsafeBufferPointer { values in
                    out.withUnsafeMutableBufferPointer { out in
                        task.slopes = shape.slopes == nil ? nil : slopes
                        task.biases = shape.biases == nil ? nil : biases
                        task.key_pages = keys.baseAddress
                        task.value_pages = values.baseAddress
                        task.query = queries.map { $0 + rows.lowerBound * stride }
                        task.out = out.baseAddress
                        let count = floats(&task)
                        scratch = [Float](repeating: .nan, count: count) + [canary]
                        scratch.withUnsafeMutableBufferPointer { scratch in
                            if let base = scratch.baseAddress { body(&task, base) }
                        }
                    }
                }
            }
        }
        // A result that went past its room is no result.
        let intact = scratch.last == canary && out.suffix(16).allSatisfy { $0 == canary }
        return intact ? Array(out.dropLast(16)) : []
    }

    private func withPointers(
        to a: [Float], _ b: [Float], _ c: [Float],
        body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
    ) {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                c.withUnsafeBufferPointer { c in body(a.baseAddress, b.baseAddress, c.baseAddress) }
            }
        }
    }

    private static func parts(
        of count: Int, unit: Int, using random: inout SeededGenerator, body: (Int, Int) -> Void
    ) {
        var from = 0
        while from < count {
            let to = min(from + unit * random.int(1...9), count)
            body(from, to)
            from = to
        }
    }

    private static func roundedToHalf(_ values: [Float]) -> [Float] {
        var halves = [UInt16](repeating: 0, count: values.count)
        var rounded = values
        ck_f32_to_f16(values.count, values, &halves)
        ck_f16_to_f32(values.count, halves, &rounded)
        return rounded
    }
}
