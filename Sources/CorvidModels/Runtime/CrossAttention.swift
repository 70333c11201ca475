import CorvidTensors

/// A block's attention to a source text: its keys and values are made once, of the source's states.
struct CrossAttention: Sendable {
    private(set) var norm: Norm
    private(set) var query: Linear
    private(set) var key: Linear
    private(set) var value: Linear
    private(set) var output: Linear
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

    /// Lays what belongs here over the weights.
    mutating func lay(_ layings: inout Layings, layer: Int) throws {
        try layings.lay(over: &norm, .crossNorm, layer: layer)
        try layings.lay(over: &query, .crossQuery, layer: layer)
        try layings.lay(over: &key, .crossKey, layer: layer)
        try layings.lay(over: &value, .crossValue, layer: layer)
        try layings.lay(over: &output, .crossOutput, layer: layer)
    }
}
