#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file mapped read-only into memory. Nothing is read until it is used, and the system may drop it again.
public final class MappedFile: Sendable {
    public let path: String
    /// Size of the file in bytes when it was opened.
    public let byteCount: Int
    /// Written once in `init`; the mapping is read-only and lives until `deinit`.
    nonisolated(unsafe) let base: UnsafeRawPointer
    private let descriptor: Int32

    /// - Throws: ``MemoryError/file(path:reason:)`` if there is no such readable regular file.
    public init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MemoryError.file(path: path, reason: Self.reason(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Self.reason(errno)
            close(descriptor)
            throw MemoryError.file(path: path, reason: reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw MemoryError.file(path: path, reason: "is not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else {
            close(descriptor)
            throw MemoryError.file(path: path, reason: "is empty")
        }
        guard let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
            mapping != UnsafeMutableRawPointer(bitPattern: -1)
        else {
            let reason = Self.reason(errno)
            close(descriptor)
            throw MemoryError.file(path: path, reason: "cannot be mapped: \(reason)")
        }
        self.path = path
        self.descriptor = descriptor
        byteCount = size
        base = UnsafeRawPointer(mapping)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
        close(descriptor)
    }

    /// All bytes of the file.
    public var bytes: Bytes { Bytes(owner: self, base: base, count: byteCount) }

    /// Reads of a page that another program cut off end the process (SIGBUS): call this before a long use.
    /// - Throws: ``MemoryError/truncated(path:expected:found:)``.
    public func checkSize() throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw MemoryError.file(path: path, reason: Self.reason(errno))
        }
        if Int(status.st_size) < byteCount {
            throw MemoryError.truncated(path: path, expected: byteCount, found: Int(status.st_size))
        }
    }

    /// Asks the system to read the range soon.
    public func prefetch() { madvise(UnsafeMutableRawPointer(mutating: base), byteCount, MADV_WILLNEED) }

    /// Takes the pages around a part of the mapping out of this process's memory. They stay in the system's cache
    /// as long as it has room, and come back when they are read.
    func releasePages(_ start: UnsafeRawPointer, byteCount: Int) {
        let page = Int(getpagesize())
        let first = max(0, start - base) / page * page
        let end = min(self.byteCount, start - base + byteCount)
        guard end > first else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
