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

    /// What the names of all tensors inside blocks begin with, e.g. `transformer.h.`.
    private var blockStem: String {
        let template = isGGUF ? WeightRole.attentionNorm.ggufName : configuration.family.weights[.attentionNorm]
        guard let template, let range = template.firstRange(of: "{layer}") else { return "" }
        return String(template[..<range.lowerBound])
    }

    func has(_ role: WeightRole, layer: Int? = nil) -> Bool {
        declaredName(role, layer: layer).flatMap { foundName($0 + ".weight") } != nil
    }

    /// The tensor of `role`, of exactly this shape.
    func tensor(_ role: WeightRole, layer: Int? = nil, part: String = "weight", shape: [Int]) throws -> Tensor {
        guard let tensor = try optionalTensor(role, layer: layer, part: part, shape: shape) else {
            let name = (declaredName(role, layer: layer) ?? role.rawValue) + "." + part
            throw WeightError.missing(file: file, tensor: name)
        }
        return tensor
    }

    private func optionalTensor(_ role: WeightRole, layer: Int?, part: String, shape: [Int]) throws -> Tensor? {
        guard let declared = declaredName(role, layer: layer), let name = foundName(declared + "." + part),
            let tensor = try source.tensor(named: name)
        else { return nil }
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
        guard let tensor = try optionalTensor(role, layer: layer, part: part, shape: [count]) else { return nil }
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
        return try linear(weight, named: declaredName(role, layer: layer), bias: bias, orientation: orientation)
    }

    /// The embedding as output matrix.
    func tiedHead(_ table: Tensor) throws -> Linear {
        try linear(table, named: declaredName(.tokenEmbedding, layer: nil))
    }

    private func linear(
        _ weight: Tensor, named name: String?, bias: Vector? = nil, orientation: Linear.Orientation = .rows
    ) throws -> Linear {
        do {
            return try Linear(weight, bias: bias, orientation: orientation, as: computeType)
        } catch let reason as LinearError {
            throw WeightError.unusable(file: file, tensor: (name ?? "") + ".weight", reason: reason)
        }
    }

    func norm(_ role: WeightRole, layer: Int? = nil) throws -> Norm {
        guard let weight = try vector(role, layer: layer, part: "weight", count: configuration.width) else {
            let name = (declaredName(role, layer: layer) ?? role.rawValue) + ".weight"
            throw WeightError.missing(file: file, tensor: name)
        }
        return Norm(
            configuration.family.norm, weight: weight,
            bias: try vector(role, layer: layer, part: "bias", count: configuration.width),
            epsilon: configuration.normEpsilon)
    }

    /// Tensors inside blocks which the declaration does not know would change the arithmetic if they were
    /// left out silently.
    func refuseUnknownTensors() throws {
        var known = Set<String>()
        for role in WeightRole.allCases {
            for layer in role.isPerLayer ? Array(0..<configuration.layers) : [0] {
                guard let name = declaredName(role, layer: layer) else { continue }
                for part in [".weight", ".bias"] {
                    if let found = foundName(name + part) { known.insert(found) }
                }
            }
        }
        let stem = blockStem
        for name in source.names where !known.contains(name) {
            if configuration.family.ignored.contains(where: name.hasSuffix) || name == "rope_freqs.weight" {
                continue
            }
            let prefix = isGGUF ? "" : configuration.family.optionalPrefix
            let isInBlock = name.hasPrefix(stem) || (prefix + name).hasPrefix(stem)
            if isInBlock { throw WeightError.unknown(file: file, tensor: name, family: configuration.family.name) }
        }
    }
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
            return "\(file): tensor \(tensor) has shape \(found), expected \(expected) from the model's config."
        case .type(let file, let tensor, let found):
            return "\(file): tensor \(tensor) has type \(found.rawValue), which holds no weights."
        case .notFinite(let file, let tensor):
            return "\(file): tensor \(tensor) holds NaN or infinite values. The file is damaged: fetch it again."
        case .unknown(let file, let tensor, let family):
            return "\(file): tensor \(FormatError.shown(tensor)) is not part of a \(family) block. "
                + "Leaving it out would give wrong results, so the model is refused."
        case .unusable(let file, let tensor, let reason):
            return "\(file): tensor \(tensor): \(reason)"
        }
    }
}
