import CorvidTensors

/// Makes the tensors of a conversion piece by piece, in the order in which a writer asks for them.
final class TensorPieces {
    private let loader: WeightLoader
    private let items: [String: ConversionPlan.Item]
    private let edits: [String: WeightEdit]
    private let pool: WorkerPool
    private let progress: (_ bytes: Int) -> Void
    private var done = 0
    private var reports = true
    /// The scales of int8 matrices, which files hold apart from the integers. Made with them, or before.
    private var scales: [String: [Float]] = [:]

    /// Weights that are in memory as f32 at one time.
    private static let pieceWeights = 1 << 21

    init(_ plan: ConversionPlan, pool: WorkerPool, progress: @escaping (_ bytes: Int) -> Void) {
        loader = plan.loader
        edits = plan.edits
        var items: [String: ConversionPlan.Item] = [:]
        for item in plan.items {
            items[item.plan.name] = item
            if let scales = item.scales { items[scales.name] = item }
        }
        self.items = items
        self.pool = pool
        self.progress = progress
    }

    /// Gives `emit` the bytes of `tensor`.
    func emit(_ tensor: TensorPlan, _ emit: (Bytes) throws -> Void) throws {
        guard let item = items[tensor.name] else { return }
        try loader.source.checkSize()
        let isScales = item.scales?.name == tensor.name
        if isScales {
            if scales[tensor.name] == nil { try makeScales(item) }
            let values = scales.removeValue(forKey: tensor.name) ?? []
            return try emit(Tensor(values, shape: [values.count]).bytes)
        }
        let stored = try loader.tensor(of: item.use)
        if item.isMatrix {
            try matrix(item, stored, emit)
        } else {
            try emit(try vector(item, stored).bytes)
        }
        stored.releasePages()
        done += stored.bytes.count
        progress(done)
    }

    private func vector(_ item: ConversionPlan.Item, _ stored: Tensor) throws -> Tensor {
        let edit = edits[item.use.name]
        if stored.type == item.plan.type, item.order == nil, edit == nil { return stored }
        var values = try stored.floats()
        edit?.add(to: &values)
        let ordered = item.order.map { order in
            order.map { $0.flatMap { values.indices.contains($0) ? values[$0] : nil } ?? 0 }
        }
        let row = try Tensor(ordered ?? values, shape: [1, ordered?.count ?? values.count])
        return try converted(WeightConversion(row, to: item.plan.type), item, 0..<1)
    }

    private func matrix(
        _ item: ConversionPlan.Item, _ stored: Tensor, _ emit: (Bytes) throws -> Void
    ) throws {
        if let edit = edits[item.use.name] { return try edited(item, stored, edit, emit) }
        // What has the type already is copied, not rounded again.
        if stored.type == item.plan.type, !item.isTransposed, !item.isSelected {
            if let scales = item.scales { self.scales[scales.name] = stored.rowScales?.values }
            return try inPieces(item, stored) { try emit(try stored.rows($0).bytes) }
        }
        var rowScales: [Float] = []
        let conversion = try WeightConversion(
            stored, to: item.plan.type, transposed: item.isTransposed, order: item.order, places: item.places)
        try inPieces(item, stored) { range in
            let piece = try converted(conversion, item, range)
            rowScales += piece.rowScales?.values ?? []
            try emit(piece.bytes)
        }
        if let scales = item.scales { self.scales[scales.name] = rowScales }
    }

    /// Pieces that are changed in f32 and rounded once. Nothing is left out of a model whose weights are changed.
    private func edited(
        _ item: ConversionPlan.Item, _ stored: Tensor, _ edit: WeightEdit, _ emit: (Bytes) throws -> Void
    ) throws {
        let exact = try WeightConversion(
            stored, to: .f32, transposed: item.isTransposed, order: item.order)
        let hasOutputsAsRows = (item.use.orientation == .rows) != item.isTransposed
        var rowScales: [Float] = []
        try inPieces(item, stored) { range in
            let piece = try converted(exact, item, range)
            var values = try piece.floats()
            for (index, row) in range.enumerated() {
                guard let row = item.order.map({ $0[row] }) ?? row else { continue }
                let part = index * piece.columns..<(index + 1) * piece.columns
                edit.add(to: &values[part], row: row, isOutput: hasOutputsAsRows)
            }
            let changed = try Tensor(values, shape: piece.shape)
            let rounded = try converted(
                WeightConversion(changed, to: item.plan.type), item, 0..<range.count)
            rowScales += rounded.rowScales?.values ?? []
            try emit(rounded.bytes)
        }
        if let scales = item.scales { self.scales[scales.name] = rowScales }
    }

    /// The writer may ask for scales first: the integers are then made twice.
    private func makeScales(_ item: ConversionPlan.Item) throws {
        reports = false
        defer { reports = true }
        try matrix(item, try loader.tensor(of: item.use)) { _ in }
    }

    private func inPieces(
        _ item: ConversionPlan.Item, _ stored: Tensor, _ body: (Range<Int>) throws -> Void
    ) throws {
        let rows = item.plan.shape[0]
        let columns = max(1, item.plan.shape[1])
        // Pieces of a transposed matrix are whole blocks of its stored rows.
        let step = max(1, Self.pieceWeights / columns / 256 * 256, item.isTransposed ? 256 : 1)
        let least = max(1, Self.pieceWeights / columns)
        let size = item.isTransposed ? step : least
        let start = done
        for first in stride(from: 0, to: rows, by: size) {
            try Task.checkCancellation()
            let range = first..<min(first + size, rows)
            try body(range)
            // Rows that are read in order are not needed again.
            if !item.isTransposed, !item.isSelected { try stored.rows(range).releasePages() }
            if reports { progress(start + stored.bytes.count / max(1, rows) * range.upperBound) }
        }
    }

    private func converted(
        _ conversion: WeightConversion, _ item: ConversionPlan.Item, _ range: Range<Int>
    ) throws -> Tensor {
        do {
            return try pool.runBlocking { workers in try conversion.rows(range, workers: workers) }
        } catch let reason as WeightConversionError {
            throw WeightError.conversion(file: loader.file, tensor: item.use.name, reason: reason)
        }
    }
}
