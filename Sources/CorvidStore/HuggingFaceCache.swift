import Foundation

/// The folder in which Hugging Face programs keep what they fetched: `models--ORG--NAME/snapshots/COMMIT/`.
public struct HuggingFaceCache: Sendable, Equatable {
    /// Nil when no variable says where it is.
    public let root: String?

    public init(root: String?) { self.root = root }

    /// `HF_HUB_CACHE`, else `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else
    /// `~/.cache/huggingface/hub`.
    public init(environment: [String: String]) {
        let rules = [
            ("HF_HUB_CACHE", ""), ("HF_HOME", "/hub"), ("XDG_CACHE_HOME", "/huggingface/hub"),
            ("HOME", "/.cache/huggingface/hub"),
        ]
        for (name, suffix) in rules {
            if let value = environment[name], !value.isEmpty {
                root = value + suffix
                return
            }
        }
        root = nil
    }

    /// The folder of the `main` revision of a repository, or nil if it is not in the cache.
    ///
    /// A cache without `refs/main` (made by fetching one commit) is used when it has a single snapshot.
    func snapshot(organisation: String, name: String) -> String? {
        guard let root else { return nil }
        let repository = root + "/models--\(organisation)--\(name)"
        let snapshots = repository + "/snapshots"
        if let text = try? String(contentsOfFile: repository + "/refs/main", encoding: .utf8) {
            let commit = text.trimmingCharacters(in: .whitespacesAndNewlines)
            let folder = snapshots + "/" + commit
            if ModelName.isComponent(commit), isFolder(folder) { return folder }
        }
        let commits = ((try? FileManager.default.contentsOfDirectory(atPath: snapshots)) ?? [])
            .filter { ModelName.isComponent($0) }
        guard commits.count == 1, let commit = commits.first else { return nil }
        return snapshots + "/" + commit
    }

    /// Repositories in the cache as `ORG/NAME`, in alphabetical order.
    var repositories: [String] {
        guard let root else { return [] }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return entries.compactMap { entry in
            let parts = entry.components(separatedBy: "--")
            guard parts.count == 3, parts[0] == "models" else { return nil }
            return parts[1] + "/" + parts[2]
        }.sorted()
    }

    private func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            && isDirectory.boolValue
    }
}
