/// What a pass does at sites: what it changes, what it records, where it begins and ends.
///
/// Changes at one site happen in their order; readings see what they leave. A pass without a plan does none of
/// this and pays nothing for it.
public struct SitePlan: Sendable {
    public var changes: [SiteChange]
    public var readings: [SiteReading]
    /// Begin at a block with residuals recorded before; nil: at the embedding.
    public var start: ResumePoint?
    /// End as soon as everything in ``readings`` has been recorded; there is no output then.
    public var endsAfterReadings: Bool

    public init(
        changes: [SiteChange] = [], readings: [SiteReading] = [], start: ResumePoint? = nil,
        endsAfterReadings: Bool = false
    ) {
        self.changes = changes
        self.readings = readings
        self.start = start
        self.endsAfterReadings = endsAfterReadings
    }

    /// Whether all blocks run, so that keys and values of all of them are there for the next pass.
    var runsAllBlocks: Bool { start == nil && !endsAfterReadings }
    var isEmpty: Bool { changes.isEmpty && readings.isEmpty && start == nil }

    /// Adds what happens to one sequence of a batch.
    mutating func add(changes more: [SiteChange], readings others: [SiteReading], sequence: Int) {
        for var change in more {
            change.sequence = sequence
            changes.append(change)
        }
        for var reading in others {
            reading.sequence = sequence
            readings.append(reading)
        }
    }
}

/// What is recorded: a copy of the selected rows of a site, and of nothing else.
public struct SiteReading: Sendable, Hashable {
    public var site: Site
    public var positions: Positions
    /// Index of the sequence in the batch; nil for every sequence.
    public var sequence: Int?

    public init(_ site: Site, positions: Positions = .all, sequence: Int? = nil) {
        self.site = site
        self.positions = positions
        self.sequence = sequence
    }
}

/// The middle of a pass: the residual before a block. The blocks below are skipped; their keys and values are
/// not made, so that the pass leaves its caches as they were, and their sites are not visited.
public struct ResumePoint: Sendable {
    /// The first block that runs; the number of blocks for the final norm.
    public var layer: Int
    /// One row for each row of the batch, in its order, `[rows, width]`.
    public var residual: [Float]

    public init(layer: Int, residual: [Float]) {
        self.layer = layer
        self.residual = residual
    }
}

/// Rows of a site.
public struct SiteValues: Sendable, Equatable {
    /// Where a row comes from.
    public struct Place: Sendable, Equatable {
        /// Index of the sequence in the batch.
        public var sequence: Int
        /// From the beginning of the sequence.
        public var position: Int

        public init(sequence: Int, position: Int) {
            self.sequence = sequence
            self.position = position
        }
    }

    public internal(set) var places: [Place]
    public internal(set) var columns: Int
    /// How many heads a row has one after the other, at `attention.pattern`; else nil.
    public internal(set) var heads: Int?
    /// Row after row, `[places, columns]`. At `attention.pattern` a row is `[heads, keys]`, with as many keys as
    /// the longest row of the pass sees.
    public var values: [Float]

    public init(places: [Place] = [], columns: Int = 0, values: [Float] = [], heads: Int? = nil) {
        precondition(values.count == places.count * columns, "values must fill their shape")
        self.places = places
        self.columns = columns
        self.values = values
        self.heads = heads
    }

    public var count: Int { places.count }

    public subscript(row: Int) -> ArraySlice<Float> {
        get { values[row * columns..<(row + 1) * columns] }
        set {
            precondition(newValue.count == columns, "a row keeps its length")
            values.replaceSubrange(row * columns..<(row + 1) * columns, with: newValue)
        }
    }

    /// Adds rows behind these, as a sequence goes on. Patterns grow wider with it: shorter rows get zeros.
    mutating func append(_ other: SiteValues) {
        if places.isEmpty {
            self = other
            return
        }
        let width = max(columns, other.columns)
        if let heads, columns != other.columns {
            values = Self.widened(self, heads: heads, to: width)
            values += Self.widened(other, heads: heads, to: width)
        } else {
            values += other.values
        }
        columns = width
        places += other.places
    }

    private static func widened(_ rows: SiteValues, heads: Int, to columns: Int) -> [Float] {
        guard rows.columns != columns, heads > 0 else { return rows.values }
        let (old, new) = (rows.columns / heads, columns / heads)
        var values: [Float] = []
        values.reserveCapacity(rows.count * columns)
        for start in stride(from: 0, to: rows.values.count, by: max(1, old)) {
            values += rows.values[start..<start + old]
            values += repeatElement(0, count: new - old)
        }
        return values
    }
}

/// What a pass with a plan gave.
public struct SiteRun: Sendable {
    /// The output of the rows that want one; none if the plan ended the pass before.
    public let output: RowValues
    /// For each reading of the plan the rows of this pass that it selects.
    public let readings: [SiteValues]

    public init(output: RowValues, readings: [SiteValues] = []) {
        self.output = output
        self.readings = readings
    }
}
