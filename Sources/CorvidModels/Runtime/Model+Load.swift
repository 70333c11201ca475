import CorvidTensors
import CorvidText

extension Model {
    /// Loads the model at `path`: a folder in Hugging Face layout or a GGUF file. The weights stay in the
    /// mapped files; nothing is converted or copied but norms and biases, unless the options ask for a type of
    /// blocks or int8.
    /// - Parameter pool: threads to share with other models, so that two models do not compete for the
    ///   processors; nil starts threads of its own.
    /// - Throws: ``CheckpointError``, ``FormatError``, ``ConfigurationError``, ``WeightError``, `TensorError`,
    ///   `MemoryError`.
    public static func load(
        path: String, options: LoadOptions = LoadOptions(), pool: WorkerPool? = nil
    ) throws -> Model {
        try load(try ModelFiles(path: path), options: options, pool: pool)
    }

    /// Loads a model whose files are open.
    /// - Parameter progress: called for each matrix that has been converted or needs no conversion.
    public static func load(
        _ files: ModelFiles, options: LoadOptions = LoadOptions(), pool: WorkerPool? = nil,
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Model {
        let configuration = try files.modelConfiguration()
        let tokenizer = Result { try files.tokenizer() }
        let text = Model.Text(
            tokenizer: tokenizer,
            chatTemplate: Result { try files.chatTemplate(try tokenizer.get()) },
            pooling: Result {
                if let gguf = files.gguf { return try SentencePooling(gguf: gguf) }
                let pooling = try files.folder.map(SentencePooling.init(folder:)) ?? SentencePooling()
                try pooling.check(width: configuration.embeddingWidth, file: files.path)
                return pooling
            })
        return try Model(
            path: files.path, source: files.tensors, isGGUF: files.layout == .gguf,
            configuration: configuration,
            text: text, options: options, pool: pool, progress: progress)
    }
}

extension ModelFiles {
    /// The sizes and choices of the model.
    public func modelConfiguration() throws -> ModelConfiguration {
        if let gguf { return try ModelConfiguration(gguf: gguf) }
        guard let config, let folder else {
            throw ConfigurationError.missing(file: path, keys: ["config.json"])
        }
        return try ModelConfiguration(huggingFace: config, file: folder.path(of: "config.json"))
    }
}
