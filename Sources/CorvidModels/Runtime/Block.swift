import CorvidTensors

/// One block of the transformer: its weights, ready to multiply.
struct Block: Sendable {
    /// Products whose outputs hold queries, keys and values: three, or one fused.
    let projections: [Linear]
    /// Where a head's columns stand in the outputs of ``projections``.
    let columns: Attention.Columns
    let attention: Attention
    let attentionOutput: Linear
    let attentionNorm: Norm
    /// nil if the MLP reads what attention reads.
    let mlpNorm: Norm?
    /// nil in a plain MLP.
    let gate: Linear?
    let up: Linear
    let down: Linear

    /// Reads block `layer`.
    init(_ loader: WeightLoader, layer: Int, cacheShape: KeyValueShape) throws {
        let c = loader.configuration
        let attentionWidth = c.heads * c.headWidth
        let keyValueWidth = c.keyValueHeads * c.headWidth
        if loader.has(.queryKeyValue, layer: layer) {
            projections = [
                try loader.linear(
                    .queryKeyValue, layer: layer, outputs: attentionWidth + 2 * keyValueWidth, inputs: c.width)
            ]
            columns = try Self.fusedColumns(loader)
        } else {
            projections = [
                try loader.linear(.query, layer: layer, outputs: attentionWidth, inputs: c.width),
                try loader.linear(.key, layer: layer, outputs: keyValueWidth, inputs: c.width),
                try loader.linear(.value, layer: layer, outputs: keyValueWidth, inputs: c.width),
            ]
            let width = c.headWidth
            columns = Attention.Columns(query: { $0 * width }, key: { $0 * width }, value: { $0 * width })
        }
        attention = Attention(
            layer: layer, heads: c.heads, shape: cacheShape, scale: c.attentionScale(layer: layer))
        attentionOutput = try loader.linear(.attentionOutput, layer: layer, outputs: c.width, inputs: attentionWidth)
        attentionNorm = try loader.norm(.attentionNorm, layer: layer)
        mlpNorm = c.family.block == .parallelSharedNorm ? nil : try loader.norm(.mlpNorm, layer: layer)
        gate =
            c.family.mlp == .gated
            ? try loader.linear(.gate, layer: layer, outputs: c.hidden, inputs: c.width) : nil
        up = try loader.linear(.up, layer: layer, outputs: c.hidden, inputs: c.width)
        down = try loader.linear(.down, layer: layer, outputs: c.width, inputs: c.hidden)
    }

    private static func fusedColumns(_ loader: WeightLoader) throws -> Attention.Columns {
        let c = loader.configuration
        let width = c.headWidth
        let queries = c.heads * width
        let keys = c.keyValueHeads * width
        switch loader.isGGUF ? .thirds : c.family.fusedOrder {
        case .thirds:
            return Attention.Columns(
                query: { $0 * width }, key: { queries + $0 * width }, value: { queries + keys + $0 * width })
        }
    }

    /// All matrices of the block.
    var linears: [Linear] { projections + [attentionOutput, up, down] + (gate.map { [$0] } ?? []) }

    /// Bytes of weights that a pass over this block reads.
    var byteCount: Int { linears.reduce(0) { $0 + $1.byteCount } }
}
