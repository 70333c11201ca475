extension Patch {
    /// The patch with the model that it was made on, so that it is refused on others.
    /// - Parameters:
    ///   - model: as it was when the patch was made; the patches that lie over it are required from then on.
    ///   - cache: remembers digests of weights.
    /// - Throws: ``FormatError``, `MemoryError`, ``PatchError/misfit(patch:reason:)`` if it does not fit.
    public func bound(
        to model: Model, cache: (any DigestCache)? = nil
    ) throws -> Patch {
        _ = try PatchStack([.init(self)]).overlay(for: model.configuration)
        let digests = ModelDigests(model, cache: cache)
        var weights: [WeightTarget: Digest] = [:]
        for target in touchedWeights { weights[target] = try digests.digest(of: target) }
        var patch = self
        patch.header.base = PatchBase(
            family: model.configuration.family.name, structure: digests.structure, weights: weights,
            requires: model.overlay.patches)
        return patch
    }
}

extension Model {
    /// This model with patches laid over it: another model, which shares its weights, threads and files. This one
    /// stays as it is.
    /// - Parameters:
    ///   - acceptsAnyBase: lays them on although they were made on another model, if their sizes fit.
    ///   - cache: remembers digests of weights.
    /// - Throws: ``PatchError``, ``SiteError``, ``FormatError``, `MemoryError`.
    public func applying(
        _ layers: [PatchStack.Layer], acceptsAnyBase: Bool = false, cache: (any DigestCache)? = nil
    ) throws -> (model: Model, warnings: [PatchStack.Warning]) {
        try applying(PatchStack(layers), acceptsAnyBase: acceptsAnyBase, cache: cache)
    }

    public func applying(
        _ stack: PatchStack, acceptsAnyBase: Bool = false, cache: (any DigestCache)? = nil
    ) throws -> (model: Model, warnings: [PatchStack.Warning]) {
        let merged = try MergeRecord.read(source, file: path)
        let warnings = try stack.check(
            ModelDigests(self, cache: cache), merged: merged, acceptsAnyBase: acceptsAnyBase)
        let (overlay, found) = try stack.overlay(for: configuration)
        return (try laying(overlay), warnings + found)
    }
}
