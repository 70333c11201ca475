import CorvidTensors

extension Transformer {
    /// Pages that hold the keys and values of a prefix.
    func pages(of prefix: KeyValuePrefix, workers: Workers) throws -> [KeyValuePage] {
        let c = configuration
        let widths = (0..<c.layers).map { c.keyValueHeads(layer: $0) * c.headWidth }
        func isWhole(_ tensors: [[Float]]) -> Bool {
            zip(tensors, widths).allSatisfy { $0.count == prefix.positions * $1 }
        }
        guard c.sees == .earlier, senses == nil else { throw OverlayError.noPrefix(family: c.family.name) }
        guard prefix.positions > 0, prefix.keys.count == c.layers, prefix.values.count == c.layers,
            isWhole(prefix.keys), isWhole(prefix.values)
        else {
            throw OverlayError.prefix(
                found: [prefix.keys.count, prefix.positions, prefix.keys.first?.count ?? 0],
                expected: [c.layers, prefix.positions, prefix.positions * (widths.first ?? 0)])
        }
        let cache = makeCache()
        try cache.reserve(upTo: prefix.positions)
        let segment = AttentionSegment(rows: 0..<prefix.positions, firstPosition: 0, pages: cache.pages)
        let columns = Attention.Columns(
            query: { $0 * c.headWidth }, key: { $0 * c.headWidth }, value: { $0 * c.headWidth })
        for (layer, block) in stack.blocks.enumerated() where block.attention.heads > 0 {
            let width = widths[layer]
            let own = c.headOrder.map { order in
                (0..<c.keyValueHeads(layer: layer)).flatMap { head in order.map { head * c.headWidth + $0 } }
            }
            var keys = prefix.keys[layer]
            if let own {
                for row in 0..<prefix.positions {
                    for (index, place) in own.enumerated() {
                        keys[row * width + place] = prefix.keys[layer][row * width + index]
                    }
                }
            }
            block.attention.store(
                keys: try Matrix(keys, rows: prefix.positions, columns: width),
                values: try Matrix(prefix.values[layer], rows: prefix.positions, columns: width),
                columns: columns, segments: [segment], workers: workers)
        }
        return cache.pages
    }
}

/// What is to be laid over weights, while it is handed out.
struct Layings {
    private var weights: [WeightTarget: [WeightDelta]]
    private var tables: [WeightTarget: [TableDelta]]
    private var norms: [WeightTarget: [NormDelta]]

    init(_ overlay: ModelOverlay) {
        weights = overlay.weights
        tables = overlay.tables
        norms = overlay.norms
    }

    /// Something that no weight has taken.
    var unused: WeightTarget? {
        let all = Array(weights.keys) + tables.keys + norms.keys
        return all.min { $0.description < $1.description }
    }

    /// - Parameter places: where the outputs of `role` stand in the matrix; nil: it has no others, in their order.
    mutating func lay(
        over linear: inout Linear, _ role: WeightRole, layer: Int? = nil, places: [Int]? = nil
    ) throws {
        let target = WeightTarget(role, layer: layer)
        guard let deltas = weights.removeValue(forKey: target) else { return }
        linear = try Self.fitting(target) {
            try linear.adding(
                try places.map { places in try deltas.map { try $0.placed(at: places) } } ?? deltas)
        }
    }

    mutating func lay(over linear: inout Linear?, _ role: WeightRole, layer: Int? = nil) throws {
        guard var own = linear else { return }
        try lay(over: &own, role, layer: layer)
        linear = own
    }

    mutating func lay(over table: inout Embedding, _ role: WeightRole) throws {
        let target = WeightTarget(role)
        guard let deltas = tables.removeValue(forKey: target) else { return }
        table = try Self.fitting(target) { try table.adding(deltas) }
    }

    mutating func lay(over table: inout Embedding?, _ role: WeightRole) throws {
        guard var own = table else { return }
        try lay(over: &own, role)
        table = own
    }

    mutating func lay(over norm: inout Norm, _ role: WeightRole, layer: Int? = nil) throws {
        let target = WeightTarget(role, layer: layer)
        guard let deltas = norms.removeValue(forKey: target) else { return }
        func sum(_ own: Vector?, _ part: KeyPath<NormDelta, [Float]?>) throws -> Vector? {
            var values = own?.values
            for delta in deltas {
                guard let change = delta[keyPath: part] else { continue }
                guard values?.count == change.count else {
                    throw OverlayError.shape(target, found: [change.count], expected: [values?.count ?? 0])
                }
                values = values.map { zip($0, change).map { $0 + delta.scale * $1 } }
            }
            return try values.map { try Vector($0) }
        }
        norm = Norm(
            norm.kind, weight: try sum(norm.weight, \.weight), bias: try sum(norm.bias, \.bias),
            epsilon: norm.epsilon)
    }

    mutating func lay(over norm: inout Norm?, _ role: WeightRole, layer: Int? = nil) throws {
        guard var own = norm else { return }
        try lay(over: &own, role, layer: layer)
        norm = own
    }

    private static func fitting<Result>(_ target: WeightTarget, _ make: () throws -> Result) throws -> Result
    {
        do {
            return try make()
        } catch LinearError.delta(let found, let expected) {
            throw OverlayError.shape(target, found: found, expected: expected)
        } catch LinearError.bias(let found, let expected) {
            throw OverlayError.shape(target, found: [found], expected: [expected])
        }
    }
}

/// An overlay that does not fit its model.
public enum OverlayError: Error, Equatable, CustomStringConvertible {
    case missing(WeightTarget, family: String)
    case shape(WeightTarget, found: [Int], expected: [Int])
    case noPrefix(family: String)
    /// Layers, positions and values of a layer's keys.
    case prefix(found: [Int], expected: [Int])
    case twice

    public var description: String {
        switch self {
        case .missing(let target, let family):
            return "the model has no weight \(target), or it is not of the kind that is to be changed; "
                + "was the change made for another family than \(family)?"
        case .shape(let target, let found, let expected):
            return
                "weight \(target) has shape \(expected), the change \(found). Was it made for another model?"
        case .noPrefix(let family):
            return "a \(family) model keeps no keys and values, so that none can stand before its text."
        case .prefix(let found, let expected):
            return "the prefix has layers, positions and values \(found), the model needs \(expected)."
        case .twice:
            return "the model has changes laid over it already; lay all of them over the model without any."
        }
    }
}
