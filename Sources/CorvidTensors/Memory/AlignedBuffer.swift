#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A block of memory aligned to a cache line, zero-filled, freed with its last reference.
///
/// Sound to share between threads as long as no two of them write the same element at one time; the
/// operations of this module divide their outputs so that none does.
public final class AlignedBuffer: @unchecked Sendable {
    /// Size in bytes.
    public let byteCount: Int
    let base: UnsafeMutableRawPointer
    private let allocation: UnsafeMutableRawPointer

    static let alignment = 64

    /// - Throws: ``MemoryError/exhausted(bytes:)`` when the system has no such block.
    public init(byteCount: Int) throws {
        // calloc hands out large blocks as untouched zero pages: memory that is never used costs nothing.
        let (padded, overflow) = byteCount.addingReportingOverflow(Self.alignment)
        guard byteCount >= 0, !overflow, let block = calloc(padded, 1) else {
            throw MemoryError.exhausted(bytes: byteCount)
        }
        self.byteCount = byteCount
        allocation = block
        let misalignment = Int(bitPattern: block) % Self.alignment
        base = block + (misalignment == 0 ? 0 : Self.alignment - misalignment)
    }

    deinit { free(allocation) }
}

/// Why memory or a file could not be had.
public enum MemoryError: Error, Equatable, CustomStringConvertible {
    case exhausted(bytes: Int)
    case file(path: String, reason: String)
    case truncated(path: String, expected: Int, found: Int)
    case threads

    public var description: String {
        switch self {
        case .exhausted(let bytes):
            return "no memory for a block of \(bytes) bytes; use a smaller context, batch or model"
        case .file(let path, let reason):
            return "\(path): \(reason)"
        case .truncated(let path, let expected, let found):
            return
                "\(path): has \(found) bytes, had \(expected) when it was opened; the file changed while in use"
        case .threads:
            return "the system has no thread left for this process; raise its limit or end other programs"
        }
    }
}
