import CorvidTensors
import CorvidText

/// Patches as files: safetensors with `format`, `format_version` and `header` (JSON) in its metadata. The tensors
/// of change 3 are called `3.down`, `3.up` and so on; nothing else lies in the file.
public enum PatchFile {
    static let format = "corvid-patch"
    static let version = "1"

    /// What is read at most.
    public enum Limits {
        public static let headerBytes = 64 << 20
        public static let changes = 100_000
        public static let parts = 1_000
        public static let sources = 10_000
        public static let nameBytes = 4_096
        public static let ranges = 10_000
        /// Greatest position, and greatest index of a head or column.
        public static let position = 1 << 30
        /// Heads or columns of a part of a row.
        public static let indices = 1_000_000
        public static let labels = 10_000
    }

    /// Opens the patch at `path`, mapped.
    /// - Throws: ``PatchFileError``, ``FormatError``, `MemoryError`.
    public static func read(_ path: String) throws -> Patch { try read(SafetensorsFile(path: path)) }

    /// The same for a file that is open, or in memory.
    public static func read(_ file: SafetensorsFile) throws -> Patch {
        guard isPatch(file) else { throw PatchFileError.notPatch(file: file.path) }
        let version = file.metadata["format_version"] ?? "none"
        guard version == Self.version else {
            throw PatchFileError.version(file: file.path, found: version)
        }
        let known: Set<String> = ["format", "format_version", "header"]
        if let key = file.metadata.keys.first(where: { !known.contains($0) }) {
            throw PatchFileError.unknownField(file: file.path, item: "__metadata__ \(FormatError.shown(key))")
        }
        guard let text = file.metadata["header"] else {
            throw PatchFileError.value(
                file: file.path, item: "the header", found: "absent", expected: "to be there")
        }
        guard text.utf8.count <= Limits.headerBytes else {
            throw PatchFileError.limit(
                file: file.path, item: "the length of the header", found: text.utf8.count,
                limit: Limits.headerBytes)
        }
        let json: JSON
        do {
            json = try JSON.parse(text)
        } catch {
            throw PatchFileError.json(file: file.path, reason: "\(error)")
        }
        var fields = try PatchFields(json, file: file.path, place: "")
        let header = try PatchHeader(&fields)
        let (changes, tensors) = try changes(&fields, file)
        let parts = try parts(&fields, changes: changes.count)
        try fields.finish()
        if let name = file.names.first(where: { !tensors.contains($0) }) {
            throw PatchFileError.tensor(file: file.path, tensor: name, reason: "belongs to no change")
        }
        return try Patch(header, changes, parts: parts)
    }

    /// Whether a patch lies at `path`.
    public static func isPatch(at path: String) -> Bool {
        (try? SafetensorsFile(path: path)).map(isPatch) ?? false
    }

    /// Whether a safetensors file says that it is a patch.
    static func isPatch(_ file: SafetensorsFile) -> Bool { file.metadata["format"] == format }

    private static func changes(
        _ fields: inout PatchFields, _ file: SafetensorsFile
    ) throws -> ([Patch.Change], Set<String>) {
        let stored = try fields.required("changes")
        guard let list = stored.array else {
            throw fields.wrong("changes", stored.kindName, expected: "a list")
        }
        guard list.count <= Limits.changes else {
            throw PatchFileError.limit(
                file: file.path, item: "the number of changes", found: list.count, limit: Limits.changes)
        }
        var tensors = Set<String>()
        let changes = try list.enumerated().map { index, value in
            let members = try PatchFields(value, file: file.path, place: "change \(index)")
            var reader = ChangeReader(members, index: index, source: file)
            let name = try reader.fields.text("kind", limit: 64)
            guard let kind = Patch.Kind(rawValue: name) else {
                throw PatchFileError.kind(file: file.path, change: index, found: name)
            }
            let change: Patch.Change
            do {
                change = try kind.read(&reader)
            } catch let error as PatchError {
                throw PatchFileError.value(
                    file: file.path, item: "change \(index)", found: "\(error)",
                    expected: "numbers that fit one another")
            }
            try reader.fields.finish()
            tensors.formUnion(reader.readTensors)
            return change
        }
        return (changes, tensors)
    }

    private static func parts(_ fields: inout PatchFields, changes: Int) throws -> [Patch.Part] {
        var end = 0
        let parts = try fields.objects("parts", limit: Limits.parts) { part in
            let header = try PatchHeader(&part)
            let fingerprint = try part.digest("fingerprint")
            let scale = try part.number("scale")
            let count = try part.integer("changes", 0...Limits.changes)
            guard end + count <= changes else {
                throw part.wrong("changes", "\(count)", expected: "as many as there are")
            }
            defer { end += count }
            return Patch.Part(
                header: header, fingerprint: fingerprint, scale: scale, changes: end..<end + count)
        }
        guard parts.isEmpty || end == changes else {
            throw fields.wrong("parts", "\(end) changes", expected: "all \(changes)")
        }
        return parts
    }
}

extension Patch {
    /// Opens the patch at `path`, mapped.
    /// - Throws: ``PatchFileError``, ``FormatError``, `MemoryError`.
    public init(path: String) throws { self = try PatchFile.read(path) }

    /// Writes the patch: all of it or nothing.
    /// - Throws: ``WriteError``.
    public func save(to path: String) throws {
        var object = header.json
        object["changes"] = .array(
            changes.map { change in
                var members: JSONObject = ["kind": .string(change.kind.rawValue)]
                for (key, value) in change.body.fields { members[key] = value }
                return .object(members)
            })
        if !parts.isEmpty {
            object["parts"] = .array(
                parts.map { part in
                    var members = part.header.json
                    members["fingerprint"] = .string("\(part.fingerprint)")
                    members["scale"] = .number(Double(part.scale))
                    members["changes"] = .integer(Int64(part.changes.count))
                    return .object(members)
                })
        }
        let tensors = changes.enumerated().flatMap { index, change in
            change.body.tensors.map { (ChangeReader.name(index, $0.part), $0.tensor) }
        }
        try SafetensorsWriter.write(
            tensors,
            metadata: [
                "format": PatchFile.format, "format_version": PatchFile.version,
                "header": JSON.object(object).encoded(),
            ], to: path)
    }
}
