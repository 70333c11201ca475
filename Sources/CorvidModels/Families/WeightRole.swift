/// What a weight does. A role's bias, where a checkpoint has one, has the same name.
public enum WeightRole: String, Sendable, CaseIterable {
    case tokenEmbedding, positionEmbedding, tokenTypeEmbedding, embeddingNorm
    case embeddingProjection
    /// A number for each bucket of distances and each head, `[buckets, heads]`, which is added to the scores.
    case distanceBias
    case attentionNorm, query, key, value, queryKeyValue, queryNorm, keyNorm, attentionOutput
    /// Attention to a source text, between attention and MLP.
    case crossNorm, crossQuery, crossKey, crossValue, crossOutput
    case mlpNorm, gate, up, down
    case finalNorm, outputProjection, head
    /// A matrix and a norm before ``head``.
    case headTransform, headNorm
    /// The bias of ``head``, where it has a name of its own.
    case headBias
    /// What makes one vector of the first token's, followed by tanh.
    case pooler
    /// From the pooled vector, or a token's, to a score for each label.
    case classifier
    /// A Backpack's: what makes the sense vectors of a token (a norm, an MLP between two norms, an MLP), and
    /// what makes queries and keys of the states.
    case senseNorm, senseInnerNorm, senseInnerUp, senseInnerDown, senseOuterNorm, senseUp, senseDown
    case senseQueryKey

    /// Whether each block has one.
    public var isPerLayer: Bool {
        switch self {
        case .attentionNorm, .query, .key, .value, .queryKeyValue, .queryNorm, .keyNorm, .attentionOutput,
            .crossNorm, .crossQuery, .crossKey, .crossValue, .crossOutput, .mlpNorm, .gate, .up, .down:
            true
        default: false
        }
    }

    /// Whether the matrix is stored as the family's blocks are (``Family/orientation``).
    var isOriented: Bool {
        switch self {
        case .senseInnerUp, .senseInnerDown, .senseUp, .senseDown: true
        default: isPerLayer
        }
    }

    /// Whether it is a table whose vectors are added to those of the tokens.
    var isSmallTable: Bool { self == .positionEmbedding || self == .tokenTypeEmbedding }

    /// Names in GGUF files, for all families; nil for what no file has.
    public var ggufName: String? {
        switch self {
        case .tokenEmbedding: "token_embd"
        case .positionEmbedding: "position_embd"
        case .embeddingNorm: "token_embd_norm"
        case .attentionNorm: "blk.{layer}.attn_norm"
        case .query: "blk.{layer}.attn_q"
        case .key: "blk.{layer}.attn_k"
        case .value: "blk.{layer}.attn_v"
        case .queryKeyValue: "blk.{layer}.attn_qkv"
        case .queryNorm: "blk.{layer}.attn_q_norm"
        case .keyNorm: "blk.{layer}.attn_k_norm"
        case .attentionOutput: "blk.{layer}.attn_output"
        case .mlpNorm: "blk.{layer}.ffn_norm"
        case .gate: "blk.{layer}.ffn_gate"
        case .up: "blk.{layer}.ffn_up"
        case .down: "blk.{layer}.ffn_down"
        case .finalNorm: "output_norm"
        case .head: "output"
        default: nil
        }
    }
}

/// What checkpoints call a weight: one name, or several, of which the first that a file has counts.
public struct WeightNames: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    public let all: [String]

    public init(stringLiteral name: String) { all = [name] }
    public init(arrayLiteral names: String...) { all = names }
}
