import CorvidModels
import CorvidTensors

extension Patch {
    /// A patch that adds steering vectors.
    /// - Parameter prompt: tokens of the prompts it is for, which a vector in the middle asks for.
    /// - Throws: ``SteeringError/middleWithoutPrompt``, `PatchError`.
    public static func steering(
        _ vectors: [SteeringVector], header: PatchHeader, prompt: Int? = nil
    ) throws -> Patch {
        try Patch(header, vectors.map { .addition(try $0.addition(prompt: prompt)) })
    }
}

extension SteeringVector {
    func addition(prompt: Int?) throws -> SiteAddition {
        let columns = dimensions.map(\.count) ?? width
        let positions =
            place == .middle ? try prompt.map { try self.positions(prompt: $0) } : try freePositions()
        guard let positions else { throw SteeringError.middleWithoutPrompt }
        return try SiteAddition(
            Tensor(changedValues, shape: [count, columns]), at: site, positions: positions, part: part,
            firstPosition: place.isByPosition ? positions.first : nil, scale: coefficient)
    }

    /// The vectors that a patch adds to the residual stream. Their coefficients are the patch's scales.
    /// - Parameter width: of the stream.
    /// - Throws: ``SteeringError/notSteering(patch:change:)`` for a patch that does anything else.
    public static func vectors(of patch: Patch, width: Int) throws -> [SteeringVector] {
        try patch.changes.map { change in
            guard case .addition(let addition) = change, let vector = try vector(of: addition, width: width)
            else {
                throw SteeringError.notSteering(
                    patch: patch.header.name, change: "\(change.kind.rawValue) at \(change.place)")
            }
            return vector
        }
    }

    /// nil for what this type cannot say.
    private static func vector(of addition: SiteAddition, width: Int) throws -> SteeringVector? {
        guard addition.site.kind == .input || addition.site.kind == .output else { return nil }
        let values = try addition.values.floats()
        let columns = addition.values.columns
        let count = addition.values.rows
        let places = Place.allCases.filter { place in
            place != .middle && place.isByPosition == (addition.firstPosition != nil)
        }
        func same(_ place: Place) -> Bool {
            switch place {
            case .all: addition.positions == .all
            case .generated: addition.positions == .generated
            case .answer: addition.positions == Positions([-1..<Int.max], from: .promptEnd)
            case .back: addition.positions == Positions([-count..<0], from: .promptEnd)
            case .front: addition.positions == .range(0..<count) && addition.firstPosition == 0
            case .middle: false
            }
        }
        guard let place = places.first(where: same) else { return nil }
        switch addition.part {
        case .heads: return nil
        case .all:
            return try SteeringVector(
                at: addition.site, place, rows: values, width: columns, coefficient: addition.scale)
        case .columns(let list):
            guard let first = list.first, let last = list.last, first >= 0, last < width,
                list == Array(first...max(first, last)), columns == list.count
            else { return nil }
            var rows = [Float](repeating: 0, count: count * width)
            for row in 0..<count {
                for (index, column) in list.enumerated() {
                    rows[row * width + column] = values[row * columns + index]
                }
            }
            return try SteeringVector(
                at: addition.site, place, rows: rows, width: width, coefficient: addition.scale
            ).limited(to: first...last)
        }
    }
}
