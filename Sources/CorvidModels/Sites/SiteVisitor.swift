import CorvidTensors

/// A plan at work in one pass: knows which rows of which site are recorded and changed.
///
/// Not for several threads; the leader of a pass visits the sites in order.
final class SiteVisitor {
    /// Thrown when everything that was asked for has been recorded, and nothing else is wanted.
    struct PassEnded: Error {}

    let start: ResumePoint?
    private let configuration: ModelConfiguration
    private let endsAfterReadings: Bool
    private var entries: [Site: Entry] = [:]
    /// Sites with readings that were not visited yet.
    private var awaited = 0
    private(set) var readings: [SiteValues]
    private let places: [SiteValues.Place]
    /// Length of each sequence's prompt.
    private let promptEnds: [Int]
    /// What adapters read before they write, by the kind of the site in the block under way.
    private var kept: [Site.Kind: Matrix] = [:]

    private struct Entry {
        var changes: [(change: SiteChange, rows: [Range<Int>])] = []
        var readings: [(index: Int, rows: [Range<Int>])] = []
        /// Adapters of this block read here.
        var isKept = false
    }

    /// - Parameter layers: blocks of the stack whose sites these are; nil: those of the model's own.
    /// - Throws: ``SiteError`` for what the model does not have or the plan's vectors do not fit.
    init(
        _ plan: SitePlan, overlay: [SiteChange], pass: Pass, configuration: ModelConfiguration,
        layers: Int? = nil
    ) throws {
        let layers = layers ?? configuration.layers
        self.configuration = configuration
        start = plan.start
        endsAfterReadings = plan.endsAfterReadings
        readings = [SiteValues](repeating: SiteValues(), count: plan.readings.count)
        places = pass.places
        promptEnds = pass.promptEnds
        if let start {
            guard (0...layers).contains(start.layer) else {
                throw SiteError.resume(layer: start.layer, layers: layers)
            }
            let expected = pass.tokens.count * configuration.width
            guard start.residual.count == expected else {
                throw SiteError.resumeRows(found: start.residual.count, expected: expected)
            }
        }
        // The overlay's were checked when it was laid over the model.
        for change in plan.changes { try configuration.check(change, layers: layers) }
        for change in overlay + plan.changes {
            let rows = try pass.rows(change.positions, sequence: change.sequence)
            guard !rows.isEmpty else { continue }
            entries[change.site, default: Entry()].changes.append((change, rows))
            if case .adapt(let adapter, _) = change.operation, let kind = adapter.reading,
                let layer = change.site.layer
            {
                entries[Site(kind, layer: layer), default: Entry()].isKept = true
            }
        }
        for (index, reading) in plan.readings.enumerated() {
            try configuration.check(reading.site, layers: layers)
            let rows = try pass.rows(reading.positions, sequence: reading.sequence)
            if !rows.isEmpty { entries[reading.site, default: Entry()].readings.append((index, rows)) }
        }
        awaited = entries.values.count { !$0.readings.isEmpty }
    }

    /// Whether everything was recorded and nothing else is wanted.
    var isOver: Bool { endsAfterReadings && awaited == 0 }

    // MARK: What a block asks

    /// Whether anything happens at the site, so that it must not be skipped or fused with what follows.
    func touches(_ kind: Site.Kind, _ layer: Int? = nil) -> Bool { entries[site(kind, layer)] != nil }

    /// Whether the site is changed, so that whoever else reads the value needs a copy.
    func changes(_ kind: Site.Kind, _ layer: Int? = nil) -> Bool {
        entries[site(kind, layer)].map { !$0.changes.isEmpty } ?? false
    }

    /// Whether the rows of block `layer` are wanted behind its attention.
    func touchesAfterAttention(_ layer: Int) -> Bool {
        [.attentionOutput, .mlpInput, .mlpHidden, .mlpOutput, .output].contains { touches($0, layer) }
    }

    /// Whether the queries, the softmax or the heads of block `layer` are wanted.
    func touchesAttention(_ layer: Int) -> Bool {
        [.query, .rotatedQuery, .pattern, .heads].contains { touches($0, layer) }
    }

    private func site(_ kind: Site.Kind, _ layer: Int?) -> Site {
        guard let layer, kind.isPerLayer else { return Site.outside(kind) }
        return Site(kind, layer: layer)
    }

    // MARK: Visits

