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
    /// What the files call the weights.
    private var declared: [WeightRole: WeightNames]
    /// Makes what weights are converted to; nil converts none.
    private let converter: WeightConverter?
    /// The tensors that were asked for so far.
    private let read = ReadWeights()

    init(
        source: any TensorSource, configuration: ModelConfiguration, computeType: DType?, file: String,
        isGGUF: Bool, converter: WeightConverter? = nil
    ) {
        self.source = source
        self.configuration = configuration
        self.computeType = computeType
        self.file = file
        self.isGGUF = isGGUF
        self.converter = converter
        let family = configuration.family
        declared =
            configuration.isEncoderAlone
            ? family.encoderNames(isGGUF: isGGUF) : family.names(isGGUF: isGGUF)
    }

    /// The same files, for the stack that reads a source text.
    var encoder: WeightLoader {
        var loader = self
        loader.declared = configuration.family.encoderNames(isGGUF: isGGUF)
        return loader
    }

    /// What was read, in the order in which it was asked for.
    var uses: [WeightUse] { read.uses }

    /// Whether the family has such a weight at all.
    func declares(_ role: WeightRole) -> Bool { declared[role] != nil }

    /// Name of a weight without `.weight` or `.bias`: of those which the family declares the first one that
    /// the file has, or the first.
    private func declaredName(_ role: WeightRole, layer: Int?, part: String = "weight") -> String? {
        let templates = declared[role]?.all ?? []
        let names = templates.map { $0.replacing("{layer}", with: layer.map(String.init) ?? "") }
        return names.first { foundName($0 + "." + part) != nil } ?? names.first
    }

    /// The name under which the file has the weight: old checkpoints leave a prefix out.
    private func foundName(_ name: String) -> String? {
        if source.entry(named: name) != nil { return name }
        let added = configuration.weightPrefix
        if !added.isEmpty, source.entry(named: added + name) != nil { return added + name }
        let prefix = configuration.family.optionalPrefix
        guard !isGGUF, !prefix.isEmpty, name.hasPrefix(prefix) else { return nil }
        let short = String(name.dropFirst(prefix.count))
        return source.entry(named: short) == nil ? nil : short
    }

    func has(_ role: WeightRole, layer: Int? = nil) -> Bool {
        declaredName(role, layer: layer).flatMap { foundName($0 + ".weight") } != nil
    }

    /// The name of the tensor that holds a weight; nil if the files have none.
    func tensorName(_ role: WeightRole, layer: Int? = nil, part: String = "weight") -> String? {
        declaredName(role, layer: layer, part: part).flatMap { foundName($0 + "." + part) }
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
        guard let declared = declaredName(role, layer: layer, part: part),
            let name = foundName(declared + "." + part) ?? foundName(declared + "." + Self.oldPart(part)),
            var tensor = try source.tensor(named: name)
        else { return nil }
        read.insert(WeightUse(role: role, layer: layer, part: part, name: name))
        // Rows of int8 weights are outputs, in whatever order the family stores its matrices.
        let isInt8 = tensor.type == .i8 && shape.count == 2
        let isRightShape = tensor.shape == shape || isInt8 && tensor.shape == shape.reversed()
        guard isRightShape else {
            throw WeightError.shape(file: file, tensor: name, found: tensor.shape, expected: shape)
        }
        if isInt8 { tensor = try scaled(tensor, named: name) }
        guard tensor.holdsWeights else {
            throw WeightError.type(file: file, tensor: name, found: tensor.type)
        }
        return tensor
    }

    /// The tensor of a use, with its scales if it is an int8 matrix.
    func tensor(of use: WeightUse) throws -> Tensor {
        guard let tensor = try source.tensor(named: use.name) else {
            throw WeightError.missing(file: file, tensor: use.name)
        }
        return tensor.type == .i8 && tensor.shape.count == 2 ? try scaled(tensor, named: use.name) : tensor
    }

    /// An int8 matrix with the scales that lie beside it.
    private func scaled(_ matrix: Tensor, named name: String) throws -> Tensor {
        let scaleName = name + WeightUse.scaleSuffix
        guard let scales = try source.tensor(named: scaleName) else {
            throw WeightError.missing(file: file, tensor: scaleName)
        }
        read.insert(WeightUse(role: nil, layer: nil, part: "scale", name: scaleName))
        guard scales.type == .f32 else {
            throw WeightError.type(file: file, tensor: scaleName, found: scales.type)
        }
        guard scales.shape == [matrix.rows] else {
            throw WeightError.shape(
                file: file, tensor: scaleName, found: scales.shape, expected: [matrix.rows])
        }
        let values = try scales.floats()
        guard values.allSatisfy(\.isFinite) else {
            throw WeightError.notFinite(file: file, tensor: scaleName)
        }
        return try matrix.scaled(byRows: Vector(values))
    }

    /// What old checkpoints call the parts of norms.
    private static func oldPart(_ part: String) -> String { part == "weight" ? "gamma" : "beta" }

    /// A bias or norm weight as f32 values, or nil if the file has none.
    func vector(_ role: WeightRole, layer: Int? = nil, part: String, count: Int) throws -> Vector? {
        guard let tensor = try optionalTensor(role, layer: layer, part: part, shape: [count]) else {
            return nil
        }
        return try Vector(try finite(tensor, role, layer: layer, part: part))
    }

    /// A matrix with its bias, if it has one.
    func linear(_ role: WeightRole, layer: Int? = nil, outputs: Int, inputs: Int) throws -> Linear {
        // Behind a block whose heads are all gone only the bias is left.
        guard inputs > 0 else {
            return try Linear(
                try Tensor([], shape: [outputs, 0]), bias: try bias(role, layer: layer, count: outputs),
                part: role.passPart)
        }
        let declared: Linear.Orientation =
            isGGUF || !role.isOriented ? .rows : configuration.family.orientation
        let shape = declared == .rows ? [outputs, inputs] : [inputs, outputs]
        let stored = try tensor(role, layer: layer, shape: shape)
        let orientation = try orientation(of: stored, declared, outputs: outputs, inputs: inputs)
        read.setOrientation(orientation)
        let name = declaredName(role, layer: layer)
        let (weight, converted) = try converted(stored, named: name, orientation: orientation)
        let bias = try self.bias(role, layer: layer, count: outputs)
        return try linear(
            weight, named: name, bias: bias, orientation: converted ? .rows : orientation, part: role.passPart
        )
    }

    /// int8 matrices always have outputs as rows.
    private func orientation(
        of weight: Tensor, _ declared: Linear.Orientation, outputs: Int, inputs: Int
    ) throws -> Linear.Orientation {
        guard weight.type == .i8 else { return declared }
        guard weight.shape == [outputs, inputs] else {
            throw WeightError.shape(
                file: file, tensor: read.uses.last?.name ?? "", found: weight.shape,
                expected: [outputs, inputs])
        }
        return .rows
    }

    /// The matrix as the type to compute in wants it held, and whether it was made anew.
    private func converted(
        _ weight: Tensor, named name: String?, orientation: Linear.Orientation = .rows
    ) throws -> (Tensor, Bool) {
        guard let converter, let computeType else { return (weight, false) }
        do {
            return try converter.convert(weight, to: computeType, orientation: orientation)
        } catch let reason as WeightConversionError {
            throw WeightError.conversion(file: file, tensor: (name ?? "") + ".weight", reason: reason)
        }
    }

    private func bias(_ role: WeightRole, layer: Int?, count: Int) throws -> Vector? {
        let own = try vector(role, layer: layer, part: "bias", count: count)
        if let expected = expectsBias(role), expected != (own != nil) {
            let name = (declaredName(role, layer: layer) ?? role.rawValue) + ".bias"
            guard !expected else { throw WeightError.missing(file: file, tensor: name) }
            throw WeightError.unknown(file: file, tensor: name, family: configuration.family.name)
        }
        guard role == .head, declares(.headBias) else { return own }
        let shared = try vector(.headBias, part: "bias", count: count)
        // The bias that has a name of its own belongs to the embedding as output matrix; another matrix has its own.
        return configuration.tiedHead ?? !has(.head) ? shared ?? own : own ?? shared
    }

    /// Whether the config says that a matrix has a bias; nil if it says nothing.
    private func expectsBias(_ role: WeightRole) -> Bool? {
        switch role {
        case .query, .key, .value, .queryKeyValue, .attentionOutput: configuration.hasAttentionBias
        case .gate, .up, .down: configuration.hasMLPBias
        default: nil
        }
    }

    /// The embedding as output matrix, with the output's own bias, if it has one.
    func tiedHead(_ table: Tensor) throws -> Linear {
        // A copy of the matrix beside the embedding is not read: the config says that they are one.
        if let name = declaredName(.head, layer: nil).flatMap({ foundName($0 + ".weight") }) {
            read.insert(WeightUse(role: nil, layer: nil, part: "weight", name: name))
            let scaleName = name + WeightUse.scaleSuffix
            if source.entry(named: scaleName) != nil {
                read.insert(WeightUse(role: nil, layer: nil, part: "scale", name: scaleName))
            }
        }
        let bias = try self.bias(.head, layer: nil, count: configuration.vocabulary)
        return try linear(table, named: declaredName(.tokenEmbedding, layer: nil), bias: bias, part: .head)
    }

    /// What is added to the scores of all blocks of a stack.
    func attentionBias(sees: Family.Visibility) throws -> Attention.Bias? {
        let c = configuration
        if !c.slopes.isEmpty { return .slopes(try Vector(c.slopes)) }
        guard let buckets = c.distanceBuckets else { return nil }
        let shape = [buckets.count, c.heads]
        let values = try finite(try tensor(.distanceBias, shape: shape), .distanceBias, layer: nil)
        let limit = buckets.limit
        return .table(
            try DistanceBias(heads: c.heads, distances: -limit...(sees == .earlier ? 0 : limit)) {
                values[buckets.bucket(of: $1, sees: sees) * c.heads + $0]
            })
    }

    private func finite(
        _ tensor: Tensor, _ role: WeightRole, layer: Int?, part: String = "weight"
    ) throws -> [Float] {
        let values = try tensor.floats()
        guard values.allSatisfy(\.isFinite) else {
            let name = (declaredName(role, layer: layer, part: part) ?? role.rawValue) + "." + part
            throw WeightError.notFinite(file: file, tensor: name)
        }
        return values
    }

    /// A table of vectors, one per token or position.
    func embedding(_ role: WeightRole, rows: Int, columns: Int) throws -> Embedding {
        let stored = try tensor(role, shape: [rows, columns])
        guard stored.shape == [rows, columns] else {
            throw WeightError.shape(
                file: file, tensor: read.uses.last?.name ?? "", found: stored.shape,
                expected: [rows, columns])
        }
        let name = declaredName(role, layer: nil)
        // Tables of positions and token types are small and stay as they are.
        let isKept = role.isSmallTable && computeType?.isCompact == true
        let table = isKept ? stored : try read.table(name) { try converted(stored, named: name).0 }
        return try unusable(name) { try Embedding(table, as: productType(of: table)) }
    }

    /// What products with `weight` are asked to compute as: a compact type is that of the converted weight.
    private func productType(of weight: Tensor) -> DType? {
        computeType?.isCompact == true || weight.type == computeType ? nil : computeType
    }

    private func linear(
        _ weight: Tensor, named name: String?, bias: Vector? = nil, orientation: Linear.Orientation = .rows,
        part: PassPart
    ) throws -> Linear {
        try unusable(name) {
            try Linear(
                weight, bias: bias, orientation: orientation, as: productType(of: weight), part: part)
        }
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

/// A tensor of the files, and what it is used for.
struct WeightUse: Sendable {
    /// What is added to the name of an int8 matrix to name its scales.
    static let scaleSuffix = ".scale"

    /// nil for what is only allowed to be there: scales, and the copy of a tied matrix.
    let role: WeightRole?
    let layer: Int?
    /// `weight` or `bias`.
    let part: String
    /// As the files have it.
    let name: String
    /// Which axis of a matrix runs along the outputs.
    var orientation = Linear.Orientation.rows
}

/// Shared by the copies of one loader.
private final class ReadWeights {
    private(set) var uses: [WeightUse] = []
    private var names = Set<String>()

    func insert(_ use: WeightUse) {
        uses.append(use)
        names.insert(use.name)
    }

    func contains(_ name: String) -> Bool { names.contains(name) }

    private var tables: [String: Tensor] = [:]

    /// The table `name`, which is made once if both stacks of an encoder-decoder have it.
    func table(_ name: String?, _ make: () throws -> Tensor) rethrows -> Tensor {
        guard let name else { return try make() }
        if let table = tables[name] { return table }
        let table = try make()
        tables[name] = table
        return table
    }

    /// The orientation of the matrix that was read last, before its scales.
    func setOrientation(_ orientation: Linear.Orientation) {
        guard let index = uses.lastIndex(where: { $0.part == "weight" }) else { return }
        uses[index].orientation = orientation
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
    case conversion(file: String, tensor: String, reason: WeightConversionError)

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
        case .conversion(let file, let tensor, let reason):
            return "\(file): tensor \(tensor) cannot be converted: \(reason)."
        }
    }
}
