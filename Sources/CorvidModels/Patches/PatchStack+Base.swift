/// Whether patches go with a base and with one another.
extension PatchStack {
    /// - Parameters:
    ///   - base: finds the digests of the base.
    ///   - merged: what the base's file has in its weights already.
    ///   - acceptsAnyBase: skips what a patch says about its base: only sizes must fit.
    /// - Returns: what a person should know.
    /// - Throws: ``PatchError``, ``FormatError``, `MemoryError`.
    func check(
        _ base: ModelDigests, merged: MergeRecord?, acceptsAnyBase: Bool
    ) throws -> [Warning] {
        var warnings: [Warning] = []
        var seen = Set<Digest>()
        let structure = acceptsAnyBase ? nil : base.structure
        for (index, piece) in pieces.enumerated() {
            let (name, fingerprint) = (piece.name, piece.fingerprint)
            guard !seen.contains(fingerprint) else {
                throw PatchError.twice(patch: name, fingerprint: fingerprint)
            }
            seen.insert(fingerprint)
            guard let structure else { continue }
            if let merged, merged.fingerprints.contains(fingerprint) {
                throw PatchError.merged(patch: name, fingerprint: fingerprint, base: merged.base)
            }
            guard let bound = piece.header.base else {
                warnings.append(.unbound(patch: name))
                continue
            }
            try check(bound, of: name, base, structure)
            warnings += try check(bound.requires, of: index, merged)
        }
        return warnings
    }

    private func check(_ bound: PatchBase, of name: String, _ base: ModelDigests, _ structure: Digest) throws
    {
        var found = PatchBase(family: base.configuration.family.name, structure: structure, weights: [:])
        var differing: WeightTarget?
        for target in bound.weights.keys.sorted(by: { "\($0)" < "\($1)" }) {
            found.weights[target] = try base.digest(of: target)
            if differing == nil, found.weights[target] != bound.weights[target] { differing = target }
        }
        guard found.family == bound.family, found.structure == bound.structure, differing == nil else {
            let isOther = found.family != bound.family || found.structure != bound.structure
            throw PatchError.base(
                patch: name, expected: bound.fingerprint, found: found.fingerprint,
                weight: isOther ? nil : differing)
        }
    }

    /// The patches that one of them was made on stand before it, in the order in which they stood then.
    private func check(
        _ requires: [PatchBase.Requirement], of index: Int, _ merged: MergeRecord?
    ) throws -> [Warning] {
        let name = pieces[index].name
        let places = pieces.enumerated().filter { $0.element.scale != 0 }.reduce(into: [Digest: Int]()) {
            $0[$1.element.fingerprint] = $1.offset
        }
        var warnings: [Warning] = []
        var last = -1
        for requirement in requires {
            if merged?.fingerprints.contains(requirement.fingerprint) == true { continue }
            guard let place = places[requirement.fingerprint] else {
                throw PatchError.missing(
                    patch: name, needs: requirement.name, fingerprint: requirement.fingerprint)
            }
            guard place < index, place > last else {
                throw PatchError.order(
                    patch: name, needs: requirement.name, fingerprint: requirement.fingerprint)
            }
            last = place
            let scale = pieces[place].wholeScale
            if scale != requirement.scale {
                warnings.append(
                    .scale(patch: name, needs: requirement.name, made: requirement.scale, found: scale))
            }
        }
        return warnings
    }
}
