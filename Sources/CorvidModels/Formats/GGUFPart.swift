import CorvidTensors

/// One file of a GGUF checkpoint: its fields and its tensors, all extents checked.
struct GGUFPart: Sendable {
    let path: String
    let bytes: Bytes
    let version: Int
    let alignment: Int
    /// In file order.
    let keys: [String]
    let fields: [String: GGUFField]
    /// In file order.
    let tensors: [GGUFTensor]

    /// - Throws: ``FormatError``.
    init(bytes: Bytes, path: String) throws {
        let magic = bytes.integer(at: 0, as: UInt32.self)
        try FileSignature.check(bytes, file: path, format: "GGUF", isRight: magic == 0x4655_4747)
        var cursor = ByteCursor(bytes, file: path, offset: 4)
        let version = try cursor.integer("the version", as: UInt32.self)
        guard version == 2 || version == 3 else {
            let swapped = version.byteSwapped
            let supported =
                swapped == 2 || swapped == 3 ? "2 and 3, little-endian (this one is big-endian)" : "2 and 3"
            throw FormatError.version(file: path, found: UInt64(version), supported: supported)
        }
        let limits = GGUFFile.Limits.self
        let tensorCount = try Self.count("the number of tensors", limit: limits.tensors, &cursor)
        let keyCount = try Self.count("the number of keys", limit: limits.keys, &cursor)

        var keys: [String] = []
        var fields: [String: GGUFField] = [:]
        for index in 0..<keyCount {
            let key = try cursor.text("the name of key \(index)", limit: limits.keyBytes)
            let field = try Self.field(of: key, &cursor)
            guard fields.updateValue(field, forKey: key) == nil else {
                throw FormatError.duplicate(file: path, item: "key \(FormatError.shown(key))")
            }
            keys.append(key)
        }
        let alignment = try Self.alignment(fields, bytes: bytes, path: path)

        var tensors: [GGUFTensor] = []
        var seen: Set<String> = []
        for index in 0..<tensorCount {
            let tensor = try GGUFTensor(index: index, alignment: alignment, &cursor)
            guard seen.insert(tensor.name).inserted else {
                throw FormatError.duplicate(file: path, item: "tensor \(FormatError.shown(tensor.name))")
            }
            tensors.append(tensor)
        }
        self.path = path
        self.bytes = bytes
        self.version = Int(version)
        self.alignment = alignment
        self.keys = keys
        self.fields = fields
        self.tensors = try Self.place(tensors, headerEnd: cursor.offset, alignment: alignment, bytes, path)
    }

    private static func count(_ item: String, limit: Int, _ cursor: inout ByteCursor) throws -> Int {
        let found = try cursor.integer(item, as: UInt64.self)
        guard let count = CheckedArithmetic.size(found), count <= limit else {
            throw FormatError.limit(file: cursor.file, item: item, found: found, limit: limit)
        }
        return count
    }

    private static func valueType(of key: String, _ cursor: inout ByteCursor) throws -> GGUFValueType {
        let number = try cursor.integer("the type of key \(FormatError.shown(key))", as: UInt32.self)
        guard let type = GGUFValueType(rawValue: number) else {
            throw FormatError.value(
                file: cursor.file, item: "the type of key \(FormatError.shown(key))", found: "\(number)",
                expected: "0 to 12")
        }
        return type
    }

    /// Reads the type and steps over the value.
    private static func field(of key: String, _ cursor: inout ByteCursor) throws -> GGUFField {
        let type = try valueType(of: key, &cursor)
        guard type == .array else {
            let start = cursor.offset
            try step(over: 1, type, key, &cursor)
            if type == .bool, let byte = cursor.bytes.integer(at: start, as: UInt8.self), byte > 1 {
                throw FormatError.value(
                    file: cursor.file, item: "key \(FormatError.shown(key))", found: "\(byte)",
                    expected: "0 or 1 for a bool")
            }
            return GGUFField(type: type, count: 1, isArray: false, offset: start, end: cursor.offset)
        }
        let element = try valueType(of: key, &cursor)
        guard element != .array else {
            throw FormatError.type(
                file: cursor.file, key: key, found: "array of arrays", expected: "an array of plain values")
        }
        let found = try cursor.integer("the length of key \(FormatError.shown(key))", as: UInt64.self)
        let start = cursor.offset
        // No element is smaller than its type, no text smaller than its length field: this bounds the loop.
        guard let count = CheckedArithmetic.size(found),
            let least = CheckedArithmetic.product(count, element.byteCount ?? 8), least <= cursor.remaining
        else {
            let item = "the \(found) values of key \(FormatError.shown(key))"
            let needed = found.multipliedReportingOverflow(by: UInt64(element.byteCount ?? 8))
            throw cursor.truncated(item, needed: needed.overflow ? UInt64.max : needed.partialValue)
        }
        try step(over: count, element, key, &cursor)
        return GGUFField(type: element, count: count, isArray: true, offset: start, end: cursor.offset)
    }

    private static func step(
        over count: Int, _ type: GGUFValueType, _ key: String, _ cursor: inout ByteCursor
    ) throws {
        guard let size = type.byteCount else {
            for _ in 0..<count { _ = try cursor.textExtent("key \(FormatError.shown(key))") }
            return
        }
        guard let total = CheckedArithmetic.product(count, size) else {
            throw cursor.truncated("key \(FormatError.shown(key))", needed: UInt64.max)
        }
        try cursor.advance(by: total, "key \(FormatError.shown(key))")
    }

    private static func alignment(_ fields: [String: GGUFField], bytes: Bytes, path: String) throws -> Int {
        let key = "general.alignment"
        guard let field = fields[key] else { return 32 }
        guard field.type == .u32, !field.isArray, let value = bytes.integer(at: field.offset, as: UInt32.self)
        else {
            throw FormatError.type(file: path, key: key, found: field.typeName, expected: "u32")
        }
        guard value > 0, value & (value - 1) == 0 else {
            throw FormatError.value(file: path, item: key, found: "\(value)", expected: "a power of two")
        }
        return Int(value)
    }

    /// Checks that every tensor lies in the data and none overlaps another; offsets become those in the file.
    private static func place(
        _ tensors: [GGUFTensor], headerEnd: Int, alignment: Int, _ bytes: Bytes, _ path: String
    ) throws -> [GGUFTensor] {
        guard !tensors.isEmpty else { return [] }
        guard let start = CheckedArithmetic.alignedUp(headerEnd, to: alignment), start <= bytes.count else {
            throw FormatError.truncated(
                file: path, item: "the padding after the header", offset: headerEnd,
                needed: UInt64(alignment), available: bytes.count - headerEnd)
        }
        let bound = bytes.count - start
        var placed: [GGUFTensor] = []
        placed.reserveCapacity(tensors.count)
        for tensor in tensors {
            guard let offset = CheckedArithmetic.size(tensor.storedOffset),
                CheckedArithmetic.end(offset: offset, count: tensor.byteCount, within: bound) != nil,
                let inFile = CheckedArithmetic.sum(start, offset)
            else {
                throw FormatError.range(
                    file: path, tensor: tensor.name, offset: tensor.storedOffset,
                    count: UInt64(tensor.byteCount), bound: bound)
            }
            placed.append(tensor.placed(at: inFile))
        }
        let sorted = placed.sorted { $0.offset < $1.offset }
        for (previous, next) in zip(sorted, sorted.dropFirst())
        where next.offset - previous.offset < previous.byteCount {
            throw FormatError.overlap(
                file: path, tensor: next.name, other: previous.name, offset: next.offset - start)
        }
        return placed
    }
}
