import CorvidTensors
import CorvidText
import Foundation

/// A model on its way into another type or format, tensor by tensor.
///
/// Memory holds a piece of one tensor at a time. The destination appears whole or not at all.
///
///     let conversion = try ModelConversion(ModelFiles(path: "gpt-j-6b"), to: .q8_0, at: "gpt-j-6b.gguf")
///     try conversion.write()
public struct ModelConversion {
    /// What was written.
    public struct Result: Sendable {
        public let path: String
        public let format: String
        /// Bytes of all files.
        public let bytes: Int
        /// The types of the tensors, most bytes first.
        public let types: [(type: DType, tensors: Int, bytes: Int)]
    }

    private let files: ModelFiles
    private let type: DType
    private let destination: ModelDestination
    private let plan: ConversionPlan
    private let removal: HeadRemoval?
    /// What the new model says about patches in its weights.
    private let record: MergeRecord?

    /// The types that each format holds.
    private static let folderTypes: [DType] = [.f32, .f16, .bf16, .i8]
    private static let ggufTypes: [DType] = [
        .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K,
    ]

    /// Plans a conversion; writes nothing yet.
    /// - Parameters:
    ///   - type: for matrices and the token embedding; `i8` for int8 with a scale for each row. Rows that its
    ///     blocks do not divide get another (``DType/weightType(columns:)``). Norms and biases keep their type,
    ///     or are f32 in GGUF; tables of positions are converted to f32, f16 and bf16 only.
    ///   - path: a `.gguf` file, else a folder in Hugging Face layout.
    ///   - replaces: a model that stands there may be replaced.
    ///   - removal: heads that the written model does without; only folders can say so.
    /// - Throws: ``ConversionError`` for what the format cannot hold, and what loading the model throws.
    public init(
        _ files: ModelFiles, to type: DType, at path: String, replacing replaces: Bool = false,
        removing removal: HeadRemoval? = nil
    ) throws {
        self.files = files
        self.type = type
        let isGGUF = ModelDestination.layout(of: path) == .gguf
        let allowed = isGGUF ? Self.ggufTypes : Self.folderTypes
        guard allowed.contains(type) else {
            throw ConversionError.type(
                path: path, type: type, format: isGGUF ? "GGUF" : "a folder of safetensors", allowed: allowed)
        }
        destination = try ModelDestination(path: path, source: files, replaces: replaces)
        guard removal == nil || destination.layout == .huggingFace else {
            throw ConversionError.setting(path: path, what: "some blocks have fewer heads than others")
        }
        self.removal = removal
        plan = try ConversionPlan(files, to: type, layout: destination.layout, removing: removal)
        record = nil
    }

    /// The same with changes of its tensors.
    /// - Parameter type: nil: each tensor keeps its own, within the source's format.
    init(
        _ files: ModelFiles, to type: DType?, at path: String, replacing replaces: Bool,
        edits: [String: WeightEdit], record: MergeRecord
    ) throws {
        let isGGUF = ModelDestination.layout(of: path) == .gguf
        let own = files.tensors.entries.compactMap(\.type).first { $0.isBlock || $0 == .i8 }
        let main = type ?? own ?? files.tensors.entries.compactMap(\.type).first ?? .f32
        let isOtherFormat = isGGUF != (files.layout == .gguf)
        if let type {
            try self.init(files, to: type, at: path, replacing: replaces, edits: edits, record)
        } else if isOtherFormat {
            try self.init(files, to: main, at: path, replacing: replaces, edits: edits, record)
        } else {
            let destination = try ModelDestination(path: path, source: files, replaces: replaces)
            var plan = try ConversionPlan(files, to: nil, layout: destination.layout)
            plan.edits = edits
            self.init(files: files, type: main, destination: destination, plan: plan, record: record)
        }
    }

    private init(
        _ files: ModelFiles, to type: DType, at path: String, replacing replaces: Bool,
        edits: [String: WeightEdit], _ record: MergeRecord
    ) throws {
        let plain = try ModelConversion(files, to: type, at: path, replacing: replaces)
        var plan = plain.plan
        plan.edits = edits
        self.init(
            files: files, type: type, destination: plain.destination, plan: plan, record: record)
    }

    private init(
        files: ModelFiles, type: DType, destination: ModelDestination, plan: ConversionPlan,
        record: MergeRecord
    ) {
        self.files = files
        self.type = type
        self.destination = destination
        self.plan = plan
        self.record = record
        removal = nil
    }

    /// Bytes of the source's tensors, which progress is counted in.
    public var sourceBytes: Int { plan.items.reduce(0) { $0 + bytes(of: $1) } }

