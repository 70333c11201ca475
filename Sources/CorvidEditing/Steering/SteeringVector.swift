import CorvidModels
import CorvidTensors

/// Vectors that are added to the residual stream at one place, and how strongly.
///
///     h'_t = h_t + coefficient · row_t
///
/// A value: scaling it or laying it over another prompt leaves it as it is.
public struct SteeringVector: Sendable, Equatable {
    /// Which tokens it is added to.
    public enum Place: String, Sendable, CaseIterable {
        /// The first tokens, the middle ones or the last ones of the prompt, with a vector for each. Tokens that
        /// are generated are touched through the keys and values of the prompt alone.
        case front, middle, back
        /// One vector for all tokens.
        case all
        /// One vector for the last token of the prompt and all that are generated: every token that is predicted.
        case answer
        /// One vector for the tokens that are generated, when they are read.
        case generated

        /// Whether each token has a vector of its own.
        public var isByPosition: Bool { self == .front || self == .middle || self == .back }
    }

    /// `l.input` or `l.output`. The output of block l is the input of block l + 1.
    public let site: Site
    public let place: Place
    /// `[rows, width]`; one row where all tokens get the same.
    public let rows: [Float]
    public let width: Int
    public var coefficient: Float
    /// Mean norm of the stream where the vector was read, without the first token; nil if unknown.
    public let streamNorm: Double?
    /// The dimensions that are changed; nil for all.
    public private(set) var dimensions: ClosedRange<Int>?

    /// - Throws: ``SteeringError`` for rows that are empty or of another width.
    public init(
        at site: Site, _ place: Place, rows: [Float], width: Int, coefficient: Float = 1,
        streamNorm: Double? = nil
    ) throws {
        guard width > 0, !rows.isEmpty, rows.count % width == 0, place.isByPosition || rows.count == width
        else {
            throw SteeringError.width(site, found: rows.count, expected: max(1, width))
        }
        self.site = site
        self.place = place
        self.rows = rows
        self.width = width
        self.coefficient = coefficient
        self.streamNorm = streamNorm
    }

    /// How many tokens it is laid over; 1 where all get the same.
    public var count: Int { rows.count / width }

    public func row(_ index: Int) -> ArraySlice<Float> { rows[index * width..<(index + 1) * width] }

    /// Norms of the rows times the coefficient, over the dimensions that are changed.
    public var norms: [Double] {
        (0..<count).map { index in
            let row = row(index)
            let part = dimensions.map { row[row.startIndex + $0.lowerBound...row.startIndex + $0.upperBound] }
            return norm(part ?? row) * Double(abs(coefficient))
        }
    }

    /// The same with another coefficient.
    public func scaled(to coefficient: Float) -> SteeringVector {
        var copy = self
        copy.coefficient = coefficient
        return copy
    }

    /// The same with the coefficient that makes the vector's mean norm this part of the stream's. Rows that are
    /// zero, as the one at the beginning of a text, do not count.
    /// - Throws: ``SteeringError`` if the stream's norm is unknown, or the vector has no length.
    public func scaled(toPartOfStream part: Double) throws -> SteeringVector {
        let lengths = scaled(to: 1).norms.filter { $0 > 0 }
        guard let streamNorm, !lengths.isEmpty else { throw SteeringError.noDirection(site) }
        let mean = lengths.reduce(0, +) / Double(lengths.count)
        return scaled(to: Float(part * streamNorm / mean))
    }

    /// The same, changing some dimensions only (partial addition).
    /// - Throws: ``SteeringError/dimensions(found:width:)``.
    public func limited(to dimensions: ClosedRange<Int>) throws -> SteeringVector {
        guard dimensions.lowerBound >= 0, dimensions.upperBound < width else {
            throw SteeringError.dimensions(found: dimensions, width: width)
        }
        var copy = self
        copy.dimensions = dimensions
        return copy
    }

    /// Normally distributed rows with the norms of this one's rows: what any push of that size does.
    public func random(seed: UInt64) throws -> SteeringVector {
        let random = CounterRandom(seed: seed)
        var values = [Float](repeating: 0, count: rows.count)
        for index in 0..<count {
            let target = norm(row(index))
            guard target > 0 else { continue }
            let draws = (0..<width).map { random.normal(step: UInt64(index * width + $0)) }
            let length = draws.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for (column, draw) in draws.enumerated() {
                values[index * width + column] = Float(draw * target / length)
            }
        }
        var copy = try SteeringVector(
            at: site, place, rows: values, width: width, coefficient: coefficient, streamNorm: streamNorm)
        copy.dimensions = dimensions
        return copy
    }
}

// MARK: Laying it over a text

extension SteeringVector {
    /// The positions that it is added to in a text, a part of which is the prompt.
    /// - Parameter prompt: tokens of the prompt.
    /// - Throws: ``SteeringError/promptTooShort(tokens:needed:)``.
    public func positions(prompt: Int) throws -> Positions {
        guard place.isByPosition else { return try freePositions() }
        guard prompt >= count else { throw SteeringError.promptTooShort(tokens: prompt, needed: count) }
        return .range(first(prompt: prompt)..<first(prompt: prompt) + count)
    }

    private func first(prompt: Int) -> Int {
        switch place {
        // As the authors' code has it.
        case .middle: min(max(0, prompt / 2 - count / 2), prompt - count)
        case .back: prompt - count
        default: 0
        }
    }

    /// Positions that hold for any prompt.
    /// - Throws: ``SteeringError/middleWithoutPrompt``.
    func freePositions() throws -> Positions {
        switch place {
        case .front: .range(0..<count)
        case .back: Positions([-count..<0], from: .promptEnd)
        case .middle: throw SteeringError.middleWithoutPrompt
        case .all: .all
        case .answer: Positions([-1..<Int.max], from: .promptEnd)
        case .generated: .generated
        }
    }

    var part: SiteChange.Part { dimensions.map { .columns(Array($0)) } ?? .all }

    /// The values of the dimensions that are changed, row after row.
    var changedValues: [Float] {
        guard let dimensions else { return rows }
        return (0..<count).flatMap { index in
            let start = row(index).startIndex
            return rows[start + dimensions.lowerBound...start + dimensions.upperBound]
        }
    }

    /// What a pass over a prompt of known length does.
    /// - Parameters:
    ///   - prompt: tokens of the prompt.
    ///   - sequence: index of the sequence in a batch; nil for all.
    /// - Throws: ``SteeringError/promptTooShort(tokens:needed:)``.
    public func change(prompt: Int, sequence: Int? = nil) throws -> SiteChange {
        let positions = try positions(prompt: prompt)
        let columns = dimensions.map { $0.count } ?? width
        let tensor =
            place.isByPosition
            ? SiteTensor(rows: changedValues, columns: columns, first: first(prompt: prompt))
            : SiteTensor(changedValues)
        return SiteChange(
            .add(tensor, scale: coefficient), at: site, positions: positions, sequence: sequence, part: part)
    }

    /// Whether the model has the place and its stream the width.
    /// - Throws: ``SteeringError/layer(_:layers:)``, ``SteeringError/width(_:found:expected:)``.
    public func check(_ configuration: ModelConfiguration) throws {
        if let layer = site.layer, !(0..<configuration.layers).contains(layer) {
            throw SteeringError.layer(layer, layers: configuration.layers)
        }
        guard width == configuration.width else {
            throw SteeringError.width(site, found: width, expected: configuration.width)
        }
        guard coefficient.isFinite else {
            throw SteeringError.strength("the coefficient", found: Double(coefficient))
        }
    }
}

/// √Σ x², in double.
func norm(_ values: some Sequence<Float>) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
}
