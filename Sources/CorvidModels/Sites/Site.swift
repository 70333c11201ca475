/// A named place in the forward pass, such as `5.mlp.hidden`: what stands there can be recorded and changed.
///
/// Sites have the same names in all families. Per block, in the order in which a pass comes to them:
///
/// | site | values of a row |
/// |---|---|
/// | `input` | the residual before the block, `[width]` |
/// | `attention.input` | what attention reads: the normalised residual, `[width]` |
/// | `attention.query`, `.key`, `.value` | before rotation, `[heads * headWidth]`, keys and values of key-value heads |
/// | `attention.query.rotated`, `.key.rotated` | after rotation; without rotary positions the same as before |
/// | `attention.pattern` | how much a head takes of each key, `[heads, keys]`; 0 for keys that the row does not see |
/// | `attention.heads` | what the heads give, the input of the output projection, `[heads * headWidth]` |
/// | `attention.output` | with bias, before it is added to the residual, `[width]` |
/// | `mlp.input` | what the MLP reads, `[width]` |
/// | `mlp.hidden` | the input of the last matrix of the MLP, `[hidden]` |
/// | `mlp.output` | with bias, before it is added to the residual, `[width]` |
/// | `output` | the residual after the block, `[width]` |
///
/// Before the blocks `embedding`, a token's vector before its position is added, `[embeddingWidth]`; behind them
/// a Backpack's `senses`, `[senses * width]`, `final.norm`, `[width]`, and `logits`, `[vocabulary]`, the latter
/// two for rows that want an output.
///
/// Queries, keys and values are in the order of heads and dimensions that Hugging Face's checkpoints have,
/// whatever the file's is, and not yet rounded for the cache. Where attention and MLP read one value (GPT-J), `attention.input` and `mlp.input`
/// are two sites over it: a change at one of them reaches its own reader only.
public struct Site: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case embedding
        case input
        case attentionInput = "attention.input"
        case query = "attention.query"
        case key = "attention.key"
        case value = "attention.value"
        case rotatedQuery = "attention.query.rotated"
        case rotatedKey = "attention.key.rotated"
        case pattern = "attention.pattern"
        case heads = "attention.heads"
        case attentionOutput = "attention.output"
        case mlpInput = "mlp.input"
        case mlpHidden = "mlp.hidden"
        case mlpOutput = "mlp.output"
        case output
        case senses
        case finalNorm = "final.norm"
        case logits

        /// Whether each block has one.
        public var isPerLayer: Bool {
            switch self {
            case .embedding, .senses, .finalNorm, .logits: false
            default: true
            }
        }

        /// Whether its values fall into heads.
        public var hasHeads: Bool {
            switch self {
            case .query, .key, .value, .rotatedQuery, .rotatedKey, .pattern, .heads: true
            default: false
            }
        }
    }

    public let kind: Kind
    /// The block, from 0; nil outside the blocks.
    public let layer: Int?

    /// A site of a block.
    public init(_ kind: Kind, layer: Int) {
        precondition(kind.isPerLayer, "a site outside the blocks has no layer")
        self.kind = kind
        self.layer = layer
    }

    private init(_ kind: Kind) {
        self.kind = kind
        layer = nil
    }

    public static let embedding = Site(.embedding)
    public static let senses = Site(.senses)
    public static let finalNorm = Site(.finalNorm)
    public static let logits = Site(.logits)
    /// The residual before block `layer`.
    public static func input(of layer: Int) -> Site { Site(.input, layer: layer) }
    /// The residual after block `layer`.
    public static func output(of layer: Int) -> Site { Site(.output, layer: layer) }

    /// A site outside the blocks.
    static func outside(_ kind: Kind) -> Site { Site(kind) }

    /// Reads `5.mlp.hidden` or `embedding`.
    /// - Throws: ``SiteError/name(_:)``.
    public init(parsing text: String) throws {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if let layer = Int(parts[0]), layer >= 0, parts.count == 2,
            let kind = Kind(rawValue: String(parts[1])), kind.isPerLayer
        {
            self.init(kind, layer: layer)
        } else if let kind = Kind(rawValue: text), !kind.isPerLayer {
            self.init(kind)
        } else {
            throw SiteError.name(text)
        }
    }

    public var description: String { (layer.map { "\($0)." } ?? "") + kind.rawValue }
}
