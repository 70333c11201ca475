import CorvidTensors

/// A block's attention to a source text: its keys and values are made once, of the source's states.
struct CrossAttention: Sendable {
    let norm: Norm
    let query: Linear
    let key: Linear
    let value: Linear
    let output: Linear
    let attention: Attention
    let columns: Attention.Columns

    init(_ loader: WeightLoader, layer: Int, cacheShape: KeyValueShape) throws {
        let c = loader.configuration
        precondition(c.block == .sequential, "a source text is attended to between two halves of a block")
        let heads = c.heads * c.headWidth
        let keyValues = c.keyValueHeads * c.headWidth
        norm = try loader.norm(.crossNorm, layer: layer, width: c.width)
        query = try loader.linear(.crossQuery, layer: layer, outputs: heads, inputs: c.width)
        key = try loader.linear(.crossKey, layer: layer, outputs: keyValues, inputs: c.width)
        value = try loader.linear(.crossValue, layer: layer, outputs: keyValues, inputs: c.width)
        output = try loader.linear(.crossOutput, layer: layer, outputs: c.width, inputs: heads)
        attention = Attention(
            layer: layer, heads: c.heads, shape: cacheShape, scale: c.attentionScale(layer: layer),
            isCausal: false)
        let width = c.headWidth
        columns = Attention.Columns(query: { $0 * width }, key: { $0 * width }, value: { $0 * width })
    }
}
