import CorvidTensors

extension PatchStack {
    /// The patches as one, which does the same, to the bit, and from which each can be taken out again.
    /// - Throws: ``PatchError`` for a patch that is there twice, and for scales that a kind does not have.
    public func combined(_ header: PatchHeader) throws -> Patch {
        guard !pieces.isEmpty else { throw PatchError.nothing("there are no patches to put together") }
        var changes: [Patch.Change] = []
        var parts: [Patch.Part] = []
        for piece in pieces {
            guard !parts.contains(where: { $0.fingerprint == piece.fingerprint }) else {
                throw PatchError.twice(patch: piece.name, fingerprint: piece.fingerprint)
            }
            guard piece.scale.isFinite else { throw PatchError.notFiniteScale(patch: piece.name) }
            let start = changes.count
            for change in piece.changes {
                guard let scaled = piece.scale == 1 ? change : change.body.scaled(by: piece.scale) else {
                    throw PatchError.scale(patch: piece.name, kind: change.kind, scale: piece.scale)
                }
                changes.append(scaled)
            }
            parts.append(
                Patch.Part(
                    header: piece.header, fingerprint: piece.fingerprint, scale: piece.wholeScale,
                    changes: start..<changes.count))
        }
        var header = header
        header.base = Self.base(pieces)
        return try Patch(header, changes, parts: parts)
    }

    /// What all of them were made on; nil if they do not agree or do not say.
    private static func base(_ pieces: [Piece]) -> PatchBase? {
        guard var base = pieces.first?.header.base else { return nil }
        let inside = Set(pieces.map(\.fingerprint))
        for piece in pieces {
            guard let other = piece.header.base, other.structure == base.structure else { return nil }
            base.weights.merge(other.weights) { first, _ in first }
            for need in other.requires where !base.requires.contains(need) { base.requires.append(need) }
        }
        base.requires.removeAll { inside.contains($0.fingerprint) }
        return base
    }
}

extension Patch {
    /// A stack without one of the patches that it was made of; with one left over at scale 1, that one.
    /// - Parameter name: name, or beginning of the fingerprint.
    /// - Throws: ``PatchError/nothing(_:)``.
    public func removing(_ name: String) throws -> Patch {
        let place =
            parts.firstIndex { $0.header.name == name }
            ?? parts.firstIndex { name.count >= 6 && $0.fingerprint.description.hasPrefix(name) }
        guard let place else {
            let names = parts.map(\.header.name).joined(separator: ", ")
            throw PatchError.nothing(
                parts.isEmpty
                    ? "\(header.name) is no stack: it has no patches inside"
                    : "\(header.name) has no patch \(name) inside; it has \(names)")
        }
        guard parts.count > 1 else {
            throw PatchError.nothing("\(name) is the only patch in \(header.name); use no patch instead")
        }
        var left: [Patch.Part] = []
        var changes: [Change] = []
        for (index, part) in parts.enumerated() where index != place {
            var part = part
            let start = changes.count
            changes += self.changes[part.changes]
            part.changes = start..<changes.count
            left.append(part)
        }
        if left.count == 1, left[0].scale == 1 { return try Patch(left[0].header, changes) }
        return try Patch(header, changes, parts: left)
    }

    /// The same changes with one low-rank change for each weight, whose factors stand side by side; what the
    /// patch was made of is forgotten.
    /// - Throws: `TensorError`, `MemoryError`.
    public func flattened() throws -> Patch {
        var changes: [Change] = []
        var places: [WeightTarget: Int] = [:]
        for change in self.changes {
            guard case .lowRank(let delta) = change else {
                changes.append(change)
                continue
            }
            if let place = places[delta.target], case .lowRank(let before) = changes[place] {
                changes[place] = .lowRank(try before.joined(with: delta))
            } else {
                places[delta.target] = changes.count
                changes.append(change)
            }
        }
        return try Patch(header, changes)
    }
}

extension LowRankDelta {
    /// This and another delta of the same weight as one, the scales in the second factor.
    func joined(with other: LowRankDelta) throws -> LowRankDelta {
        let down = try self.down.floats() + other.down.floats()
        let (first, second) = (try up.floats(), try other.up.floats())
        let rank = rank + other.rank
        var joined: [Float] = []
        joined.reserveCapacity(up.rows * rank)
        for row in 0..<up.rows {
            joined += first[row * self.rank..<(row + 1) * self.rank].map { $0 * scale }
            joined += second[row * other.rank..<(row + 1) * other.rank].map { $0 * other.scale }
        }
        return try LowRankDelta(
            target, down: Tensor(down, shape: [rank, self.down.columns]),
            up: Tensor(joined, shape: [up.rows, rank]))
    }
}
