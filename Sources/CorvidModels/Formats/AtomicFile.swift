import CorvidTensors
import Foundation

/// A file that appears whole or not at all.
///
/// It is written beside its place under another name, flushed, renamed, and the folder is flushed too, so
/// that neither a killed process nor a power failure leaves half of it under the final name. A link stays:
/// the file that it leads to is replaced. Pipes and character devices, which nothing can take the place of,
/// are written straight into.
public struct AtomicFile {
    private let handle: FileHandle
    private let path: String
    private let isStream: Bool

    /// Lets `body` write the content. If it throws, no file is left behind.
    /// - Throws: ``WriteError``, or what `body` throws.
    public static func write(to path: String, _ body: (AtomicFile) throws -> Void) throws {
        switch try WritePlace(path) {
        case .file(let target): try replace(target, path, body)
        case .stream: try writeStraight(path, body)
        }
    }

    private static func replace(
        _ target: String, _ path: String, _ body: (AtomicFile) throws -> Void
    ) throws {
        let (folder, name) = WritePlace.split(target)
        let unique = "\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        let partial = folder + "." + name + "." + unique + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw WriteError.system(path, "creating a file beside it") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try body(AtomicFile(handle: handle, path: path, isStream: false))
            guard fsync(descriptor) == 0 else { throw WriteError.system(path, "flushing") }
            try handle.close()
            guard rename(partial, target) == 0 else { throw WriteError.system(path, "renaming") }
        } catch {
            unlink(partial)
            throw error
        }
        try flush(folder: folder.isEmpty ? "." : folder, path)
    }

    private static func writeStraight(_ path: String, _ body: (AtomicFile) throws -> Void) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw WriteError.system(path, "opening") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try body(AtomicFile(handle: handle, path: path, isStream: true))
        try handle.close()
    }

    /// Appends to the file.
    public func write(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            let reason = Self.reason(error)
            throw isStream
                ? WriteError.broken(file: path, reason: reason)
                : WriteError.failed(file: path, step: "writing", reason: reason)
        }
    }

    /// Appends the bytes of a tensor to the file, piece by piece.
    public func write(_ bytes: Bytes) throws {
        var offset = 0
        while offset < bytes.count {
            let count = min(Self.pieceBytes, bytes.count - offset)
            try write(bytes.array(offset: offset, count: count) ?? [])
            offset += count
        }
    }

    private static let pieceBytes = 1 << 22

    /// File systems that cannot flush a folder say so with EINVAL, which is no failure of the write.
    static func flush(folder: String, _ path: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw WriteError.system(path, "opening its folder") }
        defer { close(descriptor) }
        if fsync(descriptor) != 0, errno != EINVAL { throw WriteError.system(path, "flushing its folder") }
    }

    /// What the system says about a failure of `FileHandle`.
    static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        guard underlying.domain == NSPOSIXErrorDomain, let code = Int32(exactly: underlying.code) else {
            return underlying.localizedDescription
        }
        return String(cString: strerror(code))
    }
}
