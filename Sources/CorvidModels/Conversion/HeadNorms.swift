import CorvidTensors

extension ModelFiles {
    /// How long the weights of each head are: for each layer and head the L2 norm of its rows of queries, keys and
    /// values, with their biases, and of its columns of the output projection, all taken as one vector. Heads that
    /// share keys and values count them each.
    /// - Throws: what loading the model throws.
    public func headNorms() throws -> [[Double]] {
        let plan = try ConversionPlan(self, to: .f32, layout: nil)
        let c = plan.configuration
        var squares = (0..<c.layers).map { [Double](repeating: 0, count: c.heads(layer: $0)) }
        for use in plan.loader.uses where use.part == "weight" || use.part == "bias" {
            guard let layer = use.layer, let role = use.role, squares.indices.contains(layer) else {
                continue
            }
            let isOutput = role == .attentionOutput
            guard !isOutput || use.part == "weight",
                [.query, .key, .value, .queryKeyValue, .attentionOutput].contains(role)
            else { continue }
            let tensor = try plan.loader.tensor(of: use)
            let values = try tensor.floats()
            // Along the outputs, or along the inputs of the output projection.
            let byRows = use.part == "bias" || (use.orientation == .rows) != isOutput
            let columns = use.part == "bias" ? 1 : max(1, tensor.columns)
            var sums = [Double](repeating: 0, count: byRows ? values.count / columns : columns)
            for (index, value) in values.enumerated() {
                sums[byRows ? index / columns : index % columns] += Double(value) * Double(value)
            }
            let starts = try Self.starts(role, layer: layer, c, isGGUF: layout == .gguf, file: path)
            for head in squares[layer].indices {
                for start in starts(head) {
                    for place in start..<start + c.headWidth where sums.indices.contains(place) {
                        squares[layer][head] += sums[place]
                    }
                }
            }
            tensor.releasePages()
        }
        return squares.map { $0.map { $0.squareRoot() } }
    }

    /// Where what belongs to a head begins.
    private static func starts(
        _ role: WeightRole, layer: Int, _ c: ModelConfiguration, isGGUF: Bool, file: String
    ) throws -> (Int) -> [Int] {
        let group = max(1, c.heads(layer: layer) / max(1, c.keyValueHeads(layer: layer)))
        let width = c.headWidth
        switch role {
        case .queryKeyValue:
            let columns = try Block.fusedColumns(c, layer: layer, isGGUF: isGGUF, file: file)
            return { [columns.query($0), columns.key($0 / group), columns.value($0 / group)] }
        case .key, .value: return { [$0 / group * width] }
        default: return { [$0 * width] }
        }
    }
}
