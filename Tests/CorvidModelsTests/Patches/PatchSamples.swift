import CorvidTensors
import CorvidText
import TestSupport

@testable import CorvidModels

/// A change of every kind, for a tiny model.
struct PatchSamples {
    let configuration: ModelConfiguration
    var generator: SeededGenerator

    init(_ configuration: ModelConfiguration, seed: UInt64 = 5) {
        self.configuration = configuration
        generator = SeededGenerator(seed: seed)
    }

    mutating func numbers(_ shape: [Int], magnitude: Float = 0.3) throws -> Tensor {
        try Tensor(generator.floats(shape.reduce(1, *), magnitude: magnitude), shape: shape)
    }

    /// nil for a kind that the model cannot have.
    mutating func change(_ kind: Patch.Kind, layer: Int = 1) throws -> Patch.Change? {
        let c = configuration
        let down = WeightTarget(.down, layer: layer)
        switch kind {
        case .lowRank:
            let (a, b) = (try numbers([2, c.hidden]), try numbers([c.width, 2]))
            return .lowRank(try LowRankDelta(down, down: a, up: b, scale: 0.75))
        case .dense:
            let target = WeightTarget(.attentionOutput, layer: layer)
            return .dense(try DenseDelta(target, numbers([c.width, c.heads * c.headWidth])))
        case .rows:
            let values = try numbers([2, c.width])
            return .rows(
                try RowDelta(.init(.up, layer: layer), outputs: c.hidden, indices: [1, 4], values: values))
        case .columns:
            let values = try numbers([c.width, 3])
            return .columns(try ColumnDelta(down, inputs: c.hidden, indices: [0, 2, 5], values: values))
        case .bias: return .bias(try BiasDelta(down, numbers([c.width])))
        case .norm:
            guard c.hasNormWeights else { return nil }
            let width = try numbers([c.width])
            return .norm(try NormDeltaChange(.init(.attentionNorm, layer: layer), weight: width))
        case .tableRows:
            let rows = Array(stride(from: 0, to: c.vocabulary, by: 2))
            let values = try numbers([rows.count, c.embeddingWidth])
            return .tableRows(
                try TableRows(
                    .init(.tokenEmbedding), rows: c.vocabulary, indices: rows, values: values))
        case .tableLowRank:
            let (a, b) = (try numbers([2, c.vocabulary]), try numbers([c.embeddingWidth, 2]))
            return .tableLowRank(try TableLowRank(.init(.tokenEmbedding), down: a, up: b))
        case .addition:
            return .addition(
                try SiteAddition(
                    numbers([2, c.width]), at: .output(of: layer), positions: .range(2..<4), firstPosition: 2)
            )
        case .mask:
            let values = generator.floats(c.heads)
            return .mask(try SiteMask.heads(values, at: Site(.heads, layer: layer)))
        case .operation:
            return .operation(
                try SiteOperation(.projectOut(numbers([c.width])), at: Site(.mlpOutput, layer: layer)))
        case .adapter:
            let (a, b) = (try numbers([3, c.width]), try numbers([c.width, 3]))
            return .adapter(
                try AdapterChange(
                    at: Site(.mlpOutput, layer: layer), down: a, downBias: numbers([3]), up: b,
                    activation: .relu))
        case .prefix:
            guard c.senses == 0 else { return nil }
            let shape = [c.layers, 2, c.keyValueHeads * c.headWidth]
            return .prefix(try PrefixChange(keys: numbers(shape), values: numbers(shape)))
        case .logitBias:
            return .logitBias(
                try LogitBiasChange(tokens: [1, 5], values: numbers([2]), vocabulary: c.vocabulary))
        case .labelPrior:
            return .labelPrior(
                try LabelPrior(
                    labels: ["good", "bad"], prior: Tensor([0.25, 0.75], shape: [2]),
                    task: ["prompt": "Review: {text}"], context: Digest(of: [1, 2, 3])))
        }
    }

    mutating func patch(_ kind: Patch.Kind, name: String? = nil, layer: Int = 1) throws -> Patch? {
        guard let change = try change(kind, layer: layer) else { return nil }
        return try Patch(
            PatchHeader(
                name: name ?? kind.rawValue, method: "sample", settings: ["rank": 2], seed: 7,
                data: [.init(name: "data.jsonl", digest: Digest(of: [4]))],
                report: ["before": 1.5, "after": 2]), [change])
    }

    /// Tiny models of families that differ in their weights.
    static let families = ["gptj", "gpt2", "llama", "gpt-neox", "bloom", "opt", "gguf-q8_0", "backpack"]
}

/// What patches do to the logits of a golden model.
struct PatchSubject {
    let golden: GoldenModel
    let model: Model

    init(_ name: String, as type: DType? = nil) throws {
        golden = try GoldenModel(name)
        model = try golden.load(as: type)
    }

    var samples: PatchSamples { PatchSamples(model.configuration) }

    func logits(_ model: Model) throws -> [Float] {
        let ids = Array(golden.ids.prefix(12))
        let rows = ids.enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let values = try model.logitsBlocking(for: Batch(rows: rows, caches: [model.makeCache()]))
        return (0..<values.rowCount).flatMap { Array(values.row($0)) }
    }

    func bits(_ model: Model) throws -> [UInt32] { try logits(model).map(\.bitPattern) }

    func bits(_ patches: [(Patch, Float)]) throws -> [UInt32] {
        try bits(model.applying(patches.map { .init($0.0, scale: $0.1) }).model)
    }
}
