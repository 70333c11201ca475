import CorvidTensors
import Crypto
import Foundation

/// The SHA-256 of some bytes (FIPS 180-4): what a model, a patch or a data file is known by.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// 64 hexadecimal digits, in small letters.
    public var description: String { bytes.map(Self.hexadecimal).joined() }

    /// The first 12 digits, for tables and messages; too few to tell files apart by.
    public var short: String { bytes.prefix(6).map(Self.hexadecimal).joined() }

    /// The digest that 64 hexadecimal digits stand for, in letters of either size; nil for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        let digits = text.utf8.map(Self.value)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    public init(of bytes: [UInt8]) {
        var running = Running()
        running.add(bytes)
        self = running.digest
    }

    /// Reads a mapped file piece by piece, so that no second copy of it is in memory.
    public init(of bytes: Bytes) {
        var running = Running()
        running.add(bytes)
        self = running.digest
    }

    /// Reads a file piece by piece.
    /// - Throws: `MemoryError.file` when it cannot be opened or read.
    public init(fileAt path: String) throws {
        let handle: FileHandle
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw Self.unreadable(path, error)
        }
        defer { try? handle.close() }
        var running = Running()
        do {
            while let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty {
                running.add([UInt8](piece))
            }
        } catch {
            throw Self.unreadable(path, error)
        }
        self = running.digest
    }

    /// A digest of bytes that come one after another.
    public struct Running {
        private var function = SHA256()

        public init() {}

        public mutating func add(_ bytes: [UInt8]) { function.update(data: bytes) }

        /// The bytes of a text in UTF-8. To tell ("a", "bc") from ("ab", "c"), add what ends a text, too.
        public mutating func add(_ text: String) { function.update(data: Array(text.utf8)) }

        public mutating func add(_ bytes: Bytes) {
            var offset = 0
            while offset < bytes.count {
                let count = min(pieceBytes, bytes.count - offset)
                add(bytes.array(offset: offset, count: count) ?? [])
                offset += count
            }
        }

        /// The digest of what was added so far; more can be added afterwards.
        public var digest: Digest { Digest(Array(function.finalize())) }
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private static let pieceBytes = 1 << 20
}

extension Digest {
    private static func unreadable(_ path: String, _ error: any Error) -> MemoryError {
        .file(path: path, reason: AtomicFile.reason(error))
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
