import CorvidTensors

/// What a run does to the values of a site, at some positions.
public struct SiteChange: Sendable {
    public var site: Site
    public var positions: Positions
    /// Index of the sequence in the batch; nil for every sequence.
    public var sequence: Int?
    /// The part of a row that changes.
    public var part: Part
    public var operation: Operation

    /// A part of a row's values.
    public enum Part: Hashable, Sendable {
        case all
        /// Whole heads, at sites that have heads.
        case heads([Int])
        /// Some columns.
        case columns([Int])
    }

    public enum Operation: Sendable {
        /// h + scale · v
        case add(SiteTensor, scale: Float = 1)
        /// v
        case replace(SiteTensor)
        /// h · factor
        case scale(Float)
        /// h · v, element by element: masks
        case multiply(SiteTensor)
        /// h - (h·v̂) v̂, with v̂ = v / ‖v‖
        case projectOut([Float])
        /// (h·v̂) v̂
        case projectOnto([Float])
        /// Each value cut to the range; NaN stays.
        case clamp(ClosedRange<Float>)
        /// h + scale · (up(f(down(h'))), where h' is the value at `reading`, or h itself.
        case adapt(Bottleneck, scale: Float = 1)
        /// Whatever the closure makes of the rows. It is called once for each pass that comes to the site, with
        /// all its rows that are selected, on the pool's leading thread.
        case closure(@Sendable (inout SiteValues) throws -> Void)
    }

    public init(
        _ operation: Operation, at site: Site, positions: Positions = .all, sequence: Int? = nil,
        part: Part = .all
    ) {
        self.site = site
        self.positions = positions
        self.sequence = sequence
        self.part = part
        self.operation = operation
    }

    /// How many tokens a prompt must have so that every vector of the change has a row; nil if any number will do.
    var promptTokensNeeded: Int? {
        let tensor: SiteTensor
        switch operation {
        case .add(let own, _), .replace(let own), .multiply(let own): tensor = own
        default: return nil
        }
        guard let first = tensor.firstPosition else { return nil }
        return positions.origin == .start ? first + tensor.count : max(0, -first)
    }
}

/// Vectors for the rows of a site: the same one for each row, or one for each position.
public struct SiteTensor: Sendable, Equatable {
    /// Position of the first vector, counted as the change's positions are; nil: there is one vector, for every
    /// row.
    public let firstPosition: Int?
    /// Values of a vector.
    public let columns: Int
    /// Row after row.
    public let values: [Float]

    /// One vector, for every row.
    public init(_ vector: [Float]) {
        firstPosition = nil
        columns = vector.count
        values = vector
    }

    /// A vector for each position from `first` on, `[positions, columns]`.
    public init(rows values: [Float], columns: Int, first: Int) {
        precondition(columns > 0 && values.count % columns == 0, "vectors must fill their rows")
        firstPosition = first
        self.columns = columns
        self.values = values
    }

    /// Number of vectors.
    public var count: Int { columns == 0 ? 0 : values.count / columns }

    /// The vector for a position; nil where there is none.
    func row(at position: Int) -> ArraySlice<Float>? {
        guard let firstPosition else { return values[...] }
        let index = position - firstPosition
        guard index >= 0, index < count else { return nil }
        return values[index * columns..<(index + 1) * columns]
    }
}

/// A bottleneck adapter: up(f(down(x))) with biases (Houlsby et al., 2019; He et al., 2022, where it reads
/// another site than it writes).
public struct Bottleneck: Sendable {
    /// `[bottleneck, width]` and `[width, bottleneck]`.
    public let down, up: Linear
    public let activation: Activation
    /// The site of the same block that it reads; nil for the one that it changes.
    public let reading: Site.Kind?

    public init(down: Linear, up: Linear, activation: Activation, reading: Site.Kind? = nil) {
        precondition(down.outputs == up.inputs && down.inputs == up.outputs, "an adapter keeps the width")
        self.down = down
        self.up = up
        self.activation = activation
        self.reading = reading
    }
}
