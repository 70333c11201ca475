import Foundation

/// One byte of a file, locked for as long as this value or its process lives.
///
/// The system takes the lock back however the process ends, and no other process can be taken for it, as it
/// could with the number of a process.
final class RunLock: Sendable {
    private let descriptor: Int32

    /// Commands of `fcntl` for locks of an open file (not of a process), which the headers show to C only.
    #if canImport(Darwin)
    private static let set: Int32 = 90
    private static let get: Int32 = 92
    #else
    private static let set: Int32 = 37
    private static let get: Int32 = 36
    #endif

    /// Nil when another process or value holds the byte, or the file system has no locks.
    init?(path: String, byte: Int) {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard opened >= 0 else { return nil }
        var lock = Self.lock(of: byte)
        guard fcntl(opened, Self.set, &lock) == 0 else {
            close(opened)
            return nil
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Waits for the byte as long as somebody else holds it, at most `seconds`.
    static func waiting(path: String, byte: Int, seconds: Double) -> RunLock? {
        let start = ContinuousClock.now
        while true {
            if let lock = RunLock(path: path, byte: byte) { return lock }
            guard isHeld(path: path, byte: byte), ContinuousClock.now - start < .seconds(seconds) else {
                return RunLock(path: path, byte: byte)
            }
            usleep(2_000)
        }
    }

    /// Whether somebody holds the byte.
    static func isHeld(path: String, byte: Int) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var lock = lock(of: byte)
        return fcntl(descriptor, get, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    private static func lock(of byte: Int) -> Foundation.flock {
        var lock = Foundation.flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(byte)
        lock.l_len = 1
        return lock
    }
}
