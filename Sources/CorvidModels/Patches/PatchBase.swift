import CorvidText

/// What a patch was made on, so that it is not laid over anything else by mistake.
public struct PatchBase: Sendable, Equatable {
    /// Corvid's name of the family.
    public var family: String
    /// Digest over the configuration and the table of tensors: names, types, shapes.
    public var structure: Digest
    /// Digests of the bytes of the weights that the patch touches.
    public var weights: [WeightTarget: Digest]
    /// The patches that lay over the model when this one was made, in their order.
    public var requires: [Requirement]

    /// A patch that another one was made on.
    public struct Requirement: Sendable, Equatable {
        public var name: String
        public var fingerprint: Digest
        public var scale: Float

        public init(name: String, fingerprint: Digest, scale: Float) {
            self.name = name
            self.fingerprint = fingerprint
            self.scale = scale
        }
    }

    public init(
        family: String, structure: Digest, weights: [WeightTarget: Digest], requires: [Requirement] = []
    ) {
        self.family = family
        self.structure = structure
        self.weights = weights
        self.requires = requires
    }

    /// One digest over all of it but ``requires``: what messages show.
    public var fingerprint: Digest {
        var running = Digest.Running()
        running.add(family + "\n\(structure)\n")
        for (target, digest) in sorted { running.add("\(target) \(digest)\n") }
        return running.digest
    }

    private var sorted: [(target: String, digest: Digest)] {
        weights.map { ("\($0.key)", $0.value) }.sorted { $0.0 < $1.0 }
    }

    var json: JSON {
        var weights = JSONObject()
        for (target, digest) in sorted { weights[target] = .string("\(digest)") }
        var object: JSONObject = [
            "family": .string(family), "structure": .string("\(structure)"), "weights": .object(weights),
        ]
        if !requires.isEmpty {
            object["requires"] = .array(
                requires.map {
                    [
                        "name": .string($0.name), "fingerprint": .string("\($0.fingerprint)"),
                        "scale": .number(Double($0.scale)),
                    ]
                })
        }
        return .object(object)
    }

    /// - Throws: ``PatchFileError``.
    init(_ fields: inout PatchFields) throws {
        family = try fields.text("family", limit: PatchFile.Limits.nameBytes)
        structure = try fields.digest("structure")
        var weights: [WeightTarget: Digest] = [:]
        let stored = try fields.required("weights")
        guard let object = stored.object, object.count <= PatchFile.Limits.changes else {
            throw fields.wrong("weights", stored.kindName, expected: "an object of digests")
        }
        for (key, value) in object {
            guard let target = WeightTarget(key), let digest = value.string.flatMap(Digest.init(hexadecimal:))
            else { throw fields.wrong("weights", key, expected: "weights with 64 hexadecimal digits each") }
            weights[target] = digest
        }
        self.weights = weights
        requires = try fields.objects("requires", limit: PatchFile.Limits.parts) { requirement in
            Requirement(
                name: try requirement.text("name", limit: PatchFile.Limits.nameBytes),
                fingerprint: try requirement.digest("fingerprint"), scale: try requirement.number("scale"))
        }
    }
}
