import CorvidTensors
import Foundation

/// A file that appears whole or not at all.
///
/// It is written beside its place under another name, flushed, renamed, and the folder is flushed too, so
/// that
/// neither a killed process nor a power failure leaves half of it under the final name.
public struct AtomicFile {
    private let handle: FileHandle
    private let path: String

    /// Lets `body` write the content. If it throws, nothing is left behind.
    /// - Throws: ``WriteError``, or what `body` throws.
    public static func write(to path: String, _ body: (AtomicFile) throws -> Void) throws {
        let target = URL(fileURLWithPath: path)
        let folder = target.deletingLastPathComponent().path
        let unique = "\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        let partial = folder + "/." + target.lastPathComponent + "." + unique + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failed(path, "creating a file beside it") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try body(AtomicFile(handle: handle, path: path))
            guard fsync(descriptor) == 0 else { throw failed(path, "flushing") }
            try handle.close()
            guard rename(partial, path) == 0 else { throw failed(path, "renaming") }
        } catch {
            unlink(partial)
            throw error
        }
        try flush(folder: folder, path)
    }

    /// Appends to the file.
    public func write(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw WriteError.failed(file: path, step: "writing", reason: Self.reason(error))
        }
    }

    /// File systems that cannot flush a folder say so with EINVAL, which is no failure of the write.
    private static func flush(folder: String, _ path: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed(path, "opening its folder") }
        defer { close(descriptor) }
        if fsync(descriptor) != 0, errno != EINVAL { throw failed(path, "flushing its folder") }
    }

    private static func failed(_ path: String, _ step: String) -> WriteError {
        .failed(file: path, step: step, reason: String(cString: strerror(errno)))
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        guard underlying.domain == NSPOSIXErrorDomain, let code = Int32(exactly: underlying.code) else {
            return underlying.localizedDescription
        }
        return String(cString: strerror(code))
    }
}

/// Why a file was not written. What stood under its name before still stands there.
public enum WriteError: Error, Equatable, CustomStringConvertible {
    case failed(file: String, step: String, reason: String)
    /// The format has no such type.
    case elementType(file: String, tensor: String, found: DType)
    /// The name is used twice, or is reserved.
    case name(file: String, tensor: String)

    public var description: String {
        switch self {
        case .failed(let file, let step, let reason):
            return
                "\(file): \(step) failed: \(reason). Nothing was written there; free space or choose "
                + "another place."
        case .elementType(let file, let tensor, let found):
            return "\(file): tensor \(tensor) has type \(found.rawValue), which safetensors does not have. "
                + "Convert it to f32, f16 or bf16 first."
        case .name(let file, let tensor):
            return "\(file): tensor name \(tensor) is used twice or reserved. Rename the tensor."
        }
    }
}
