import CorvidModels
import CorvidText
import Foundation
import Synchronization

/// Digests of tensors, kept in a file of the store: a model whose weights were read through once needs not be read
/// again to recognise it.
///
/// It is a memory and nothing else: what cannot be read or written is as if it had never been there.
public final class DigestStore: DigestCache {
    /// Files whose digests are kept; the ones that were used longest ago go first.
    static let files = 64
    private static let fileBytes = 64 << 20

    private struct State {
        /// The file's digests, oldest use first.
        var known: [(file: FileIdentity, tensors: [String: Digest])] = []
        var isRead = false
        var isChanged = false
    }

    private let path: String
    private let state = Mutex<State>(State())

    public init(_ store: Store) { path = store.root + "/digests.json" }

    public func digest(of tensor: String, in file: FileIdentity) -> Digest? {
        state.withLock { state in
            read(into: &state)
            return state.known.first { $0.file == file }?.tensors[tensor]
        }
    }

    public func remember(_ digest: Digest, of tensor: String, in file: FileIdentity) {
        state.withLock { state in
            read(into: &state)
            var tensors: [String: Digest] = [:]
            if let place = state.known.firstIndex(where: { $0.file == file }) {
                tensors = state.known.remove(at: place).tensors
            }
            // What another file under that name had is of no use any more.
            state.known.removeAll { $0.file.path == file.path }
            tensors[tensor] = digest
            state.known.append((file, tensors))
            if state.known.count > Self.files { state.known.removeFirst(state.known.count - Self.files) }
            state.isChanged = true
        }
    }

    /// Writes what was learnt, if anything was.
    public func save() {
        let bytes: [UInt8]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            return Self.json(state.known).encodedBytes()
        }
        guard let bytes else { return }
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? AtomicFile.write(to: path) { try $0.write(bytes) }
    }

    private func read(into state: inout State) {
        guard !state.isRead else { return }
        state.isRead = true
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
        guard let size, size <= Self.fileBytes,
            let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
            let json = try? JSON.parse([UInt8](data))
        else { return }
        state.known = (json.array ?? []).suffix(Self.files).compactMap(Self.entry)
    }

    private static func json(_ known: [(file: FileIdentity, tensors: [String: Digest])]) -> JSON {
        .array(
            known.map { file, tensors in
                var digests = JSONObject()
                for (name, digest) in tensors.sorted(by: { $0.key < $1.key }) {
                    digests[name] = .string("\(digest)")
                }
                return [
                    "path": .string(file.path), "size": .integer(Int64(file.size)),
                    "modified": .integer(Int64(file.modified)), "inode": .string("\(file.inode)"),
                    "sha256": .object(digests),
                ]
            })
    }

    private static func entry(_ json: JSON) -> (file: FileIdentity, tensors: [String: Digest])? {
        guard let path = json["path"]?.string, let size = json["size"]?.int,
            let modified = json["modified"]?.int, let inode = json["inode"]?.string.flatMap({ UInt64($0) }),
            let digests = json["sha256"]?.object
        else { return nil }
        var tensors: [String: Digest] = [:]
        for (name, value) in digests { tensors[name] = value.string.flatMap(Digest.init(hexadecimal:)) }
        return (FileIdentity(path: path, size: size, modified: modified, inode: inode), tensors)
    }
}
