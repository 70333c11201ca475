import Foundation

/// Where the bytes of a file that is to be written go.
enum WritePlace: Equatable {
    /// A file that is there or not yet, at the end of all links.
    case file(path: String)
    /// A pipe or a character device such as `/dev/null`.
    case stream

    /// Links followed at most, as many as Linux follows.
    private static let linkLimit = 40

    /// - Throws: ``WriteError/occupied(file:found:)`` for a folder and other things that are no file.
    init(_ path: String) throws {
        guard !Self.split(path).name.isEmpty else {
            let found = path.isEmpty ? "an empty name" : "the name of a folder"
            throw WriteError.occupied(file: path, found: found)
        }
        var found = stat()
        if stat(path, &found) == 0 {
            switch found.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFCHR, S_IFIFO:
                self = .stream
                return
            case S_IFDIR: throw WriteError.occupied(file: path, found: "a folder")
            case S_IFBLK: throw WriteError.occupied(file: path, found: "a disk")
            default: throw WriteError.occupied(file: path, found: "neither a file nor a pipe")
            }
        }
        self = .file(path: try Self.followingLinks(path))
    }

    /// The target of a link is relative to the folder of the link.
    private static func followingLinks(_ path: String) throws -> String {
        var current = path
        for _ in 0...linkLimit {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: current) else {
                return current
            }
            current = target.hasPrefix("/") ? target : split(current).folder + target
        }
        throw WriteError.occupied(file: path, found: "a link that leads in a circle")
    }

    /// The folder of a path with its last slash, empty for the current folder, and the name in it.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[...slash]), String(path[path.index(after: slash)...]))
    }
}
