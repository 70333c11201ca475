import CorvidTensors

/// Weights of a model's files as numbers, in the order and orientation of Hugging Face's checkpoints: what a
/// change is computed from.
struct BaseWeights {
    let configuration: ModelConfiguration
    private let loader: WeightLoader

    init(_ model: Model) {
        self.init(model.configuration, source: model.source, file: model.path)
    }

    init(_ configuration: ModelConfiguration, source: any TensorSource, file: String) {
        self.configuration = configuration
        loader = WeightLoader(
            source: source, configuration: configuration, computeType: nil, file: file,
            isGGUF: source.usesGGUFNames)
    }

    /// A bias or the weight of a norm; nil if the files have none.
    /// - Throws: ``FormatError``, `TensorError`.
    func vector(_ target: WeightTarget, part: String) throws -> [Float]? {
        guard let name = loader.tensorName(target.role, layer: target.layer, part: part),
            let tensor = try loader.source.tensor(named: name)
        else { return nil }
        let values = try tensor.floats()
        guard part == "bias", let order = rowOrder(target, rows: values.count) else { return values }
        return order.map { values[$0] }
    }

    /// A matrix or table, `[rows, columns]`; nil if the files have none.
    /// - Throws: ``FormatError``, ``WeightError``, `TensorError`.
    func matrix(_ target: WeightTarget) throws -> (values: [Float], rows: Int, columns: Int)? {
        let name = loader.tensorName(target.role, layer: target.layer)
        guard let name else { return target.role == .head ? try matrix(.init(.tokenEmbedding)) : nil }
        let use = WeightUse(role: target.role, layer: target.layer, part: "weight", name: name)
        let tensor = try loader.tensor(of: use)
        guard tensor.shape.count == 2 else { return nil }
        let values = try tensor.floats()
        let isTurned =
            !loader.isGGUF && tensor.type != .i8 && target.role.isOriented
            && configuration.family.orientation == .columns
        let (rows, columns) = isTurned ? (tensor.columns, tensor.rows) : (tensor.rows, tensor.columns)
        if isTurned {
            var turned = [Float](repeating: 0, count: values.count)
            for row in 0..<rows {
                for column in 0..<columns { turned[row * columns + column] = values[column * rows + row] }
            }
            return (turned, rows, columns)
        }
        guard let order = rowOrder(target, rows: rows) else { return (values, rows, columns) }
        var ordered: [Float] = []
        ordered.reserveCapacity(values.count)
        for row in order { ordered += values[row * columns..<(row + 1) * columns] }
        return (ordered, rows, columns)
    }

    /// The file's row at each place; nil if they are in Hugging Face's order.
    private func rowOrder(_ target: WeightTarget, rows: Int) -> [Int]? {
        guard target.role == .query || target.role == .key, let order = configuration.headOrder else {
            return nil
        }
        let width = configuration.headWidth
        return (0..<rows / max(1, width)).flatMap { head in order.map { head * width + $0 } }
    }
}

extension TensorSource {
    /// Whether the names are those of a GGUF file.
    var usesGGUFNames: Bool { self is GGUFFile || (self as? RandomCheckpoint)?.isGGUF == true }
}
