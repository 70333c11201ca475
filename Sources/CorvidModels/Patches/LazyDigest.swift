import CorvidTensors
import CorvidText
import Synchronization

/// The digest of some changes, made when it is asked for and kept: copies of a patch share it.
final class LazyDigest: Sendable {
    private let changes: [Patch.Change]
    private let made = Mutex<Digest?>(nil)

    init(_ changes: [Patch.Change]) { self.changes = changes }

    var value: Digest {
        made.withLock { made in
            if let made { return made }
            let digest = compute()
            made = digest
            return digest
        }
    }

    private func compute() -> Digest {
        var running = Digest.Running()
        running.add("corvid-patch 1\n")
        for change in changes {
            // Each text ends with a line break, which JSON and names do not hold.
            running.add(change.kind.rawValue + "\n" + JSON.object(change.body.fields).encoded() + "\n")
            for (part, tensor) in change.body.tensors {
                let sizes = tensor.shape.map(String.init).joined(separator: " ")
                running.add("\(part) \(tensor.type.rawValue) \(sizes)\n")
                running.add(tensor.bytes)
            }
        }
        return running.digest
    }
}
