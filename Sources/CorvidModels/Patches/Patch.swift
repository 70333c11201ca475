import CorvidTensors
import CorvidText

/// Something that changes what a model does: a value that can be saved as one file, laid over a model and taken
/// off again to the last bit.
///
///     let change = try LowRankDelta(.init(.query, layer: 5), down: a, up: b, scale: 2)
///     let patch = try Patch(PatchHeader(name: "polite", method: "lora"), [.lowRank(change)]).bound(to: model)
///     try patch.save(to: "polite.patch")
///     let (polite, warnings) = try model.applying([.init(patch, scale: 0.5)])
public struct Patch: Sendable {
    /// What it is and where it comes from; nothing of it changes what the patch does.
    public var header: PatchHeader
    public let changes: [Change]
    /// What a stack was made of; empty for other patches.
    public let parts: [Part]
    private let digest: LazyDigest

    /// One of the patches that were put together in a stack file.
    public struct Part: Sendable, Equatable {
        /// What it was on its own, with its own fingerprint.
        public var header: PatchHeader
        public var fingerprint: Digest
        public var scale: Float
        /// Where the stack has its changes, which are scaled already.
        public var changes: Range<Int>
    }

    /// - Throws: ``PatchFileError/limit(file:item:found:limit:)`` for more changes than a file may have.
    public init(_ header: PatchHeader, _ changes: [Change]) throws {
        try self.init(header, changes, parts: [])
    }

    init(_ header: PatchHeader, _ changes: [Change], parts: [Part]) throws {
        guard changes.count <= PatchFile.Limits.changes else {
            throw PatchFileError.limit(
                file: header.name, item: "the number of changes", found: changes.count,
                limit: PatchFile.Limits.changes)
        }
        self.header = header
        self.changes = changes
        self.parts = parts
        digest = LazyDigest(changes)
    }

    /// A digest over the changes: kind, target, shapes and bytes, in their order. Name, date and report do not
    /// count.
    public var fingerprint: Digest { digest.value }

    /// The weights whose bytes a base is recognised by: those that are changed; for a change at a site of block l
    /// `l.down` and `l.attentionOutput`, for one outside the blocks the token embedding.
    public var touchedWeights: [WeightTarget] {
        var seen = Set<WeightTarget>()
        return changes.flatMap(\.body.touched).filter { seen.insert($0).inserted }
    }

    /// The same patch with its factors multiplied by `scale` (see <doc:Patches> for what that means for each
    /// kind).
    /// - Throws: ``PatchError/scale(patch:kind:scale:)`` for a kind that is there or not.
    public func scaled(by scale: Float) throws -> Patch {
        guard scale.isFinite else { throw PatchError.notFiniteScale(patch: header.name) }
        if scale == 1 { return self }
        return try Patch(
            header,
            changes.map { change in
                guard let scaled = change.body.scaled(by: scale) else {
                    throw PatchError.scale(patch: header.name, kind: change.kind, scale: scale)
                }
                return scaled
            })
    }
}

/// What a patch says about itself.
public struct PatchHeader: Sendable, Equatable {
    public var name: String
    /// What made it, such as `lora`, `steer`, `fasp`.
    public var method: String
    /// The method's settings, an object.
    public var settings: JSON
    public var seed: UInt64?
    /// ISO 8601, in UTC.
    public var created: String
    /// Version of Corvid that made it.
    public var corvid: String
    /// Files that it was made from.
    public var data: [Source]
    /// What it was made on; nil if that is not known (imported adapters).
    public var base: PatchBase?
    /// The method's measurements before and after.
    public var report: JSON?

    /// A file that a patch was made from.
    public struct Source: Sendable, Equatable {
        public var name: String
        public var digest: Digest

        public init(name: String, digest: Digest) {
            self.name = name
            self.digest = digest
        }
    }

    /// - Parameter created: nil takes the time of the call.
    public init(
        name: String, method: String, settings: JSON = .object(JSONObject()), seed: UInt64? = nil,
        created: String? = nil, data: [Source] = [], base: PatchBase? = nil, report: JSON? = nil
    ) {
        self.name = name
        self.method = method
        self.settings = settings
        self.seed = seed
        self.created = created ?? Self.now
        corvid = CorvidVersion.current
        self.data = data
        self.base = base
        self.report = report
    }
}
