import CorvidTensors

/// How one architecture differs from the others: a value without arithmetic. The runtime interprets it.
///
/// A decoder's rows see earlier rows, an encoder's see all of their sequence (``sees``). An encoder-decoder is
/// a decoder with a second stack of the same blocks (``encoder``) that reads a source text; its own blocks
/// have a third part, whose keys and values are the source's (``WeightRole/crossKey`` and its neighbours).
public struct Family: Sendable {
    /// How a block's two halves join the residual stream.
    public enum BlockShape: Sendable, Equatable {
        /// h += attention(norm(h)); h += mlp(norm(h))
        case sequential
        /// h += attention(norm(h)) + mlp(norm(h)), one norm for both
        case parallelSharedNorm
        /// h += attention(norm₁(h)) + mlp(norm₂(h))
        case parallel
        /// h = norm₁(h + attention(h)); h = norm₂(h + mlp(h)); no norm after the last block
        case normsAfter
        /// n = norm₁(h); h = n + attention(n); n = norm₂(h); h = n + mlp(n)
        case sequentialFromNorms
    }

    /// Another block shape, which a flag of the config chooses.
    public struct BlockChoice: Sendable, Equatable {
        /// The value of ``Setting/blockChoice`` that chooses it.
        public let flag: Bool
        public let block: BlockShape

        public init(flag: Bool, block: BlockShape) {
            self.flag = flag
            self.block = block
        }
    }

    /// What a row attends to.
    public enum Visibility: Sendable, Equatable {
        /// Itself and earlier rows of its sequence.
        case earlier
        /// All rows of its sequence, which must be there in one pass.
        case wholeSequence
    }

    /// How a token's place enters.
    public enum Positions: Sendable, Equatable {
        /// A table of vectors added to the embedding; row = position + offset.
        case learned(offset: Int)
        /// The same; offset = id of the padding token + 1. The config's number of positions counts the rows up
        /// to there, too, which no position has.
        case learnedAfterPadding
        /// Queries and keys are rotated.
        case rotary(RotaryPairs)
        /// Scores fall with the distance of their key, by a slope for each head (ALiBi; Press et al., 2022).
        case slopes
        /// Nothing but the causal mask.
        case none
    }

    public enum MLP: Sendable, Equatable {
        /// down(f(up(x)))
        case plain
        /// down(f(gate(x)) * up(x))
        case gated
    }

    /// How queries, keys and values share one matrix.
    public enum FusedOrder: Sendable, Equatable {
        /// All queries, then all keys, then all values.
        case thirds
        /// For each head its query, its key, its value.
        case perHead
        /// The matrix falls into so many equal slices, each with an equal share of the heads: their queries,
        /// then their values, then their keys.
        case slices(Int)
    }

    public enum AttentionScale: Sendable, Equatable {
        /// 1 / √headWidth
        case inverseSquareRoot
        case one
    }

    /// Corvid's name of the family; for many families also the config's `model_type`.
    public let name: String
    /// `architectures` in config.json that this declaration runs; a config without any means the first.
    public let architectures: [Architecture]
    /// `model_type` in config.json.
    public let modelType: String
    public let block: BlockShape
    /// nil if all models of the family have the same block.
    public let blockChoice: BlockChoice?
    public let norm: Norm.Kind
    public let sees: Visibility
    public let positions: Positions
    /// Unless the config's activation says that it is gated.
    public let mlp: MLP
    public let attentionScale: AttentionScale
    /// The order inside the fused matrix, if the checkpoint has ``WeightRole/queryKeyValue``.
    public let fusedOrder: FusedOrder
    /// How Hugging Face checkpoints store matrices.
    public let orientation: Linear.Orientation
    /// Names in config.json; the first that is present wins. A dot leads into an object.
    public let settings: [Setting: [String]]
    /// Values of settings that config.json may leave out.
    public let defaults: [Setting: SettingValue]
    /// Keys of config.json that change the arithmetic in a way that this declaration does not express, with
    /// the values that it does run. Any other value is refused; a key that is absent or null is not.
    public let fixed: [String: [SettingValue]]
    /// Names in Hugging Face checkpoints, without `.weight` and `.bias`; `{layer}` is the block's number.
    public let weights: [WeightRole: WeightNames]
    /// The same for the stack that reads a source text; empty if there is none.
    public let encoder: [WeightRole: WeightNames]
    /// Prefix which old checkpoints leave out.
    public let optionalPrefix: String
    /// Ends of names of tensors which hold no weights.
    public let ignored: [String]
    /// `general.architecture` in GGUF files, if the family has one.
    public let gguf: GGUFNaming?

