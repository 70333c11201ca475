import CorvidTensors

/// Heads that a written model does without.
///
/// A head's output is summed with the others', so a model without it gives what the model gives whose head is
/// multiplied by 0. Where query heads share keys and values, these go with the last of their readers, and those
/// that stay must be shared by equally many: heads of which this cannot be said stay in the files, and the
/// output projection has zeros for them.
///
/// The written `config.json` names the heads in `pruned_heads`, as transformers 4 did for GPT-2, BERT and their like,
/// which reads such folders (but no block without any head). It never did so for GPT-J, GPT-Neo and LLaMA, and
/// transformers 5 ignores the key: to them, as to other programs, the shapes of these models do not fit.
public struct HeadRemoval: Sendable, Equatable {
    /// For each layer the heads that go, counted as the source has them, ascending.
    public let removed: [Int: [Int]]
    /// For each layer the heads whose output is multiplied by zeros.
    public let masked: [Int: [Int]]

    /// - Parameter heads: for each layer the heads to remove, counted as the model has them.
    /// - Throws: ``HeadRemovalError`` for heads that the model does not have.
    public init(_ heads: [Int: [Int]], of configuration: ModelConfiguration) throws {
        var removed: [Int: [Int]] = [:]
        var masked: [Int: [Int]] = [:]
        for (layer, list) in heads.sorted(by: { $0.key < $1.key }) where !list.isEmpty {
            guard (0..<configuration.layers).contains(layer) else {
                throw HeadRemovalError.layer(layer, layers: configuration.layers)
            }
            let count = configuration.heads(layer: layer)
            if let head = list.first(where: { !(0..<count).contains($0) }) {
                throw HeadRemovalError.head(head, layer: layer, heads: count)
            }
            let all = Set(list)
            let group = count / max(1, configuration.keyValueHeads(layer: layer))
            let gone =
                configuration.needsAllHeads == nil ? Self.regular(all, heads: count, group: group) : []
            if !gone.isEmpty { removed[layer] = gone.sorted() }
            let rest = all.subtracting(gone)
            if !rest.isEmpty { masked[layer] = rest.sorted() }
        }
        self.removed = removed
        self.masked = masked
    }

    /// Most of the heads whose removal leaves groups of equally many.
    private static func regular(_ heads: Set<Int>, heads count: Int, group: Int) -> Set<Int> {
        let groups = (0..<count / max(1, group)).map { index in
            (index * group..<(index + 1) * group).filter(heads.contains)
        }
        // A group that goes as a whole takes its keys and values along; the others must lose equally many.
        let whole = groups.filter { $0.count == group }
        let others = groups.filter { $0.count < group }
        let common = others.map(\.count).min() ?? 0
        return Set(whole.joined()).union(others.flatMap { $0.prefix(common) })
    }

    /// The old numbers of all heads that the written model lacks, for each layer.
    func prunedHeads(_ configuration: ModelConfiguration) -> [Int: [Int]] {
        var result = configuration.prunedHeads
        for (layer, heads) in removed {
            let kept = configuration.keptHeads(layer: layer)
            result[layer, default: []] += heads.map { kept[$0] }
            result[layer]?.sort()
        }
        return result
    }

    /// Weights and biases that go.
    public func removedParameters(_ configuration: ModelConfiguration, hasBiases: Bool) -> Int {
        removed.reduce(0) { total, entry in
            let (layer, heads) = entry
            let all = configuration.heads(layer: layer)
            let group = all / max(1, configuration.keyValueHeads(layer: layer))
            let counts = Dictionary(grouping: heads) { $0 / max(1, group) }
            let keyValues = counts.values.count { $0.count == group }
            let rows = (heads.count + 2 * keyValues) * configuration.headWidth
            return total + rows * (configuration.width + (hasBiases ? 1 : 0))
                + heads.count * configuration.headWidth * configuration.width
        }
    }
}

/// Heads that cannot be removed.
public enum HeadRemovalError: Error, Equatable, CustomStringConvertible {
    case layer(Int, layers: Int)
    case head(Int, layer: Int, heads: Int)

    public var description: String {
        switch self {
        case .layer(let layer, let layers):
            "there is no layer \(layer) whose heads could be removed; the layers are 0 to \(layers - 1)."
        case .head(let head, let layer, let heads):
            heads == 0
                ? "layer \(layer) has no heads left to remove."
                : "layer \(layer) has no head \(head) to remove; its heads are 0 to \(heads - 1)."
        }
    }
}

/// Where heads stand in the weights of attention.
struct HeadPlaces {
    private let removal: HeadRemoval
    private let configuration: ModelConfiguration
    private let fused: [Int: Attention.Columns]

    init(_ removal: HeadRemoval, _ configuration: ModelConfiguration, isGGUF: Bool) throws {
        self.removal = removal
        self.configuration = configuration
        var fused: [Int: Attention.Columns] = [:]
        for layer in removal.removed.keys {
            fused[layer] = try Block.fusedColumns(configuration, layer: layer, isGGUF: isGGUF, file: "")
        }
        self.fused = fused
    }

    private func kept(_ layer: Int) -> (heads: [Int], keyValueHeads: [Int]) {
        let gone = removal.removed[layer] ?? []
        let count = configuration.heads(layer: layer)
        let keyValueCount = configuration.keyValueHeads(layer: layer)
        let heads = (0..<count).filter { !gone.contains($0) }
        let group = max(1, count / max(1, keyValueCount))
        return (heads, Set(heads.map { $0 / group }).sorted())
    }

    private func places(_ heads: [Int], _ start: (Int) -> Int) -> [Int] {
        heads.flatMap { start($0)..<start($0) + configuration.headWidth }
    }

    /// The outputs of a weight that stay; nil: all.
    func outputs(_ role: WeightRole, layer: Int?) -> [Int]? {
        guard let layer, removal.removed[layer] != nil else { return nil }
        let width = configuration.headWidth
        let (heads, keyValueHeads) = kept(layer)
        switch role {
        case .query: return places(heads) { $0 * width }
        case .key, .value: return places(keyValueHeads) { $0 * width }
        case .queryKeyValue:
            guard let columns = fused[layer] else { return nil }
            return
                (places(heads, columns.query) + places(keyValueHeads, columns.key)
                + places(keyValueHeads, columns.value)).sorted()
        default: return nil
        }
    }

    /// The inputs of a weight that stay, nil for one that is replaced by zeros; nil: all.
    func inputs(_ role: WeightRole, layer: Int?) -> [Int?]? {
        guard let layer, role == .attentionOutput else { return nil }
        let masked = removal.masked[layer] ?? []
        guard !masked.isEmpty || removal.removed[layer] != nil else { return nil }
        let width = configuration.headWidth
        return kept(layer).heads.flatMap { head -> [Int?] in
            masked.contains(head)
                ? Array(repeating: nil, count: width) : (head * width..<(head + 1) * width).map { $0 }
        }
    }
}
