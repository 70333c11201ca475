import CorvidTensors

/// Why a file is no patch that may be used.
public enum PatchFileError: Error, Equatable, CustomStringConvertible {
    /// A safetensors file that is something else.
    case notPatch(file: String)
    case version(file: String, found: String)
    case json(file: String, reason: String)
    case kind(file: String, change: Int, found: String)
    /// A field that this version does not know.
    case unknownField(file: String, item: String)
    case value(file: String, item: String, found: String, expected: String)
    case tensor(file: String, tensor: String, reason: String)
    case limit(file: String, item: String, found: Int, limit: Int)

    public var description: String {
        switch self {
        case .notPatch(let file):
            return "\(file): is no patch. Name a patch, a PEFT or MLX adapter folder, or a GGUF adapter."
        case .version(let file, let found):
            return "\(file): has patch format version \(FormatError.shown(found)), supported: 1. "
                + "Use a newer Corvid."
        case .json(let file, let reason):
            return "\(file): the patch's header is not valid JSON at \(reason). Do not use this file."
        case .kind(let file, let change, let found):
            return
                "\(file): change \(change) is of kind \(FormatError.shown(found)), which this version does "
                + "not know. Use a newer Corvid."
        case .unknownField(let file, let item):
            return "\(file): field \(item) is unknown here and might change the arithmetic. "
                + "Use a newer Corvid."
        case .value(let file, let item, let found, let expected):
            return "\(file): \(item) is \(found), expected \(expected). Do not use this file."
        case .tensor(let file, let tensor, let reason):
            return "\(file): tensor \(FormatError.shown(tensor)) \(reason). Do not use this file."
        case .limit(let file, let item, let found, let limit):
            return "\(file): \(item) is \(found), at most \(limit) is read."
        }
    }
}

/// Why a patch and a model do not go together, or patches with one another. Nothing was changed.
public enum PatchError: Error, Equatable, CustomStringConvertible {
    /// The patch was made on another model. The weight is the first that differs; nil: the structure does.
    case base(patch: String, expected: Digest, found: Digest, weight: WeightTarget?)
    /// The model's file has the patch in its weights already.
    case merged(patch: String, fingerprint: Digest, base: Digest?)
    /// The patch was made on a model with another patch, which is not there.
    case missing(patch: String, needs: String, fingerprint: Digest)
    /// The same, and it comes later.
    case order(patch: String, needs: String, fingerprint: Digest)
    case twice(patch: String, fingerprint: Digest)
    /// A weight or site that the model does not have, or has in another size.
    case misfit(patch: String, reason: String)
    /// A scale for something that is there or not.
    case scale(patch: String, kind: Patch.Kind, scale: Float)
    case notFiniteScale(patch: String)
    /// Numbers of a new patch that do not fit one another.
    case shape(place: String, reason: String)
    /// What a model file cannot hold.
    case merge(patch: String, place: String, reason: String)
    case nothing(String)

    public var description: String {
        switch self {
        case .base(let patch, let expected, let found, let weight):
            let what = weight.map { "its weight \($0) differs" } ?? "its sizes or types differ"
            return "patch \(patch) was made on another model: \(what).\n"
                + "The patch's base has fingerprint \(expected), this model \(found). "
                + "Use that base, or --any-base."
        case .merged(let patch, let fingerprint, let base):
            let way = base.map { " of base \($0.short)" } ?? ""
            return "patch \(patch) (\(fingerprint)) is in the weights of this model\(way) already. "
                + "Leave it out, or use the base."
        case .missing(let patch, let needs, let fingerprint):
            return "patch \(patch) was made on a model with patch \(needs) (\(fingerprint)). "
                + "Put that one before it, or use --any-base."
        case .order(let patch, let needs, let fingerprint):
            return "patch \(patch) was made on a model with patch \(needs) (\(fingerprint)), which comes "
                + "after it or in another order here. Change the order."
        case .twice(let patch, let fingerprint):
            return
                "patch \(patch) (\(fingerprint)) is given twice; give it once, with a scale if it shall be "
                + "stronger."
        case .misfit(let patch, let reason):
            return "patch \(patch) does not fit this model: \(reason)."
        case .scale(let patch, let kind, let scale):
            return "patch \(patch): a change of kind \(kind.rawValue) is there or not; its scale cannot be "
                + "\(scale). Use 1 or 0."
        case .notFiniteScale(let patch):
            return "patch \(patch): the scale is no finite number."
        case .shape(let place, let reason):
            return "\(place): \(reason)"
        case .merge(let patch, let place, let reason):
            return "patch \(patch): \(place) cannot become weights: \(reason). Keep it as a patch (--with)."
        case .nothing(let reason):
            return reason
        }
    }
}