    public init(
        name: String, architectures: [Architecture], modelType: String, block: BlockShape,
        blockChoice: BlockChoice? = nil, norm: Norm.Kind, sees: Visibility = .earlier,
        positions: Positions, mlp: MLP,
        attentionScale: AttentionScale = .inverseSquareRoot, fusedOrder: FusedOrder = .thirds,
        orientation: Linear.Orientation = .rows, settings: [Setting: [String]],
        defaults: [Setting: SettingValue] = [:], fixed: [String: [SettingValue]] = [:],
        weights: [WeightRole: WeightNames], encoder: [WeightRole: WeightNames] = [:],
        optionalPrefix: String = "", ignored: [String] = [], gguf: GGUFNaming? = nil
    ) {
        self.name = name
        self.architectures = architectures
        self.modelType = modelType
        self.block = block
        self.blockChoice = blockChoice
        self.norm = norm
        self.sees = sees
        self.positions = positions
        self.mlp = mlp
        self.attentionScale = attentionScale
        self.fusedOrder = fusedOrder
        self.orientation = orientation
        // All families of Hugging Face call it so.
        self.settings = settings.merging([.paddingToken: ["pad_token_id"]]) { own, _ in own }
        self.defaults = defaults
        self.fixed = Self.fixedForAll.merging(fixed) { _, own in own }
        // All decoders with a score for each label call it so.
        self.weights = weights.merging([.classifier: "score"]) { own, _ in own }
        self.encoder = encoder
        self.optionalPrefix = optionalPrefix
        self.ignored = ignored
        self.gguf = gguf
    }

    /// ``fixed`` of all families: no value means that there may be none.
    private static let fixedForAll: [String: [SettingValue]] = [
        "add_cross_attention": [.flag(false)], "cross_attention_hidden_size": [],
        "tie_encoder_decoder": [.flag(false)], "quantization_config.quant_method": [.text("corvid-int8")],
        "attn_logit_softcapping": [], "final_logit_softcapping": [],
    ]
}

/// A size or choice which a config gives.
public enum Setting: String, Sendable, CaseIterable {
    case width, layers, heads, keyValueHeads, headWidth, hidden, vocabulary, context
    case normEpsilon, activation, rotaryWidth, rotaryFraction, rotaryBase, tiedHead
    case scaleAttention, scaleByInverseLayer
    /// A flag that chooses ``Family/BlockChoice``.
    case blockChoice
    /// Width inside the MLP as a multiple of the width.
    case hiddenRatio
    /// Width of the token embedding, where projections lead from it to the width and back.
    case embeddingWidth
    /// Factor of the scores instead of the family's.
    case attentionScale
    /// Largest exponent of ALiBi's slopes.
    case slopeMaximum
    /// For each layer "global" or "local": a list of texts, or of pairs `[texts, repetitions]`.
    case attentionKinds
    /// Keys that a local layer sees.
    case window
    /// Queries, keys and values are cut to ± this.
    case queryKeyValueLimit
    /// Whether queries and keys are normalised over all their heads.
    case queryKeyNorm
    /// Whether norms have weights.
    case normWeights
    /// Whether the last norm is left out.
    case omitsFinalNorm
    /// Factor of the logits: a number, or "inv_sqrt_d_model".
    case logitScale
    /// Whether the logits are divided by √width.
    case scalesLogits
    /// Layers of the stack that reads a source text.
    case encoderLayers
    /// The token with which the answer to a source text begins.
    case startToken
    /// The token that ends a source text, where a classifier reads its answer.
    case endToken
    /// The token that fills up short sequences elsewhere; here it only gives an offset and ends a sequence.
    case paddingToken
    /// Kinds of tokens, each with a vector that is added to the embedding.
    case tokenTypes
    /// Buckets of distances between key and query, and the distance from which on there is only one.
    case distanceBuckets, distanceLimit
    /// Activation between the two matrices of the output, if it has two.
    case headActivation
    /// Activation of what is made of the first token before it is classified; tanh unless it is declared.
    case poolerActivation
    /// Whether matrices have biases, where a config says it: those of attention, and those of the MLP.
    case attentionBias, mlpBias
    /// Sense vectors of a token, and the width between the two matrices that make them, as a multiple of the
    /// width.
    case senses, senseRatio
}

public enum SettingValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case text(String)
    case list([SettingValue])
}
