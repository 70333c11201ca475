import CorvidTensors
import CorvidText
import Synchronization

/// A checkpoint without files: random weights of a configuration, made when they are asked for and kept.
///
/// Names and orientation are those of a Hugging Face folder. Block types and int8 run along rows: for them a
/// family which stores its matrices by columns there (GPT-2) has the names of a GGUF file, where it stores them
/// by rows. Norms and biases are f32 beside these.
public final class RandomCheckpoint: TensorSource {
    public let configuration: ModelConfiguration
    /// Type of the matrices.
    public let type: DType
    public let seed: UInt64
    /// What it is called where a file would be named.
    public let name: String
    public let entries: [TensorEntry]
    /// Bytes of all tensors, made or not.
    public let byteCount: Int
    /// Whether the names are those of a GGUF file.
    let isGGUF: Bool
    private let pool: WorkerPool
    private let places: [String: Int]
    private let kinds: [WeightList.Kind]
    private let made = Mutex<[String: Tensor]>([:])

    /// Types that a checkpoint may have.
    public static let types: [DType] = [
        .f32, .f16, .bf16, .i8, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K,
    ]
    /// Deviation of the weights: what GPT-2 was initialised with.
    private static let deviation: Float = 0.02

    /// Nothing is allocated yet.
    /// - Parameters:
    ///   - type: one of ``types``. A matrix whose rows it does not divide gets ``DType/weightType(columns:)``.
    ///   - pool: makes the weights.
    /// - Throws: `TensorError` for another type, and for sizes that do not fit in memory.
    public init(
        _ configuration: ModelConfiguration, type: DType, seed: UInt64 = 0, name: String, pool: WorkerPool
    ) throws {
        guard Self.types.contains(type) else { throw TensorError.notWeights(type: type) }
        self.configuration = configuration
        self.type = type
        self.seed = seed
        self.name = name
        self.pool = pool
        isGGUF = type.isCompact && configuration.family.orientation == .columns
        let list = WeightList(
            configuration, isGGUF: isGGUF, biased: configuration.family.biasedWeights)
        var byteCount = 0
        let weights = type == .i8 ? list.weightsWithScales : list.weights
        entries = try weights.map { weight in
            let type = Self.type(of: weight, main: type)
            let bytes = try Tensor.byteCount(type: type, shape: weight.shape)
            let (sum, overflow) = byteCount.addingReportingOverflow(bytes)
            guard !overflow else { throw TensorError.blocks(type: type, shape: weight.shape) }
            byteCount = sum
            return TensorEntry(
                name: weight.name, typeName: type.rawValue.uppercased(), type: type, shape: weight.shape,
                byteCount: bytes, file: name)
        }
        kinds = weights.map(\.kind)
        places = Dictionary(
            entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.byteCount = byteCount
    }

    public var names: [String] { entries.map(\.name) }

    public func entry(named name: String) -> TensorEntry? { places[name].map { entries[$0] } }

    public func tensor(named name: String) throws -> Tensor? {
        guard let place = places[name] else { return nil }
        return try made.withLock { made in
            if let tensor = made[name] { return tensor }
            let tensor = try make(place)
            made[name] = tensor
            return tensor
        }
    }

    public func checkSize() throws {}

    private func make(_ place: Int) throws -> Tensor {
        let entry = entries[place]
        guard let type = entry.type else { throw TensorError.notWeights(type: self.type) }
        // A norm that has learned nothing yet.
        if case .normWeight = kinds[place] { return try Tensor.filled(1, shape: entry.shape) }
        // Integers of 8 bits have a deviation of 73.9.
        if case .scale = kinds[place] { return try Tensor.filled(Self.deviation / 73.9, shape: entry.shape) }
        return try pool.runBlocking { [seed] workers in
            try Tensor.random(
                type, shape: entry.shape, deviation: Self.deviation, seed: seed,
                stream: UInt32(truncatingIfNeeded: place), workers: workers)
        }
    }

    private static func type(of weight: WeightList.Weight, main: DType) -> DType {
        switch weight.kind {
        case .matrix: main.weightType(columns: weight.shape.last ?? 1)
        case .normWeight, .scale: .f32
        // As converters write them: beside quantised matrices small things stay exact.
        case .table, .bias: main.isCompact ? .f32 : main
        }
    }
}

extension Model {
    /// A model of random weights: for measuring, and for tests of what does not depend on the numbers.
    /// - Parameter pool: threads of its passes; nil starts threads of its own.
    /// - Throws: as ``load(path:options:pool:)``.
    public static func random(
        _ checkpoint: RandomCheckpoint, options: LoadOptions = LoadOptions(), pool: WorkerPool? = nil
    ) throws -> Model {
        let none = TokenizerError.missing(field: "a tokenizer", file: checkpoint.name)
        return try Model(
            path: checkpoint.name, source: checkpoint, isGGUF: checkpoint.isGGUF,
            configuration: checkpoint.configuration,
            text: Text(tokenizer: .failure(none), chatTemplate: .success(nil)), options: options, pool: pool)
    }
}
