import Foundation

extension FileIdentity {
    /// The file at `path` at the end of all links; nil if there is none.
    public init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        let (nanoseconds, overflow) = Int(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        self.init(
            path: URL(fileURLWithPath: path).resolvingSymlinksInPath().path, size: Int(status.st_size),
            modified: overflow ? 0 : nanoseconds &+ Int(time.tv_nsec), inode: UInt64(status.st_ino))
    }
}
