import CorvidTensors
import CorvidText
import Foundation

/// A folder of model files, read with bounds.
public struct ModelFolder: Sendable {
    /// What is read at most, in bytes.
    public enum Limits {
        public static let config = 16 << 20
        public static let index = 128 << 20
        public static let tokenizer = 512 << 20
    }

    public let path: String
    /// Names of what is in the folder, sorted.
    public let names: [String]

    /// - Throws: ``CheckpointError/notFound(path:)``, `MemoryError` if the folder cannot be listed.
    public init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { throw CheckpointError.notFound(path: path) }
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw MemoryError.file(path: path, reason: "the folder cannot be listed; check its permissions")
        }
    }

    /// The path of the file `name`.
    public func path(of name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    /// Whether the folder has `name`. A link to a file that does not exist counts: see ``checkWhole(_:)``.
    public func has(_ name: String) -> Bool { names.contains(name) }

    /// Throws ``CheckpointError/incomplete(file:reason:)`` if `name` is there but no whole file: empty, or a
    /// link to a file that was never fetched.
    public func checkWhole(_ name: String) throws {
        let file = path(of: name)
        guard FileManager.default.fileExists(atPath: file) else {
            throw CheckpointError.incomplete(file: file, reason: "is a link to a file that is not there")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: Self.resolved(file))
        if let size = attributes?[.size] as? Int, size == 0 {
            throw CheckpointError.incomplete(file: file, reason: "is empty")
        }
    }

    /// The bytes of the file `name`; nil if there is none.
    /// - Throws: ``CheckpointError``, `MemoryError` if it cannot be read.
    public func bytes(of name: String, limit: Int = Limits.tokenizer) throws -> [UInt8]? {
        guard has(name) else { return nil }
        try checkWhole(name)
        let file = path(of: name)
        let mapping = try MappedFile(path: file)
        guard mapping.byteCount <= limit else {
            throw CheckpointError.tooLarge(file: file, byteCount: mapping.byteCount, limit: limit)
        }
        return mapping.bytes.array
    }

    /// The JSON object in the file `name`; nil if there is none. Of a repeated key the last counts, as Python
    /// has it.
    /// - Throws: ``CheckpointError``, `MemoryError` if it cannot be read.
    public func json(_ name: String, limit: Int = Limits.config) throws -> JSON? {
        guard let bytes = try bytes(of: name, limit: limit) else { return nil }
        return try Self.object(bytes, file: path(of: name))
    }

    /// `bytes` as a JSON object. `file` is for messages.
    static func object(_ bytes: [UInt8], file: String) throws -> JSON {
        let value: JSON
        do {
            value = try JSON.parse(bytes, duplicateKeys: .keepLast)
        } catch {
            if bytes.starts(with: Array("version https://git-lfs".utf8)) {
                throw FormatError.gitPointer(file: file)
            }
            throw CheckpointError.json(file: file, key: nil, reason: "is not valid JSON at \(error)")
        }
        guard value.object != nil else {
            throw CheckpointError.json(
                file: file, key: nil, reason: "is \(value.kindName), expected an object")
        }
        return value
    }

    /// Names of the files that a broken-off download left behind.
    public var leftovers: [String] { names.filter { $0.hasSuffix(".incomplete") || $0.hasSuffix(".part") } }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}
