import CorvidTensors

/// Remembers digests of tensors, so that a base is read through once only. Which file is meant is said by its
/// path, size, times and inode.
public protocol DigestCache: Sendable {
    /// nil if it is not known.
    func digest(of tensor: String, in file: FileIdentity) -> Digest?
    func remember(_ digest: Digest, of tensor: String, in file: FileIdentity)
}

/// A file as it is now: another one under its name, or one that was written to, is another identity.
public struct FileIdentity: Hashable, Sendable {
    public let path: String
    public let size: Int
    /// Nanoseconds since 1970.
    public let modified: Int
    public let inode: UInt64

    public init(path: String, size: Int, modified: Int, inode: UInt64) {
        self.path = path
        self.size = size
        self.modified = modified
        self.inode = inode
    }
}

/// The weights of a model's files, by what they do, for digests.
struct ModelDigests {
    let configuration: ModelConfiguration
    let source: any TensorSource
    private let loader: WeightLoader
    private let cache: (any DigestCache)?

    init(
        _ configuration: ModelConfiguration, source: any TensorSource, isGGUF: Bool, file: String,
        cache: (any DigestCache)?
    ) {
        self.configuration = configuration
        self.source = source
        loader = WeightLoader(
            source: source, configuration: configuration, computeType: nil, file: file, isGGUF: isGGUF)
        self.cache = cache
    }

    init(_ model: Model, cache: (any DigestCache)?) {
        let isGGUF = model.source is GGUFFile || (model.source as? RandomCheckpoint)?.isGGUF == true
        self.init(
            model.configuration, source: model.source, isGGUF: isGGUF, file: model.path, cache: cache)
    }

    init(_ files: ModelFiles, cache: (any DigestCache)?) throws {
        self.init(
            try files.modelConfiguration(), source: files.tensors, isGGUF: files.layout == .gguf,
            file: files.path, cache: cache)
    }

    /// Digest over the configuration and the names, types and shapes of all tensors.
    var structure: Digest {
        var running = Digest.Running()
        running.add(configuration.identity + "\n")
        for entry in source.entries.sorted(by: { $0.name < $1.name }) {
            running.add("\(entry.name)\n\(entry.typeName) \(entry.shape)\n")
        }
        return running.digest
    }

    /// Digest of the weight's bytes; nil if the files have no such weight.
    /// - Throws: ``FormatError``, `MemoryError`.
    func digest(of target: WeightTarget) throws -> Digest? {
        guard let name = loader.tensorName(target.role, layer: target.layer) ?? tiedName(target),
            let entry = source.entry(named: name)
        else { return nil }
        let identity = cache == nil ? nil : FileIdentity(at: entry.file)
        if let identity, let known = cache?.digest(of: name, in: identity) { return known }
        try source.checkSize()
        guard let tensor = try source.tensor(named: name) else { return nil }
        let digest = Digest(of: tensor.bytes)
        if let identity { cache?.remember(digest, of: name, in: identity) }
        return digest
    }

    /// The output matrix is the token embedding where the files have no other.
    private func tiedName(_ target: WeightTarget) -> String? {
        target.role == .head ? loader.tensorName(.tokenEmbedding) : nil
    }
}

extension ModelConfiguration {
    /// What tells models of one family apart, as a text.
    var identity: String {
        let sizes = [
            width, embeddingWidth, layers, encoderLayers, heads, keyValueHeads, headWidth, hidden, vocabulary,
            context, positionOffset, tokenTypes, senses, senseHidden,
        ]
        let numbers = [normEpsilon, logitScale, attentionScale, queryKeyValueLimit ?? 0] + slopes
        return
            "\(family.name) \(sizes) \(numbers.map(\.bitPattern)) \(activation.rawValue) \(block) \(mlp) "
            + "\(rotaryPairs) \(rotary?.identity ?? "none") \(windows) \(output) \(labels)"
            + (prunedHeads.isEmpty
                ? "" : " \(prunedHeads.sorted { $0.key < $1.key }.map { [$0.key] + $0.value })")
    }
}

extension RotarySettings {
    fileprivate var identity: String {
        let numbers: [Double] =
            switch scaling {
            case .none: [0]
            case .linear(let factor): [1, factor]
            case .dynamic(let factor, let context): [2, factor, Double(context)]
            case .llama3(let factor, let low, let high, let context): [3, factor, low, high, Double(context)]
            case .divisors(let divisors): [4] + divisors
            }
        return "\(width) \(([base] + numbers).map(\.bitPattern))"
    }
}
