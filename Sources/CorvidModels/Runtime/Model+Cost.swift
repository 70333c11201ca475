import CorvidTensors

extension Model {
    /// Operations of the products of a pass, without attention's scores; a multiply-add counts two.
    ///
    /// A pass does not compute what nobody reads: the last block gives outputs only for rows that want logits,
    /// and without such rows not even queries.
    /// - Parameters:
    ///   - rows: rows of the pass.
    ///   - logits: how many of them want logits.
    public func operations(rows: Int, logits: Int) -> Double {
        transformer.operations(rows: Double(rows), logits: Double(logits))
    }

    /// What the products of the blocks are made of.
    public var arithmetic: Arithmetic { transformer.stack.blocks.first?.up.arithmetic ?? .f32 }
}

extension Transformer {
    fileprivate func operations(rows: Double, logits: Double) -> Double {
        func cost(_ linears: [Linear]) -> Double {
            linears.reduce(0) { $0 + 2 * Double($1.outputs) * Double($1.inputs) }
        }
        let entry = cost([stack.embeddingProjection].compactMap { $0 })
        let exit = cost([stack.outputProjection].compactMap { $0 } + head.linears(configuration.output))
        var operations = entry * rows + exit * logits
        for block in stack.blocks.dropLast() { operations += cost(block.linears) * rows }
        // Sense vectors need the states of all rows.
        let wanted = senses == nil ? logits : rows
        if let senses { operations += cost(senses.linears) * rows }
        if let last = stack.blocks.last {
            let projections = wanted > 0 ? last.projections[...] : last.projections.suffix(2)
            operations += cost(Array(projections)) * rows
            operations += (cost(last.linears) - cost(last.projections)) * wanted
        }
        return operations
    }
}
