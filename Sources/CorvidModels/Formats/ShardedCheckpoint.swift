import CorvidTensors
import CorvidText
import Foundation

/// A checkpoint of several files of one format and the index that says which tensor lies in which.
///
/// Source: `model.safetensors.index.json` and `pytorch_model.bin.index.json` as the transformers library
/// writes them. Tensors that the index does not name are not read.
public struct ShardedCheckpoint: TensorSource {
    public let names: [String]
    /// Paths of the shards, sorted.
    public let files: [String]
    private let shards: [String: any TensorSource]
    private let shardOfTensor: [String: String]

    /// Opens all shards that the index `name` in `folder` names.
    /// - Throws: ``CheckpointError``, ``FormatError``, `MemoryError`.
    public init(index name: String, in folder: ModelFolder, format: WeightFormat) throws {
        let path = folder.path(of: name)
        guard let index = try folder.json(name, limit: ModelFolder.Limits.index) else {
            throw CheckpointError.notFound(path: path)
        }
        let places = try Self.places(index, path: path)
        var shards: [String: any TensorSource] = [:]
        for shard in Set(places.values).sorted() {
            guard folder.has(shard) else { throw CheckpointError.missingShard(index: path, shard: shard) }
            try folder.checkWhole(shard)
            shards[shard] = try format.open(folder.path(of: shard))
        }
        for (tensor, shard) in places.sorted(by: { $0.key < $1.key })
        where shards[shard]?.entry(named: tensor) == nil {
            throw CheckpointError.missingTensor(shard: folder.path(of: shard), tensor: tensor, index: path)
        }
        names = shards.sorted { $0.key < $1.key }.flatMap { shard in
            shard.value.names.filter { places[$0] == shard.key }
        }
        files = shards.keys.sorted().map { folder.path(of: $0) }
        self.shards = shards
        shardOfTensor = places
    }

    /// Throws unless `bytes` are an index whose shards may be opened; opens none.
    /// - Throws: ``CheckpointError``.
    public static func check(index bytes: [UInt8], file: String) throws {
        _ = try places(ModelFolder.object(bytes, file: file), path: file)
    }

    /// Tensor name to file name. File names are plain: a model never reads outside its folder.
    static func places(_ index: JSON, path: String) throws -> [String: String] {
        guard let map = index["weight_map"]?.object else {
            let found = index["weight_map"]?.kindName ?? "absent"
            throw CheckpointError.json(
                file: path, key: "weight_map", reason: "is \(found), expected an object")
        }
        guard !map.isEmpty else {
            throw CheckpointError.json(
                file: path, key: "weight_map", reason: "is empty, expected tensor names")
        }
        var places: [String: String] = [:]
        for (tensor, value) in map {
            guard let shard = value.string else {
                throw CheckpointError.json(
                    file: path, key: "weight_map.\(tensor)",
                    reason: "is \(value.kindName), expected a file name")
            }
            let isPlain =
                !shard.isEmpty && !shard.hasPrefix(".") && !shard.utf8.contains(UInt8(ascii: "/"))
                && !shard.utf8.contains(0) && shard.utf8.count <= 255
            guard isPlain else { throw CheckpointError.shardName(index: path, tensor: tensor, found: shard) }
            places[tensor] = shard
        }
        return places
    }

    public var entries: [TensorEntry] { names.compactMap(entry) }

    public func entry(named name: String) -> TensorEntry? { shard(of: name)?.entry(named: name) }

    public func tensor(named name: String) throws -> Tensor? { try shard(of: name)?.tensor(named: name) }

    public func checkSize() throws {
        for shard in shards.values { try shard.checkSize() }
    }

    private func shard(of tensor: String) -> (any TensorSource)? {
        shardOfTensor[tensor].flatMap { shards[$0] }
    }
}
