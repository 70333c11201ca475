import CorvidTensors

/// The weights that a model of some configuration has, as a checkpoint of its family would hold them.
struct WeightList: Sendable {
    struct Weight: Sendable {
        /// With `.weight` or `.bias`.
        let name: String
        let shape: [Int]
        let kind: Kind
    }

    enum Kind: Sendable {
        /// A matrix which multiplies rows, or the table of tokens.
        case matrix
        /// The table of positions.
        case table
        case normWeight
        case bias
        /// Factors of the rows of an int8 matrix.
        case scale
    }

    private(set) var weights: [Weight] = []
    private let configuration: ModelConfiguration
    private let isGGUF: Bool
    private let biased: Set<WeightRole>

    /// - Parameters:
    ///   - isGGUF: names and orientation as in GGUF files; else as in Hugging Face's.
    ///   - biased: matrices that have a bias.
    init(_ configuration: ModelConfiguration, isGGUF: Bool, biased: Set<WeightRole>) {
        self.configuration = configuration
        self.isGGUF = isGGUF
        self.biased = biased
        let c = configuration
        add(.tokenEmbedding, .matrix, [c.vocabulary, c.embeddingWidth])
        if c.hasPositionEmbedding {
            add(.positionEmbedding, .table, [c.context + c.positionOffset, c.width])
        }
        if c.family.weights[.embeddingNorm] != nil { addNorm(.embeddingNorm, c.width) }
        let isProjected = c.embeddingWidth != c.width
        if isProjected { addLinear(.embeddingProjection, outputs: c.width, inputs: c.embeddingWidth) }
        for layer in 0..<c.layers { addBlock(layer) }
        if c.hasFinalNorm { addNorm(.finalNorm, c.width) }
        if isProjected { addLinear(.outputProjection, outputs: c.embeddingWidth, inputs: c.width) }
        if c.tiedHead == false { addLinear(.head, outputs: c.vocabulary, inputs: c.embeddingWidth) }
    }

    /// The same for int8 matrices, each with its scales.
    var weightsWithScales: [Weight] {
        weights.flatMap { weight -> [Weight] in
            guard case .matrix = weight.kind else { return [weight] }
            let name = weight.name + WeightUse.scaleSuffix
            return [weight, Weight(name: name, shape: Array(weight.shape.prefix(1)), kind: .scale)]
        }
    }

    private mutating func addBlock(_ layer: Int) {
        let c = configuration
        let queries = c.heads(layer: layer) * c.headWidth
        let keys = c.keyValueHeads(layer: layer) * c.headWidth
        addNorm(.attentionNorm, c.width, layer)
        if c.family.weights[.queryKeyValue] != nil {
            addLinear(.queryKeyValue, outputs: queries + 2 * keys, inputs: c.width, layer)
        } else {
            addLinear(.query, outputs: queries, inputs: c.width, layer)
            addLinear(.key, outputs: keys, inputs: c.width, layer)
            addLinear(.value, outputs: keys, inputs: c.width, layer)
        }
        if c.hasQueryKeyNorm {
            addNorm(.queryNorm, queries, layer)
            addNorm(.keyNorm, keys, layer)
        }
        addLinear(.attentionOutput, outputs: c.width, inputs: queries, layer)
        if c.block != .parallelSharedNorm { addNorm(.mlpNorm, c.width, layer) }
        if c.mlp == .gated { addLinear(.gate, outputs: c.hidden, inputs: c.width, layer) }
        addLinear(.up, outputs: c.hidden, inputs: c.width, layer)
        addLinear(.down, outputs: c.width, inputs: c.hidden, layer)
    }

    private mutating func addNorm(_ role: WeightRole, _ width: Int, _ layer: Int? = nil) {
        guard configuration.hasNormWeights else { return }
        add(role, .normWeight, [width], layer)
        if configuration.family.norm == .layer, biased.contains(role) {
            add(role, .bias, [width], layer)
        }
    }

    private mutating func addLinear(_ role: WeightRole, outputs: Int, inputs: Int, _ layer: Int? = nil) {
        let isByRows = isGGUF || !role.isOriented || configuration.family.orientation == .rows
        add(role, .matrix, isByRows ? [outputs, inputs] : [inputs, outputs], layer)
        if biased.contains(role) { add(role, .bias, [outputs], layer) }
    }

    private mutating func add(_ role: WeightRole, _ kind: Kind, _ shape: [Int], _ layer: Int? = nil) {
        let declared = configuration.family.names(isGGUF: isGGUF)[role]
        guard let name = declared?.all.first?.replacing("{layer}", with: layer.map(String.init) ?? "") else {
            return
        }
        let part = if case .bias = kind { "bias" } else { "weight" }
        weights.append(Weight(name: "\(name).\(part)", shape: shape, kind: kind))
    }
}

extension Family {
    /// Which weights of the family's published models have a bias. A declaration need not say it: a loader
    /// takes what a checkpoint has.
    var biasedWeights: Set<WeightRole> {
        let norms: Set<WeightRole> = [
            .embeddingNorm, .attentionNorm, .mlpNorm, .queryNorm, .keyNorm, .finalNorm,
        ]
        let matrices: Set<WeightRole> = [.query, .key, .value, .queryKeyValue, .attentionOutput, .up, .down]
        switch name {
        case Family.gptj.name, Family.codeGen.name: return norms.union([.up, .down, .head])
        case Family.gptNeo.name: return norms.union([.attentionOutput, .up, .down])
        case Family.llama.name, Family.mpt.name: return []
        default: return norms.union(matrices)
        }
    }
}
