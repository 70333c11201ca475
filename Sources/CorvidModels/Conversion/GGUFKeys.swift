import CorvidTensors
import CorvidText

/// The metadata of a GGUF file that is written.
struct GGUFKeys {
    private(set) var keys: [(key: String, value: GGUFNewValue)] = []

    /// Keys that describe the stored bytes rather than the model.
    private static let replaced: Set<String> = [
        "general.file_type", "general.quantization_version", "general.alignment", "split.no", "split.count",
        "split.tensors.count",
    ]

    /// Those of another GGUF file, but what says how its bytes are stored.
    init(_ source: GGUFFile, type: DType) {
        for key in source.keys where !Self.replaced.contains(key) {
            if let value = source.storedValue(key) { keys.append((key, value)) }
        }
        addStorage(type)
    }

    /// Those of a model from a folder.
    /// - Throws: ``ConversionError`` for what GGUF cannot say, `TokenizerError` for such a tokenizer.
    init(_ configuration: ModelConfiguration, files: ModelFiles, naming: GGUFNaming, type: DType) throws {
        try Self.refuseUnsayable(configuration, naming, path: files.path)
        let name = files.path.split(separator: "/").last.map(String.init) ?? configuration.family.name
        func key(_ name: String) -> String { naming.architecture + "." + name }
        func number(_ value: Int) -> GGUFNewValue { .u32(UInt32(clamping: value)) }
        keys = [
            ("general.architecture", .string(naming.architecture)), ("general.name", .string(name)),
            (key("context_length"), number(configuration.context)),
            (key("embedding_length"), number(configuration.width)),
            (key("block_count"), number(configuration.layers)),
            (key("feed_forward_length"), number(configuration.hidden)),
            (key("vocab_size"), number(configuration.vocabulary)),
            (key("attention.head_count"), number(configuration.heads)),
        ]
        if configuration.keyValueHeads != configuration.heads {
            keys.append((key("attention.head_count_kv"), number(configuration.keyValueHeads)))
        }
        if configuration.headWidth * configuration.heads != configuration.width {
            keys.append((key("attention.key_length"), number(configuration.headWidth)))
            keys.append((key("attention.value_length"), number(configuration.headWidth)))
        }
        let epsilon =
            configuration.family.norm == .rms
            ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"
        keys.append((key(epsilon), .f32(configuration.normEpsilon)))
        if let rotary = configuration.rotary {
            keys.append((key("rope.dimension_count"), number(rotary.width)))
            keys.append((key("rope.freq_base"), .f32(Float(rotary.base))))
            if case .linear(let factor) = rotary.scaling {
                keys.append((key("rope.scaling.type"), .string("linear")))
                keys.append((key("rope.scaling.factor"), .f32(Float(factor))))
            }
        }
        addStorage(type)
        try addTokenizer(files, rows: configuration.vocabulary)
    }

    /// A key of Corvid's own, in place of one that was there.
    mutating func add(_ key: String, _ value: GGUFNewValue) {
        keys.removeAll { $0.key == key }
        keys.append((key, value))
    }

    private mutating func addStorage(_ type: DType) {
        if let number = Self.fileTypes[type] { keys.append(("general.file_type", .u32(number))) }
        if type.isBlock { keys.append(("general.quantization_version", .u32(2))) }
    }

    /// What llama.cpp calls the type of most tensors.
    private static let fileTypes: [DType: UInt32] = [
        .f32: 0, .f16: 1, .q4_0: 2, .q4_1: 3, .q8_0: 7, .q5_0: 8, .q5_1: 9, .q4_K: 14, .q5_K: 16, .q6_K: 18,
        .bf16: 32,
    ]

    // MARK: Tokenizer

    /// Nothing if the model has none; one that cannot be read, or that GGUF cannot describe, is refused.
    private mutating func addTokenizer(_ files: ModelFiles, rows: Int) throws {
        let names = ["tokenizer.json", "vocab.json", "tokenizer.model", "vocab.txt"]
        guard let folder = files.folder, names.contains(where: folder.has) else { return }
        let tokenizer = try files.tokenizer()
        guard let pipeline = tokenizer as? PipelineTokenizer else { return }
        let fields = try pipeline.ggufFields(rows: rows, file: folder.path)
        func key(_ name: String) -> String { "tokenizer.ggml." + name }
        keys += [
            (key("model"), .string(fields.model)), (key("pre"), .string(fields.pre)),
            (key("tokens"), .strings(fields.tokens)), (key("token_type"), .integers(fields.tokenTypes)),
            (key("merges"), .strings(fields.merges)),
        ]
        let roles: [(String, Int32?)] = [
            ("bos_token_id", fields.specialTokens.beginningOfSequence),
            ("eos_token_id", fields.specialTokens.endOfSequence),
            ("unknown_token_id", fields.specialTokens.unknown),
            ("padding_token_id", fields.specialTokens.padding),
        ]
        for (name, id) in roles {
            if let id { keys.append((key(name), .u32(UInt32(clamping: id)))) }
        }
        keys.append((key("add_bos_token"), .bool(fields.addsBeginningOfSequence)))
        if fields.addsEndOfSequence { keys.append((key("add_eos_token"), .bool(true))) }
        if let template = try files.chatTemplateSource() {
            keys.append(("tokenizer.chat_template", .string(template)))
        }
    }

    // MARK: What GGUF cannot say

    private static func refuseUnsayable(
        _ configuration: ModelConfiguration, _ naming: GGUFNaming, path: String
    ) throws {
        let c = configuration
        let family = c.family
        var problems: [(Bool, String)] = [
            (c.activation != naming.activation, "the activation is \(c.activation.rawValue)"),
            (c.block != family.block, "the block has another shape than most of its family"),
            (c.scalesByInverseLayer, "scores are divided by the number of the layer"),
            (
                c.attentionScale != 1 / Float(c.headWidth).squareRoot(),
                "scores have another factor than 1 / √(head width)"
            ),
            (c.windows.contains { $0 != 0 }, "some layers see a window of keys"),
            (c.logitScale != 1, "logits have a factor"), (!c.hasFinalNorm, "the last norm is left out"),
            (!c.hasNormWeights, "norms have no weights"),
            (c.hasQueryKeyNorm, "queries and keys are normalised"),
            (c.queryKeyValueLimit != nil, "queries, keys and values are cut off"),
            (c.embeddingWidth != c.width, "the embedding is projected"),
            (!c.prunedHeads.isEmpty, "some blocks have fewer heads than others"),
        ]
        if let rotary = c.rotary {
            if case .dynamic = rotary.scaling {
                problems.append((true, "positions are stretched dynamically"))
            }
            let isPermuted = naming.rotaryPairs != nil
            problems.append(
                (isPermuted && rotary.width != c.headWidth, "only a part of each head is rotated"))
        }
        if let problem = problems.first(where: \.0) {
            throw ConversionError.setting(path: path, what: problem.1)
        }
    }
}

extension RotarySettings {
    /// The divisors of the frequencies, `[R/2]`, as GGUF keeps LLaMA 3's in `rope_freqs.weight`; nil for other
    /// scalings.
    var ggufDivisors: [Float]? {
        guard case .llama3 = scaling else { return nil }
        let plain = RotarySettings(width: width, base: base)
        return zip(plain.frequencies(position: 0), frequencies(position: 0)).map { Float($0 / $1) }
    }
}
