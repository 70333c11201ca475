import CorvidTensors

/// One block of the transformer: its weights, ready to multiply.
struct Block: Sendable {
    /// Products whose outputs hold queries, keys and values: three, or one fused.
    private(set) var projections: [Linear]
    /// Where a head's columns stand in the outputs of ``projections``.
    let columns: Attention.Columns
    let attention: Attention
    /// Norms over all heads of the queries and of the keys, before they are rotated.
    private(set) var queryNorm: Norm?
    private(set) var keyNorm: Norm?
    private(set) var attentionOutput: Linear
    private(set) var attentionNorm: Norm
    /// Attention to a source text; nil in models that read none.
    private(set) var cross: CrossAttention?
    /// nil if the MLP reads what attention reads.
    private(set) var mlpNorm: Norm?
    /// nil in a plain MLP.
    private(set) var gate: Linear?
    private(set) var up: Linear
    private(set) var down: Linear

    /// Reads block `layer`.
    /// - Parameters:
    ///   - isCausal: whether a row sees no later rows.
    ///   - bias: what is added to the scores.
    init(
        _ loader: WeightLoader, layer: Int, isCausal: Bool, cacheShape: KeyValueShape, bias: Attention.Bias?
    ) throws {
        let c = loader.configuration
        let heads = c.heads(layer: layer)
        let keyValueHeads = c.keyValueHeads(layer: layer)
        let attentionWidth = heads * c.headWidth
        let keyValueWidth = keyValueHeads * c.headWidth
        if heads == 0 {
            projections = []
            columns = Attention.Columns(query: { _ in 0 }, key: { _ in 0 }, value: { _ in 0 })
        } else if loader.has(.queryKeyValue, layer: layer) {
            projections = [
                try loader.linear(
                    .queryKeyValue, layer: layer, outputs: attentionWidth + 2 * keyValueWidth, inputs: c.width
                )
            ]
            columns = try Self.fusedColumns(c, layer: layer, isGGUF: loader.isGGUF, file: loader.file)
        } else {
            projections = [
                try loader.linear(.query, layer: layer, outputs: attentionWidth, inputs: c.width),
                try loader.linear(.key, layer: layer, outputs: keyValueWidth, inputs: c.width),
                try loader.linear(.value, layer: layer, outputs: keyValueWidth, inputs: c.width),
            ]
            let width = c.headWidth
            columns = Attention.Columns(query: { $0 * width }, key: { $0 * width }, value: { $0 * width })
        }
        // Nobody comes back to the keys and values of rows that see all of their sequence: its blocks use the
        // same place one after the other.
        attention = Attention(
            layer: isCausal ? layer : 0, heads: heads, shape: cacheShape.with(heads: keyValueHeads),
            scale: c.attentionScale(layer: layer), isCausal: isCausal,
            window: isCausal ? c.windows[layer] : 0, bias: try bias?.of(heads: c.keptHeads(layer: layer)))
        if c.hasQueryKeyNorm {
            // A norm over all heads needs them side by side.
            guard
                columns.areNeighbours(heads: heads, keyValueHeads: keyValueHeads, headWidth: c.headWidth)
            else {
                throw ConfigurationError.relation(
                    file: loader.file,
                    text: "queries and keys cannot be normalised where their heads lie apart")
            }
            queryNorm = try loader.norm(.queryNorm, layer: layer, width: attentionWidth)
            keyNorm = try loader.norm(.keyNorm, layer: layer, width: keyValueWidth)
        } else {
            queryNorm = nil
            keyNorm = nil
        }
        attentionOutput = try loader.linear(
            .attentionOutput, layer: layer, outputs: c.width, inputs: attentionWidth)
        attentionNorm = try loader.norm(.attentionNorm, layer: layer, width: c.width)
        cross =
            loader.declares(.crossQuery)
            ? try CrossAttention(loader, layer: layer, cacheShape: cacheShape) : nil
        mlpNorm =
            c.block == .parallelSharedNorm ? nil : try loader.norm(.mlpNorm, layer: layer, width: c.width)
        gate =
            c.mlp == .gated
            ? try loader.linear(.gate, layer: layer, outputs: c.hidden, inputs: c.width) : nil
        up = try loader.linear(.up, layer: layer, outputs: c.hidden, inputs: c.width)
        down = try loader.linear(.down, layer: layer, outputs: c.width, inputs: c.hidden)
    }

