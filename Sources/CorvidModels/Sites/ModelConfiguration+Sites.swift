extension ModelConfiguration {
    /// The sites that the model has.
    public var siteKinds: [Site.Kind] {
        Site.Kind.allCases.filter { kind in
            switch kind {
            case .senses: senses > 0
            case .finalNorm: hasFinalNorm
            case .logits: output == .vocabulary
            default: true
            }
        }
    }

    /// Values of a row at a site; nil at `attention.pattern`, where it depends on the keys.
    /// - Parameter layer: nil: of a block that has all of its heads.
    public func siteWidth(_ kind: Site.Kind, layer: Int? = nil) -> Int? {
        switch kind {
        case .embedding: embeddingWidth
        case .input, .attentionInput, .attentionOutput, .mlpInput, .mlpOutput, .output, .finalNorm: width
        case .query, .rotatedQuery, .heads, .key, .value, .rotatedKey:
            siteHeads(kind, layer: layer).map { $0 * headWidth }
        case .mlpHidden: hidden
        case .senses: senses * width
        case .logits: vocabulary
        case .pattern: nil
        }
    }

    /// How many heads a site's values fall into; nil if into none.
    /// - Parameter layer: nil: of a block that has all of them.
    public func siteHeads(_ kind: Site.Kind, layer: Int? = nil) -> Int? {
        guard kind.hasHeads else { return nil }
        switch kind {
        case .key, .value, .rotatedKey: return layer.map { keyValueHeads(layer: $0) } ?? keyValueHeads
        default: return layer.map { heads(layer: $0) } ?? heads
        }
    }

    /// Whether the model has the site.
    /// - Parameter layers: blocks of the stack in question; nil: those of the model's own.
    /// - Throws: ``SiteError/missing(_:family:has:)`` or ``SiteError/layer(_:layers:)``.
    public func check(_ site: Site, layers: Int? = nil) throws {
        let layers = layers ?? self.layers
        guard siteKinds.contains(site.kind) else {
            throw SiteError.missing(site, family: family.name, has: siteKinds)
        }
        if let layer = site.layer, !(0..<layers).contains(layer) {
            throw SiteError.layer(site, layers: layers)
        }
    }

    /// Where the dimensions of a query or key head stand in the model's own rows, in the order of Hugging Face's
    /// checkpoints; nil if that is the order of the rows.
    ///
    /// GGUF stores LLaMA's rows so that dimensions which are rotated together are neighbours.
    var headOrder: [Int]? {
        guard let rotary, case .rotary(let declared) = family.positions, declared == .halves,
            rotaryPairs == .interleaved
        else { return nil }
        let half = rotary.width / 2
        return (0..<headWidth).map { dimension in
            if dimension < half { return 2 * dimension }
            return dimension < 2 * half ? 2 * (dimension - half) + 1 : dimension
        }
    }
}
