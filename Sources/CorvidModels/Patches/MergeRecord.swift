import CorvidText

/// What a model file says about patches that were merged into its weights.
public struct MergeRecord: Sendable, Equatable {
    /// Key in a safetensors file's metadata and in a GGUF file's.
    static let key = "corvid.merge"

    /// One of the patches.
    public struct Part: Sendable, Equatable {
        public var name: String
        public var fingerprint: Digest
        public var scale: Float
    }

    /// Name of the model that they were merged into, and digest of its structure.
    public var baseName: String
    public var base: Digest
    /// Digests of the base's weights that were changed.
    public var weights: [WeightTarget: Digest]
    public var patches: [Part]

    public init(baseName: String, base: Digest, weights: [WeightTarget: Digest], patches: [Part]) {
        self.baseName = baseName
        self.base = base
        self.weights = weights
        self.patches = patches
    }

    var fingerprints: Set<Digest> { Set(patches.map(\.fingerprint)) }

    /// One line of JSON.
    var text: String {
        var weights = JSONObject()
        for (target, digest) in self.weights.map({ ("\($0.key)", $0.value) }).sorted(by: { $0.0 < $1.0 }) {
            weights[target] = .string("\(digest)")
        }
        let json: JSON = [
            "base": .string(baseName), "structure": .string("\(base)"), "weights": .object(weights),
            "patches": .array(
                patches.map {
                    [
                        "name": .string($0.name), "fingerprint": .string("\($0.fingerprint)"),
                        "scale": .number(Double($0.scale)),
                    ]
                }),
        ]
        return json.encoded()
    }

    /// - Throws: ``PatchFileError``.
    init(_ text: String, file: String) throws {
        guard text.utf8.count <= PatchFile.Limits.headerBytes else {
            throw PatchFileError.limit(
                file: file, item: "the length of \(Self.key)", found: text.utf8.count,
                limit: PatchFile.Limits.headerBytes)
        }
        let json: JSON
        do { json = try JSON.parse(text) } catch { throw PatchFileError.json(file: file, reason: "\(error)") }
        var fields = try PatchFields(json, file: file, place: Self.key)
        baseName = try fields.text("base", limit: PatchFile.Limits.nameBytes)
        base = try fields.digest("structure")
        var weights: [WeightTarget: Digest] = [:]
        for (key, value) in try fields.required("weights").object ?? JSONObject() {
            guard let target = WeightTarget(key), let digest = value.string.flatMap(Digest.init(hexadecimal:))
            else { throw fields.wrong("weights", key, expected: "weights with 64 hexadecimal digits each") }
            weights[target] = digest
        }
        self.weights = weights
        patches = try fields.objects("patches", limit: PatchFile.Limits.parts) { part in
            Part(
                name: try part.text("name", limit: PatchFile.Limits.nameBytes),
                fingerprint: try part.digest("fingerprint"), scale: try part.number("scale"))
        }
        try fields.finish()
    }
}

extension MergeRecord {
    /// What the model's files say; nil for a model into which nothing was merged.
    /// - Throws: ``PatchFileError``, ``FormatError``.
    static func read(_ source: any TensorSource, file: String) throws -> MergeRecord? {
        let text: String?
        switch source {
        case let gguf as GGUFFile: text = try gguf.string(key)
        case let file as SafetensorsFile: text = file.metadata[key]
        default: text = nil
        }
        return try text.map { try MergeRecord($0, file: file) }
    }
}

extension ModelFiles {
    /// The patches that were merged into the model's weights; nil if there are none.
    /// - Throws: ``PatchFileError``, ``FormatError``.
    public func mergeRecord() throws -> MergeRecord? { try MergeRecord.read(tensors, file: path) }
}
