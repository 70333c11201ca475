/// What a weight of a model is.
enum WeightShape: Equatable {
    /// `[outputs, inputs]`, by which rows are multiplied.
    case matrix(outputs: Int, inputs: Int)
    /// `[rows, width]`, vectors that are looked up.
    case table(rows: Int, width: Int)
    case norm(width: Int)
}

extension WeightRole {
    /// Whether rows are multiplied by it.
    var isMatrix: Bool {
        switch self {
        case .tokenEmbedding, .positionEmbedding, .tokenTypeEmbedding, .distanceBias, .headBias: false
        default: !isNorm
        }
    }

    var isTable: Bool { self == .tokenEmbedding || isSmallTable }

    var isNorm: Bool {
        switch self {
        case .embeddingNorm, .attentionNorm, .queryNorm, .keyNorm, .crossNorm, .mlpNorm, .finalNorm,
            .headNorm,
            .senseNorm, .senseInnerNorm, .senseOuterNorm:
            true
        default: false
        }
    }
}

extension ModelConfiguration {
    /// What a weight is, by the sizes of the model; nil for one that it does not have, as far as they say.
    func shape(of target: WeightTarget) -> WeightShape? {
        if let layer = target.layer, !(0..<layers).contains(layer) { return nil }
        let queries = (target.layer.map { heads(layer: $0) } ?? heads) * headWidth
        let keys = (target.layer.map { keyValueHeads(layer: $0) } ?? keyValueHeads) * headWidth
        func matrix(_ outputs: Int, _ inputs: Int, if isThere: Bool = true) -> WeightShape? {
            isThere ? .matrix(outputs: outputs, inputs: inputs) : nil
        }
        let isFused = family.weights[.queryKeyValue] != nil
        let hasCross = family.weights[.crossQuery] != nil && encoderLayers > 0
        switch target.role {
        case .tokenEmbedding: return .table(rows: vocabulary, width: embeddingWidth)
        case .positionEmbedding:
            return hasPositionEmbedding ? .table(rows: context + positionOffset, width: width) : nil
        case .tokenTypeEmbedding: return tokenTypes > 0 ? .table(rows: tokenTypes, width: width) : nil
        case .embeddingProjection: return matrix(width, embeddingWidth, if: embeddingWidth != width)
        case .outputProjection: return matrix(embeddingWidth, width, if: embeddingWidth != width)
        // They may be named by themselves where they are parts of one matrix, too.
        case .query: return matrix(queries, width)
        case .key, .value: return matrix(keys, width)
        case .queryKeyValue: return matrix(queries + 2 * keys, width, if: isFused)
        case .attentionOutput: return matrix(width, queries)
        case .crossQuery: return matrix(queries, width, if: hasCross)
        case .crossKey, .crossValue: return matrix(keys, width, if: hasCross)
        case .crossOutput: return matrix(width, queries, if: hasCross)
        case .gate: return matrix(hidden, width, if: mlp == .gated)
        case .up: return matrix(hidden, width)
        case .down: return matrix(width, hidden)
        case .head: return matrix(vocabulary, embeddingWidth, if: output == .vocabulary)
        case .headTransform:
            return matrix(embeddingWidth, embeddingWidth, if: family.weights[.headTransform] != nil)
        case .pooler: return matrix(embeddingWidth, embeddingWidth, if: family.weights[.pooler] != nil)
        case .classifier: return matrix(labels.count, embeddingWidth, if: output.isLabels)
        case .embeddingNorm: return family.weights[.embeddingNorm] == nil ? nil : .norm(width: width)
        case .attentionNorm: return .norm(width: width)
        case .mlpNorm: return block == .parallelSharedNorm ? nil : .norm(width: width)
        case .crossNorm: return hasCross ? .norm(width: width) : nil
        case .queryNorm: return hasQueryKeyNorm ? .norm(width: queries) : nil
        case .keyNorm: return hasQueryKeyNorm ? .norm(width: keys) : nil
        case .finalNorm: return hasFinalNorm ? .norm(width: width) : nil
        case .headNorm: return family.weights[.headNorm] == nil ? nil : .norm(width: embeddingWidth)
        case .senseQueryKey: return matrix(2 * width, width, if: senses > 0)
        case .distanceBias, .headBias, .senseNorm, .senseInnerNorm, .senseOuterNorm, .senseInnerUp,
            .senseInnerDown, .senseUp, .senseDown:
            return nil
        }
    }

    /// - Throws: ``PatchMisfit`` unless the weight is a matrix of this shape.
    func checkMatrix(_ target: WeightTarget, _ found: [Int]) throws {
        guard case .matrix(let outputs, let inputs)? = shape(of: target) else {
            throw PatchMisfit(place: "weight \(target)", found: found, expected: nil)
        }
        guard found == [outputs, inputs] else {
            throw PatchMisfit(place: "weight \(target)", found: found, expected: [outputs, inputs])
        }
    }

    /// - Throws: ``PatchMisfit`` unless the weight is a table of this shape.
    func checkTable(_ target: WeightTarget, _ found: [Int]) throws {
        guard case .table(let rows, let width)? = shape(of: target) else {
            throw PatchMisfit(place: "table \(target)", found: found, expected: nil)
        }
        guard found == [rows, width] else {
            throw PatchMisfit(place: "table \(target)", found: found, expected: [rows, width])
        }
    }
}