    /// Writes the model.
    /// - Parameters:
    ///   - pool: the threads that convert; nil starts threads of its own.
    ///   - progress: called with the bytes of the source that are done.
    /// - Throws: ``WriteError``, ``WeightError``, ``FormatError``, `CancellationError`.
    public func write(
        pool: WorkerPool? = nil, progress: @escaping (_ bytes: Int) -> Void = { _ in }
    ) throws -> Result {
        let pool = try pool ?? WorkerPool()
        let extra = files.layout == .huggingFace ? plan.configuration.rotary?.ggufDivisors : nil
        if destination.layout == .gguf {
            try writeGGUF(pool, divisors: extra, progress)
        } else {
            try writeFolder(pool, progress)
        }
        return Result(
            path: destination.path, format: destination.format.rawValue, bytes: try writtenBytes(),
            types: ConversionPlan.summary(plan.tensors))
    }

    // MARK: Formats

    private func writeGGUF(_ pool: WorkerPool, divisors: [Float]?, _ progress: @escaping (Int) -> Void) throws
    {
        var keys: GGUFKeys
        if let gguf = files.gguf {
            keys = GGUFKeys(gguf, type: type)
        } else {
            guard let naming = plan.configuration.family.gguf else { return }
            keys = try GGUFKeys(plan.configuration, files: files, naming: naming, type: type)
        }
        if let record { keys.add(MergeRecord.key, .string(record.text)) }
        // Divisors of frequencies are no weight of a role.
        let name = "rope_freqs.weight"
        var kept: Tensor?
        if let divisors { kept = try Tensor(divisors, shape: [divisors.count]) }
        if files.layout == .gguf { kept = try files.tensors.tensor(named: name) }
        var tensors = plan.tensors
        if let kept { tensors.append(try TensorPlan(name: name, type: kept.type, shape: kept.shape)) }
        let pieces = TensorPieces(plan, pool: pool, progress: progress)
        try GGUFWriter.write(keys: keys.keys, tensors, to: destination.path) { tensor, emit in
            if tensor.name == name, let kept { try emit(kept.bytes) } else { try pieces.emit(tensor, emit) }
        }
    }

    private func writeFolder(_ pool: WorkerPool, _ progress: @escaping (Int) -> Void) throws {
        let tokenizer = files.gguf?.has("tokenizer.ggml.tokens") == true ? try files.tokenizer() : nil
        var config: JSON
        if let source = files.config {
            config = HuggingFaceConfig.copied(source, type: type)
        } else {
            config = try HuggingFaceConfig.made(
                plan.configuration, hasHead: plan.hasHead, tokens: tokenizer?.specialTokens, type: type,
                path: destination.path)
        }
        if let removal { config = HuggingFaceConfig.without(removal, config, plan.configuration) }
        let pieces = TensorPieces(plan, pool: pool, progress: progress)
        var metadata = ["format": "pt"]
        metadata[MergeRecord.key] = try (record ?? files.mergeRecord())?.text
        try destination.writeFolder { folder in
            func write(_ json: JSON, to name: String) throws {
                try AtomicFile.write(to: folder + "/" + name) {
                    try $0.write(json.encodedBytes() + [UInt8(ascii: "\n")])
                }
            }
            if let bpe = tokenizer as? PipelineTokenizer {
                try write(try bpe.tokenizerJSON(file: files.path), to: "tokenizer.json")
                let template = try files.chatTemplateSource()
                try write(bpe.tokenizerConfiguration(chatTemplate: template), to: "tokenizer_config.json")
            }
            if let source = files.folder { try copyTexts(of: source, to: folder) }
            try SafetensorsWriter.write(
                plan.tensors, metadata: metadata, to: folder + "/model.safetensors"
            ) { try pieces.emit($0, $1) }
            try write(config, to: "config.json")
        }
    }

    /// Files beside the weights that a model needs or that belong to it.
    private static let texts = [
        "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model",
        "chat_template.jinja",
        "README.md", "LICENSE", "LICENSE.md",
    ]

    private func copyTexts(of source: ModelFolder, to folder: String) throws {
        for name in Self.texts where source.has(name) {
            guard let bytes = try source.bytes(of: name) else { continue }
            try AtomicFile.write(to: folder + "/" + name) { try $0.write(bytes) }
        }
    }

    private func writtenBytes() throws -> Int {
        func size(_ path: String) throws -> Int {
            try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        }
        guard destination.layout == .huggingFace else { return try size(destination.path) }
        return try FileManager.default.contentsOfDirectory(atPath: destination.path).reduce(0) {
            try $0 + size(destination.path + "/" + $1)
        }
    }

    private func bytes(of item: ConversionPlan.Item) -> Int {
        files.tensors.entry(named: item.use.name)?.byteCount ?? 0
    }
}
