import CorvidTensors

/// Finds a model's weights in its files by what they do, and checks their shapes.
struct WeightLoader {
    let source: any TensorSource
    let configuration: ModelConfiguration
    /// What to compute as; nil for each weight's own type.
    let computeType: DType?
    /// Path for messages.
    let file: String
    let isGGUF: Bool
    /// Names of the tensors that were asked for so far.
    private let read = ReadNames()

    init(
        source: any TensorSource, configuration: ModelConfiguration, computeType: DType?, file: String,
        isGGUF: Bool
    ) {
        self.source = source
        self.configuration = configuration
        self.computeType = computeType
        self.file = file
        self.isGGUF = isGGUF
    }

    /// Name of a weight without `.weight` or `.bias`, as the family declares it.
    private func declaredName(_ role: WeightRole, layer: Int?) -> String? {
        let template = isGGUF ? role.ggufName : configuration.family.weights[role]
        return template?.replacing("{layer}", with: layer.map(String.init) ?? "")
    }

    /// The name under which the file has the weight: old checkpoints leave a prefix out.
    private func foundName(_ name: String) -> String? {
        if source.entry(named: name) != nil { return name }
        let prefix = configuration.family.optionalPrefix
        guard !isGGUF, !prefix.isEmpty, name.hasPrefix(prefix) else { return nil }
        let short = String(name.dropFirst(prefix.count))
        return source.entry(named: short) == nil ? nil : short
    }

    func has(_ role: WeightRole, layer: Int? = nil) -> Bool {
        declaredName(role, layer: layer).flatMap { foundName($0 + ".weight") } != nil
    }

    /// The tensor of `role`, of exactly this shape.
    func tensor(_ role: WeightRole, layer: Int? = nil, part: String = "weight", shape: [Int]) throws -> Tensor
    {
        guard let tensor = try optionalTensor(role, layer: layer, part: part, shape: shape) else {
            let name = (declaredName(role, layer: layer) ?? role.rawValue) + "." + part
            throw WeightError.missing(file: file, tensor: name)
        }
        return tensor
    }

    private func optionalTensor(_ role: WeightRole, layer: Int?, part: String, shape: [Int]) throws -> Tensor?
    {
        guard let declared = declaredName(role, layer: layer), let name = foundName(declared + "." + part),
            let tensor = try source.tensor(named: name)
        else { return nil }
        read.insert(name)
        guard tensor.shape == shape else {
            throw WeightError.shape(file: file, tensor: name, found: tensor.shape, expected: shape)
        }
        guard tensor.type.holdsWeights else {
            throw WeightError.type(file: file, tensor: name, found: tensor.type)
        }
        return tensor
    }

    /// A bias or norm weight as f32 values, or nil if the file has none.
    func vector(_ role: WeightRole, layer: Int? = nil, part: String, count: Int) throws -> Vector? {
        guard let tensor = try optionalTensor(role, layer: layer, part: part, shape: [count]) else {
            return nil
        }
        let values = try tensor.floats()
        guard values.allSatisfy(\.isFinite) else {
            let name = (declaredName(role, layer: layer) ?? role.rawValue) + "." + part
            throw WeightError.notFinite(file: file, tensor: name)
        }
        return try Vector(values)
    }

    /// A matrix with its bias, if it has one.
    func linear(_ role: WeightRole, layer: Int? = nil, outputs: Int, inputs: Int) throws -> Linear {
        let orientation = isGGUF || role == .head ? .rows : configuration.family.orientation
        let shape = orientation == .rows ? [outputs, inputs] : [inputs, outputs]
        let weight = try tensor(role, layer: layer, shape: shape)
        let bias = try vector(role, layer: layer, part: "bias", count: outputs)
        return try linear(
            weight, named: declaredName(role, layer: layer), bias: bias, orientation: orientation)
    }