    /// Where the heads of block `layer` stand in the outputs of a fused product.
    static func fusedColumns(
        _ c: ModelConfiguration, layer: Int, isGGUF: Bool, file: String
    ) throws -> Attention.Columns {
        let all = c.heads(layer: layer)
        let keyValueHeads = c.keyValueHeads(layer: layer)
        let width = c.headWidth
        let queries = all * width
        let keys = keyValueHeads * width
        let order = isGGUF ? .thirds : c.family.fusedOrder
        guard order == .thirds || all == keyValueHeads else {
            throw ConfigurationError.relation(
                file: file, text: "\(keyValueHeads) key-value heads beside \(all) query heads")
        }
        switch order {
        case .thirds:
            return Attention.Columns(
                query: { $0 * width }, key: { queries + $0 * width }, value: { queries + keys + $0 * width })
        case .perHead:
            return Attention.Columns(
                query: { 3 * $0 * width }, key: { (3 * $0 + 1) * width }, value: { (3 * $0 + 2) * width })
        case .slices(let count):
            guard all % count == 0 else {
                throw ConfigurationError.relation(
                    file: file, text: "\(all) heads do not fall into \(count) slices")
            }
            let heads = all / count
            @Sendable func column(_ head: Int, part: Int) -> Int {
                ((head / heads * 3 + part) * heads + head % heads) * width
            }
            return Attention.Columns(
                query: { column($0, part: 0) }, key: { column($0, part: 2) }, value: { column($0, part: 1) })
        }
    }

    /// Lays what belongs to this block over its weights.
    ///
    /// Queries, keys and values may be changed by themselves where they are parts of one matrix, too.
    mutating func lay(_ layings: inout Layings, layer: Int, _ c: ModelConfiguration) throws {
        let isFused = projections.count == 1
        func places(_ heads: Int, _ start: (Int) -> Int, _ order: [Int]?) -> [Int]? {
            guard isFused || order != nil else { return nil }
            let order = order ?? Array(0..<c.headWidth)
            return (0..<heads).flatMap { head in order.map { start(head) + $0 } }
        }
        if isFused { try layings.lay(over: &projections[0], .queryKeyValue, layer: layer) }
        if !projections.isEmpty {
            try layings.lay(
                over: &projections[0], .query, layer: layer,
                places: places(attention.heads, columns.query, c.headOrder))
            try layings.lay(
                over: &projections[isFused ? 0 : 1], .key, layer: layer,
                places: places(attention.shape.heads, columns.key, c.headOrder))
            try layings.lay(
                over: &projections[isFused ? 0 : 2], .value, layer: layer,
                places: places(attention.shape.heads, columns.value, nil))
        }
        try layings.lay(over: &queryNorm, .queryNorm, layer: layer)
        try layings.lay(over: &keyNorm, .keyNorm, layer: layer)
        try layings.lay(over: &attentionOutput, .attentionOutput, layer: layer)
        try layings.lay(over: &attentionNorm, .attentionNorm, layer: layer)
        try layings.lay(over: &mlpNorm, .mlpNorm, layer: layer)
        try layings.lay(over: &gate, .gate, layer: layer)
        try layings.lay(over: &up, .up, layer: layer)
        try layings.lay(over: &down, .down, layer: layer)
        try cross?.lay(&layings, layer: layer)
    }

    /// All matrices of the block that a row is multiplied with.
    var linears: [Linear] {
        projections + [attentionOutput, up, down] + [gate, cross?.query, cross?.output].compactMap { $0 }
    }

    /// Bytes of weights that a pass over this block reads.
    var byteCount: Int { linears.reduce(0) { $0 + $1.byteCount } }
}

extension Attention.Columns {
    /// Whether the heads of the queries are neighbours, and those of the keys.
    fileprivate func areNeighbours(heads: Int, keyValueHeads: Int, headWidth: Int) -> Bool {
        (0..<heads).allSatisfy { query($0) == query(0) + $0 * headWidth }
            && (0..<keyValueHeads).allSatisfy { key($0) == key(0) + $0 * headWidth }
    }
}
