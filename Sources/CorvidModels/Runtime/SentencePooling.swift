import CorvidTensors
import CorvidText

/// How one vector is made of the states of a text's tokens.
public struct SentencePooling: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// The first token's state.
        case first
        /// The last token's state.
        case last
        case mean
        /// The sum of the states, divided by the root of their number.
        case meanByRoot
        /// The greatest value of each column.
        case maximum
        /// The mean with the weights 1, 2, 3...
        case weightedMean
    }

    public var mode: Mode
    /// What the pooled vector goes through, in this order.
    public private(set) var layers: [SentenceLayer] = []
    /// Whether vectors are brought to length 1.
    public var normalises: Bool
    /// Tokens of a text that are read; nil: as many as the model can.
    public var tokenLimit: Int?

    public init(mode: Mode = .mean, normalises: Bool = false, tokenLimit: Int? = nil) {
        self.mode = mode
        self.normalises = normalises
        self.tokenLimit = tokenLimit
    }

    /// The vector `[width]`, or as wide as the last layer's output, of states `[tokens, width]`; sums are made in double.
    public func vector(of states: RowValues) -> [Float] {
        var sums = [Double](repeating: 0, count: states.columns)
        let count = states.rowCount
        guard count > 0 else { return [Float](repeating: 0, count: states.columns) }
        switch mode {
        case .first: for (index, value) in states.row(0).enumerated() { sums[index] = Double(value) }
        case .last: for (index, value) in states.row(count - 1).enumerated() { sums[index] = Double(value) }
        case .maximum:
            sums = sums.map { _ in -Double.infinity }
            for row in 0..<count {
                for (index, value) in states.row(row).enumerated() {
                    sums[index] = max(sums[index], Double(value))
                }
            }
        case .mean, .meanByRoot, .weightedMean:
            for row in 0..<count {
                let weight = mode == .weightedMean ? Double(row + 1) : 1
                for (index, value) in states.row(row).enumerated() { sums[index] += weight * Double(value) }
            }
            let n = Double(count)
            let divisor = mode == .mean ? n : mode == .meanByRoot ? n.squareRoot() : n * (n + 1) / 2
            for index in sums.indices { sums[index] /= divisor }
        }
        for layer in layers { sums = layer.apply(to: sums) }
        guard normalises else { return sums.map { Float($0) } }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sums.map { Float($0 / max(length, 1e-12)) }
    }
}

extension SentencePooling {
    /// Reads what sentence-transformers writes beside a model: `modules.json` and the folders that it names.
    /// Without them, the mean of the states.
    /// - Throws: ``ConfigurationError`` for a module or a mode that is not understood, ``CheckpointError``.
    public init(folder: ModelFolder) throws {
        try self.init(
            in: folder.path,
            files: { name in
                let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
                guard let inner = parts.first, parts.count == 2 else {
                    return try folder.bytes(of: name, limit: ModelFolder.Limits.config)
                }
                return folder.has(inner)
                    ? try ModelFolder(path: folder.path(of: inner)).bytes(of: parts[1]) : nil
            },
            weights: { inner in
                let weights = try FolderWeights(try ModelFolder(path: folder.path(of: inner)))
                return (weights.tensors, weights.files.first ?? folder.path)
            })
    }

    /// The same, of files that need not lie in a folder.
    /// - Parameters:
    ///   - folder: path of the folder, for messages.
    ///   - read: gives the bytes of the file with this name, such as `1_Pooling/config.json`; nil when there is
    ///     none. What it throws is passed on.
    ///   - weights: gives the weights in a folder within, such as `2_Dense`, and the path of their file.
    public init(
        in folder: String, files read: (_ name: String) throws -> [UInt8]?,
        weights: (_ folder: String) throws -> (tensors: any TensorSource, file: String)
    ) throws {
        self.init()
        func path(_ name: String) -> String { folder.hasSuffix("/") ? folder + name : folder + "/" + name }
        let file = path("modules.json")
        guard let bytes = try read("modules.json") else { return }
        guard let modules = (try? JSON.parse(bytes, duplicateKeys: .keepLast))?.array else {
            throw CheckpointError.json(file: file, key: nil, reason: "is not a JSON array")
        }
        for (index, module) in modules.enumerated() {
            let type = module["type"]?.string ?? ""
            func config() throws -> (json: JSON, file: String) {
                let inner = module["path"]?.string ?? ""
                let name = inner + "/config.json"
                guard !inner.isEmpty, inner.allSatisfy({ $0 != "/" }), inner != ".", inner != "..",
                    let bytes = try read(name)
                else {
                    throw ConfigurationError.missing(
                        file: file, keys: ["\(FormatError.shown(inner))/config.json"])
                }
                return (try ModelFolder.object(bytes, file: path(name)), path(name))
            }
            switch type.split(separator: ".").last {
            case "Transformer" where index == 0: break
            case "Pooling" where index == 1: mode = try Self.mode(in: config())
            case "Dense" where index > 1 && !normalises:
                let config = try config()
                let (tensors, file) = try weights(module["path"]?.string ?? "")
                layers.append(
                    try SentenceLayer(config.json, file: config.file, weights: tensors, weightFile: file))
            case "Normalize" where index > 1: normalises = true
            default:
                throw ConfigurationError.setting(
                    file: file, key: "\(index).type", found: "\"\(FormatError.shown(type))\"",
                    expected: "a Transformer, then Pooling, then Dense or nothing, then Normalize or nothing")
            }
        }
        guard let bytes = try read("sentence_bert_config.json") else { return }
        let limits = try ModelFolder.object(bytes, file: path("sentence_bert_config.json"))
        if case .integer(let limit)? = limits["max_seq_length"], limit > 0 {
            tokenLimit = Int(clamping: limit)
        }
    }

    /// Throws ``ConfigurationError`` unless the layers fit vectors of `width` values.
    func check(width: Int, file: String) throws {
        var width = width
        for layer in layers {
            guard layer.inputs == width else {
                throw ConfigurationError.relation(
                    file: file, text: "a Dense layer takes \(layer.inputs) values where there are \(width)")
            }
            width = layer.outputs
        }
    }

    /// Reads what a GGUF file says. As llama.cpp has it, vectors have length 1.
    /// - Throws: ``ConfigurationError`` for a way of pooling that is not understood.
    public init(gguf file: GGUFFile) throws {
        self.init(normalises: true)
        let key = "\(try file.string("general.architecture") ?? "").pooling_type"
        guard file.has(key), let type = try file.integer(key) else { return }
        let modes: [Int: Mode] = [0: .mean, 1: .mean, 2: .first, 3: .last]
        guard let mode = modes[type] else {
            throw ConfigurationError.setting(file: file.path, key: key, found: "\(type)", expected: "0...3")
        }
        self.mode = mode
    }

    private static let modes: [(key: String, mode: Mode)] = [
        ("cls_token", .first), ("max_tokens", .maximum), ("mean_tokens", .mean),
        ("mean_sqrt_len_tokens", .meanByRoot), ("weightedmean_tokens", .weightedMean), ("lasttoken", .last),
    ]

    private static func mode(in config: (json: JSON, file: String)) throws -> Mode {
        let (config, file) = config
        let found = modes.filter { config["pooling_mode_" + $0.key]?.bool == true }
        guard found.count == 1, let only = found.first else {
            throw ConfigurationError.setting(
                file: file, key: "pooling_mode",
                found: found.isEmpty ? "none" : found.map(\.key).joined(separator: " and "),
                expected: "one of " + modes.map { "pooling_mode_" + $0.key }.joined(separator: ", "))
        }
        return only.mode
    }
}
