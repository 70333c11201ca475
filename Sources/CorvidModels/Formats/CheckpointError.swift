/// Why a model's files cannot be opened together.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    case notFound(path: String)
    /// The path is neither a folder nor a GGUF file.
    case notModel(path: String, found: String)
    case missingConfig(folder: String)
    case noWeights(folder: String)
    /// Shards are there, the index that says which tensor lies in which is not.
    case missingIndex(folder: String, index: String, shard: String)
    /// A download did not finish.
    case incomplete(file: String, reason: String)
    /// Several checkpoints lie in the folder, and nothing says which is meant.
    case several(folder: String, files: [String])
    case missingShard(index: String, shard: String)
    /// The index names a file outside its folder.
    case shardName(index: String, tensor: String, found: String)
    /// The index places a tensor in a shard that does not have it.
    case missingTensor(shard: String, tensor: String, index: String)
    case tooLarge(file: String, byteCount: Int, limit: Int)
    /// A JSON file cannot be read, or `key` is not as expected.
    case json(file: String, key: String?, reason: String)

    public var description: String {
        switch self {
        case .notFound(let path):
            return "\(path): no such file or folder. Check the name, or fetch the model first."
        case .notModel(let path, let found):
            return "\(path): is \(found), expected a folder with config.json and *.safetensors "
                + "or pytorch_model*.bin, or a .gguf file. Pass one of those."
        case .missingConfig(let folder):
            return "\(folder): has no config.json, which says what the model is. "
                + "Fetch the whole model folder."
        case .noWeights(let folder):
            return "\(folder): has none of model.safetensors, pytorch_model.bin and the indexes of their "
                + "shards. Fetch the weights too."
        case .missingIndex(let folder, let index, let shard):
            return "\(folder): has \(FormatError.shown(shard)) but not \(index), which says what lies where. "
                + "Fetch the missing file."
        case .incomplete(let file, let reason):
            return "\(file): \(reason). The download did not finish: fetch it again."
        case .several(let folder, let files):
            let names = files.prefix(4).map(FormatError.shown).joined(separator: ", ")
            return "\(folder): has \(files.count) models (\(names)\(files.count > 4 ? ", ..." : "")). "
                + "Pass the path of one of them."
        case .missingShard(let index, let shard):
            return "\(index): names \(FormatError.shown(shard)), which is not in the folder. "
                + "Fetch the missing file."
        case .shardName(let index, let tensor, let found):
            return "\(index): places tensor \(FormatError.shown(tensor)) in "
                + "'\(FormatError.shown(found))', expected the name of a file in the same folder. "
                + "Do not use this model."
        case .missingTensor(let shard, let tensor, let index):
            return "\(shard): has no tensor \(FormatError.shown(tensor)), which \(index) places there. "
                + "The files belong to different models: fetch all of them again."
        case .tooLarge(let file, let byteCount, let limit):
            return "\(file): has \(byteCount) bytes, at most \(limit) are read of such a file. "
                + "It is not what its name says: fetch it again."
        case .json(let file, let key, let reason):
            let place = key.map { "key \(FormatError.shown($0)) " } ?? ""
            return "\(file): \(place)\(reason). Correct the file or fetch it again."
        }
    }
}

extension CheckpointError {
    /// The cases by name, for tests that count which of them were seen.
    public enum Kind: String, CaseIterable, Sendable {
        case notFound, notModel, missingConfig, noWeights, missingIndex, incomplete, several
        case missingShard, shardName, missingTensor, tooLarge, json
    }

    public var kind: Kind {
        switch self {
        case .notFound: .notFound
        case .notModel: .notModel
        case .missingConfig: .missingConfig
        case .noWeights: .noWeights
        case .missingIndex: .missingIndex
        case .incomplete: .incomplete
        case .several: .several
        case .missingShard: .missingShard
        case .shardName: .shardName
        case .missingTensor: .missingTensor
        case .tooLarge: .tooLarge
        case .json: .json
        }
    }
}
