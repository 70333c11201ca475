import CorvidTensors

/// The weights of a folder in Hugging Face layout, opened: one file, or shards and their index, in the first of
/// the formats of ``WeightFormat/folders`` that is there.
struct FolderWeights: Sendable {
    let format: WeightFormat
    /// Paths of the files that hold tensors.
    let files: [String]
    let tensors: any TensorSource

    /// - Throws: ``CheckpointError``, ``FormatError``, `MemoryError`.
    init(_ folder: ModelFolder) throws {
        let found = WeightFormat.folders.first { folder.has($0.file) || folder.has($0.index) }
        guard let found else { throw Self.missing(folder) }
        format = found.format
        if folder.has(found.file) {
            try folder.checkWhole(found.file)
            files = [folder.path(of: found.file)]
            tensors = try found.format.open(folder.path(of: found.file))
        } else {
            let shards = try ShardedCheckpoint(index: found.index, in: folder, format: found.format)
            files = shards.files
            tensors = shards
        }
    }

    private static func missing(_ folder: ModelFolder) -> CheckpointError {
        if let leftover = folder.leftovers.first {
            return .incomplete(
                file: folder.path(of: leftover), reason: "is left of a download, and the weights are missing")
        }
        for kind in WeightFormat.folders {
            if let shard = folder.names.first(where: { isShard($0, of: kind.file) }) {
                return .missingIndex(folder: folder.path, index: kind.index, shard: shard)
            }
        }
        return .noWeights(folder: folder.path)
    }

    /// Whether `name` is NAME-00001-of-00002.END, with the name and the end of `file`.
    private static func isShard(_ name: String, of file: String) -> Bool {
        guard let dot = file.lastIndex(of: "."), name.hasPrefix(file[..<dot] + "-"),
            name.hasSuffix(file[dot...])
        else { return false }
        let middle = name.dropFirst(file[..<dot].count + 1).dropLast(file[dot...].count)
        return middle.wholeMatch(of: /[0-9]{5}-of-[0-9]{5}/) != nil
    }
}
