import CorvidModels
import Foundation
import GRDB

extension RunStore {
    /// The size and digest of a file. A file that has not changed since it was read last is not read again.
    /// - Throws: `MemoryError.file` when it cannot be read. A store that fails is no reason to fail.
    public func file(_ role: RunFile.Role, at path: String) throws -> RunFile {
        let before = FileStamp(path: path)
        if let before, let known = cachedDigest(of: path, stamp: before) {
            return RunFile(role: role, path: path, byteCount: before.byteCount, digest: known)
        }
        let digest = try Digest(fileAt: path)
        let after = FileStamp(path: path)
        if let after, after == before, after.isSettled {
            try? write { database in
                try database.execute(
                    sql: "INSERT OR REPLACE INTO digests (path, stamp, digest) VALUES (?, ?, ?)",
                    arguments: [path, after.text, digest.description])
            }
        }
        return RunFile(role: role, path: path, byteCount: after?.byteCount, digest: digest)
    }

    private func cachedDigest(of path: String, stamp: FileStamp) -> Digest? {
        let text = try? read { database in
            try String.fetchOne(
                database, sql: "SELECT digest FROM digests WHERE path = ? AND stamp = ?",
                arguments: [path, stamp.text])
        }
        return text.flatMap { $0 }.flatMap { Digest(hexadecimal: $0) }
    }
}

/// What changes when a file is written or another one takes its place.
struct FileStamp: Equatable {
    let byteCount: Int
    private let device: UInt64
    private let inode: UInt64
    /// Of the content, and of anything about the file, in nanoseconds.
    private let modified: Int
    private let changed: Int

    init?(path: String) {
        var found = stat()
        guard stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG else { return nil }
        byteCount = Int(found.st_size)
        device = UInt64(truncatingIfNeeded: found.st_dev)
        inode = UInt64(truncatingIfNeeded: found.st_ino)
        #if canImport(Darwin)
        let (content, any) = (found.st_mtimespec, found.st_ctimespec)
        #else
        let (content, any) = (found.st_mtim, found.st_ctim)
        #endif
        modified = Self.nanoseconds(content)
        changed = Self.nanoseconds(any)
    }

    var text: String { "\(byteCount) \(device) \(inode) \(modified) \(changed)" }

    /// Whether a change from now on would give another stamp: the clock of a file system ticks slowly.
    var isSettled: Bool {
        let now = Date().timeIntervalSince1970
        return now - Double(max(modified, changed)) / 1e9 > 2
    }

    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            .addingReportingOverflow(Int(time.tv_nsec)).partialValue
    }
}
