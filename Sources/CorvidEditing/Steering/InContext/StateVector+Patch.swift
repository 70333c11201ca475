import CorvidModels
import CorvidTensors
import CorvidText

extension StateVector {
    /// A patch that puts the vector in at the last tokens of a prompt: what is generated attends to them.
    /// - Throws: ``InContextError/cannotSave(_:)`` for a mixing that keeps norms; `PatchError`.
    public func patch(_ header: PatchHeader, mixing: StateMixing = StateMixing()) throws -> Patch {
        guard !mixing.keepsNorm else { throw InContextError.cannotSave("keeping the norm") }
        let positions = Positions([-tokens..<0], from: .promptEnd)
        let changes = try layers.enumerated().flatMap { layer, values -> [Patch.Change] in
            let site = Site(.heads, layer: layer)
            let tensor = try Tensor(values, shape: [tokens, columns])
            if mixing.replaces {
                return [
                    .operation(
                        try SiteOperation(
                            .replace(tensor, firstPosition: -tokens), at: site, positions: positions))
                ]
            }
            return [
                .operation(try SiteOperation(.scale(mixing.old), at: site, positions: positions)),
                .addition(
                    try SiteAddition(
                        tensor, at: site, positions: positions, firstPosition: -tokens, scale: mixing.stored)),
            ]
        }
        return try Patch(header, changes)
    }

    /// The vector that a patch puts in.
    /// - Throws: ``InContextError/noStateVector(patch:)`` for a patch that does anything else.
    public init(_ patch: Patch) throws {
        let refusal = InContextError.noStateVector(patch: patch.header.name)
        var layers: [Int: Tensor] = [:]
        for change in patch.changes {
            guard case .operation(let operation) = change, operation.amount == 1, operation.part == .all,
                operation.site.kind == .heads, let layer = operation.site.layer, layers[layer] == nil,
                case .replace(let values, let first) = operation.function, first == -values.rows,
                operation.positions == Positions([-values.rows..<0], from: .promptEnd)
            else { throw refusal }
            layers[layer] = values
        }
        guard let first = layers[0], first.rows > 0 else { throw refusal }
        let ordered = try (0..<layers.count).map { layer -> [Float] in
            guard let values = layers[layer], values.rows == first.rows, values.columns == first.columns
            else {
                throw refusal
            }
            return try values.floats()
        }
        try self.init(layers: ordered, tokens: first.rows, columns: first.columns)
    }
}