    /// The embedding as output matrix, with the output's own bias, if it has one.
    func tiedHead(_ table: Tensor) throws -> Linear {
        // A copy of the matrix beside the embedding is not read: the config says that they are one.
        if let name = declaredName(.head, layer: nil).flatMap({ foundName($0 + ".weight") }) {
            read.insert(name)
        }
        let bias = try vector(.head, part: "bias", count: configuration.vocabulary)
        return try linear(table, named: declaredName(.tokenEmbedding, layer: nil), bias: bias)
    }

    /// A table of vectors, one per token or position.
    func embedding(_ role: WeightRole, rows: Int, columns: Int) throws -> Embedding {
        let table = try tensor(role, shape: [rows, columns])
        return try unusable(declaredName(role, layer: nil)) { try Embedding(table, as: computeType) }
    }

    private func linear(
        _ weight: Tensor, named name: String?, bias: Vector? = nil, orientation: Linear.Orientation = .rows
    ) throws -> Linear {
        try unusable(name) { try Linear(weight, bias: bias, orientation: orientation, as: computeType) }
    }

    private func unusable<Result>(_ name: String?, _ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch let reason as LinearError {
            throw WeightError.unusable(file: file, tensor: (name ?? "") + ".weight", reason: reason)
        }
    }

    func norm(_ role: WeightRole, layer: Int? = nil, width: Int) throws -> Norm {
        var weight: Vector?
        if configuration.hasNormWeights {
            weight = try vector(role, layer: layer, part: "weight", count: width)
            guard weight != nil else {
                let name = (declaredName(role, layer: layer) ?? role.rawValue) + ".weight"
                throw WeightError.missing(file: file, tensor: name)
            }
        }
        // An RMS norm has no bias: one in the file stays unread, and is refused in the end.
        let bias =
            configuration.family.norm == .rms
            ? nil : try vector(role, layer: layer, part: "bias", count: width)
        return Norm(configuration.family.norm, weight: weight, bias: bias, epsilon: configuration.normEpsilon)
    }

    /// Call when all weights were read: tensors which nothing asked for would change the arithmetic if they
    /// were left out silently.
    func refuseUnreadTensors() throws {
        let ignored = configuration.family.ignored + (isGGUF ? ["rope_freqs.weight"] : [])
        for name in source.names where !read.contains(name) && !ignored.contains(where: name.hasSuffix) {
            throw WeightError.unknown(file: file, tensor: name, family: configuration.family.name)
        }
    }
}

/// Shared by the copies of one loader.
private final class ReadNames {
    private var names = Set<String>()

    func insert(_ name: String) { names.insert(name) }
    func contains(_ name: String) -> Bool { names.contains(name) }
}

/// Weights that do not fit the model they should make up.
public enum WeightError: Error, Equatable, CustomStringConvertible {
    case missing(file: String, tensor: String)
    case shape(file: String, tensor: String, found: [Int], expected: [Int])
    case type(file: String, tensor: String, found: DType)
    case notFinite(file: String, tensor: String)
    case unknown(file: String, tensor: String, family: String)
    case unusable(file: String, tensor: String, reason: LinearError)

    public var description: String {
        switch self {
        case .missing(let file, let tensor):
            return "\(file): tensor \(tensor) is missing. The checkpoint is incomplete: fetch it again."
        case .shape(let file, let tensor, let found, let expected):
            return
                "\(file): tensor \(tensor) has shape \(found), expected \(expected) from the model's config."
        case .type(let file, let tensor, let found):
            return "\(file): tensor \(tensor) has type \(found.rawValue), which holds no weights."
        case .notFinite(let file, let tensor):
            return
                "\(file): tensor \(tensor) holds NaN or infinite values. The file is damaged: fetch it again."
        case .unknown(let file, let tensor, let family):
            return "\(file): tensor \(FormatError.shown(tensor)) is not part of this \(family) model. "
                + "Leaving it out would give wrong results, so the model is refused."
        case .unusable(let file, let tensor, let reason):
            return "\(file): tensor \(tensor): \(reason)"
        }
    }
}
