#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A block of memory aligned to a cache line, zero-filled, freed with its last reference.
///
/// Blocks of some megabytes lie on huge pages where the system has them: reading a long cache page by page of
/// 4 KiB would spend a good part of its time looking up addresses. Memory that is never touched costs nothing.
///
/// Sound to share between threads as long as no two of them write the same element at one time; the
/// operations of this module divide their outputs so that none does.
public final class AlignedBuffer: @unchecked Sendable {
    /// Size in bytes.
    public let byteCount: Int
    let base: UnsafeMutableRawPointer
    private let allocation: Allocation

    static let alignment = 64
    private static let hugePage = 2 << 20

    private enum Allocation {
        case heap(UnsafeMutableRawPointer)
        case mapping(UnsafeMutableRawPointer, byteCount: Int)
    }

    /// - Throws: ``MemoryError/exhausted(bytes:)`` when the system has no such block.
    public init(byteCount: Int) throws {
        let isLarge = byteCount >= Self.hugePage
        let slack = isLarge ? Self.hugePage : Self.alignment
        let (padded, overflow) = byteCount.addingReportingOverflow(slack)
        guard byteCount >= 0, !overflow, let allocation = Self.allocate(padded, isLarge: isLarge) else {
            throw MemoryError.exhausted(bytes: byteCount)
        }
        self.byteCount = byteCount
        self.allocation = allocation
        let start =
            switch allocation {
            case .heap(let start), .mapping(let start, _): start
            }
        let misalignment = Int(bitPattern: start) % slack
        base = start + (misalignment == 0 ? 0 : slack - misalignment)
        #if os(Linux)
            if isLarge { madvise(base, byteCount, MADV_HUGEPAGE) }
        #endif
    }

    deinit {
        switch allocation {
        case .heap(let start): free(start)
        case .mapping(let start, let byteCount): munmap(start, byteCount)
        }
    }

    private static func allocate(_ byteCount: Int, isLarge: Bool) -> Allocation? {
        guard isLarge else { return calloc(byteCount, 1).map { .heap($0) } }
        let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != UnsafeMutableRawPointer(bitPattern: -1) else { return nil }
        return .mapping(start, byteCount: byteCount)
    }
}

/// Why memory or a file could not be had.
public enum MemoryError: Error, Equatable, CustomStringConvertible {
    case exhausted(bytes: Int)
    case file(path: String, reason: String)
    case truncated(path: String, expected: Int, found: Int)

    public var description: String {
        switch self {
        case .exhausted(let bytes):
            return "no memory for a block of \(bytes) bytes; use a smaller context, batch or model"
        case .file(let path, let reason):
            return "\(path): \(reason)"
        case .truncated(let path, let expected, let found):
            return "\(path): has \(found) bytes, had \(expected) when it was opened; the file changed while in use"
        }
    }
}