    /// Changes and records rows of a matrix.
    /// - Parameters:
    ///   - columns: where the site's values stand in it; nil: it holds just them.
    ///   - rows: the rows of the pass that it holds; nil: all.
    func visit(
        _ kind: Site.Kind, _ layer: Int? = nil, _ matrix: Matrix, columns: [Int]? = nil, rows: [Int]? = nil,
        workers: Workers, arena: Arena
    ) throws {
        let site = site(kind, layer)
        guard let entry = entries[site] else { return }
        if entry.isKept { kept[kind] = try matrix.copy(in: arena) }
        var index: [Int: Int] = [:]
        if let rows { for (row, original) in rows.enumerated() { index[original] = row } }
        func place(_ row: Int) -> Int? { rows == nil ? row : index[row] }
        try visit(
            site, entry, columns: columns?.count ?? matrix.columns,
            read: { row in
                guard let row = place(row) else { return nil }
                return columns.map { matrix.row(row, columns: $0) } ?? matrix.row(row)
            },
            write: { row, values in
                guard let row = place(row) else { return }
                if let columns {
                    matrix.setRow(row, columns: columns, to: values)
                } else {
                    matrix.setRow(row, to: values)
                }
            },
            adapt: { try self.adapted($0, adapter: $1, scale: $2, workers: workers, arena: arena) })
    }

    /// Changes and records the softmax of attention.
    func visit(pattern: AttentionPattern, layer: Int) throws {
        let site = Site(.pattern, layer: layer)
        guard let entry = entries[site] else { return }
        let (heads, keys) = (configuration.heads(layer: layer), pattern.keyCount)
        try visit(
            site, entry, columns: heads * keys,
            read: { row in (0..<heads).flatMap { pattern.weights(row: row, head: $0, keys: keys) } },
            write: { row, values in
                for head in 0..<heads {
                    let start = values.startIndex + head * keys
                    let weights = values[start..<start + keys]
                    // A head that nobody changed keeps its bits: its weights are kept unrounded.
                    guard Array(weights) != pattern.weights(row: row, head: head, keys: keys) else {
                        continue
                    }
                    pattern.setWeights(row: row, head: head, to: weights)
                }
            },
            adapt: { _, _, _ in throw SiteError.noHeads(site) })
    }

    private func visit(
        _ site: Site, _ entry: Entry, columns: Int, read: (Int) -> [Float]?,
        write: (Int, ArraySlice<Float>) -> Void,
        adapt: (SiteValues, Bottleneck, Float) throws -> SiteValues
    ) throws {
        func values(_ ranges: [Range<Int>]) -> (SiteValues, rows: [Int]) {
            var rows: [Int] = []
            var numbers: [Float] = []
            for row in ranges.joined() {
                guard let found = read(row) else { continue }
                rows.append(row)
                numbers += found
            }
            let found = SiteValues(
                places: rows.map { places[$0] }, columns: columns, values: numbers,
                heads: site.kind == .pattern ? configuration.siteHeads(.pattern, layer: site.layer) : nil)
            return (found, rows)
        }
        for (change, ranges) in entry.changes {
            let (old, rows) = values(ranges)
            var new = old
            if case .adapt(let adapter, let scale) = change.operation {
                new = try adapt(input(of: adapter, old, rows: rows), adapter, scale)
                for index in new.values.indices { new.values[index] += old.values[index] }
            } else {
                let heads = configuration.siteHeads(site.kind, layer: site.layer)
                try change.apply(to: &new, heads: heads) { place in
                    self.position(of: place, change.positions)
                }
            }
            guard new.places == old.places, new.values.count == old.values.count else {
                throw SiteError.shape(site)
            }
            for (index, value) in new.values.enumerated() where !value.isFinite && old.values[index].isFinite
            {
                throw SiteError.becameNotFinite(site, position: old.places[index / max(1, columns)].position)
            }
            for (index, row) in rows.enumerated() { write(row, new[index]) }
        }
        guard !entry.readings.isEmpty else { return }
        for (index, ranges) in entry.readings {
            readings[index].append(values(ranges).0)
        }
        awaited -= 1
        if isOver { throw PassEnded() }
    }

    /// The position of a row as the change counts it.
    private func position(of place: SiteValues.Place, _ positions: Positions) -> Int {
        positions.origin == .start ? place.position : place.position - promptEnds[place.sequence]
    }

    private func input(of adapter: Bottleneck, _ own: SiteValues, rows: [Int]) -> SiteValues {
        guard let kind = adapter.reading, let matrix = kept[kind] else { return own }
        var result = own
        for (index, row) in rows.enumerated() { result[index] = matrix.row(row)[...] }
        return result
    }

    private func adapted(
        _ x: SiteValues, adapter: Bottleneck, scale: Float, workers: Workers, arena: Arena
    ) throws -> SiteValues {
        guard x.count > 0 else { return x }
        let input = try Matrix(x.values, rows: x.count, columns: x.columns)
        let hidden = try adapter.down.product(input, then: adapter.activation, workers: workers, arena: arena)
        let output = try adapter.up.product(hidden, workers: workers, arena: arena)
        if scale != 1 { Elementwise.scale(output, by: scale, columns: 0..<output.columns) }
        return SiteValues(places: x.places, columns: x.columns, values: output.values)
    }
}
