import CorvidTensors
import CorvidText

/// Typed access to the metadata. Each returns nil if the key is absent and throws
/// ``FormatError/type(file:key:found:expected:)``
/// if it holds another type.
extension GGUFFile {
    /// All keys and values, in file order; arrays are summarised.
    public var metadata: [(key: String, value: GGUFValue)] {
        keys.compactMap { key in value(key).map { (key, $0) } }
    }

    /// The value of `key` for people to look at; nil if absent or not readable.
    public func value(_ key: String) -> GGUFValue? {
        guard let part = metadataPart, let field = part.fields[key] else { return nil }
        if field.isArray { return .array(element: field.type.name, count: field.count) }
        switch field.type {
        case .u64: return part.bytes.integer(at: field.offset, as: UInt64.self).map { .unsigned($0) }
        case .string: return (try? string(key))?.map { .string($0) } ?? nil
        case .bool: return part.bytes.integer(at: field.offset, as: UInt8.self).map { .bool($0 != 0) }
        case .f32, .f64: return Self.float(part.bytes, field.type, at: field.offset).map { .float($0) }
        default: return Self.integer(part.bytes, field.type, at: field.offset).map { .integer(Int64($0)) }
        }
    }

    /// Whether the metadata has `key`.
    public func has(_ key: String) -> Bool { metadataPart?.fields[key] != nil }

    /// Number of values of an array, 1 for a plain value.
    public func count(of key: String) -> Int? { metadataPart?.fields[key]?.count }

    public func string(_ key: String) throws -> String? {
        guard let (part, field) = try plain(key, "string", where: { $0 == .string }) else { return nil }
        return try Self.strings(part, field, key).first
    }

    /// An integer of any width.
    public func integer(_ key: String) throws -> Int? {
        guard let (part, field) = try plain(key, "an integer", where: \.isInteger) else { return nil }
        return try Self.integers(part, field, key).first
    }

    public func float(_ key: String) throws -> Double? {
        guard let (part, field) = try plain(key, "f32 or f64", where: \.isFloat) else { return nil }
        return Self.float(part.bytes, field.type, at: field.offset)
    }

    public func bool(_ key: String) throws -> Bool? {
        guard let (part, field) = try plain(key, "bool", where: { $0 == .bool }) else { return nil }
        return part.bytes.integer(at: field.offset, as: UInt8.self).map { $0 != 0 }
    }

    public func strings(_ key: String) throws -> [String]? {
        guard let (part, field) = try array(key, "array of string", where: { $0 == .string }) else {
            return nil
        }
        return try Self.strings(part, field, key)
    }

    /// An array of texts as their bytes, which need not be UTF-8; faster than ``strings(_:)``.
    public func byteStrings(_ key: String) throws -> ByteStrings? {
        guard let (part, field) = try array(key, "array of string", where: { $0 == .string }) else {
            return nil
        }
        let item = "key \(FormatError.shown(key))"
        let size = field.end - field.offset
        var cursor = ByteCursor(part.bytes, file: part.path, offset: field.offset)
        guard let packed = part.bytes.array(offset: field.offset, count: size) else {
            throw cursor.truncated(item, needed: UInt64(size))
        }
        var result = ByteStrings(capacity: field.count, bytes: size)
        for _ in 0..<field.count {
            let extent = try cursor.textExtent(item)
            let start = extent.offset - field.offset
            result.append(packed[start..<start + extent.count])
        }
        return result
    }

    public func integers(_ key: String) throws -> [Int]? {
        guard let (part, field) = try array(key, "array of integers", where: \.isInteger) else { return nil }
        return try Self.integers(part, field, key)
    }

    public func floats(_ key: String) throws -> [Float]? {
        guard let (part, field) = try array(key, "array of f32 or f64", where: \.isFloat) else { return nil }
        let size = field.type == .f64 ? 8 : 4
        return (0..<field.count).map { index in
            // The multiplication cannot overflow: the array's extent was checked when the file was opened.
            Float(Self.float(part.bytes, field.type, at: field.offset + index * size) ?? 0)
        }
    }

    // MARK: Decoding

    private func plain(
        _ key: String, _ expected: String, where isRight: (GGUFValueType) -> Bool
    ) throws -> (GGUFPart, GGUFField)? {
        guard let part = metadataPart, let field = part.fields[key] else { return nil }
        guard !field.isArray, isRight(field.type) else {
            throw FormatError.type(file: part.path, key: key, found: field.typeName, expected: expected)
        }
        return (part, field)
    }

    private func array(
        _ key: String, _ expected: String, where isRight: (GGUFValueType) -> Bool
    ) throws -> (GGUFPart, GGUFField)? {
        guard let part = metadataPart, let field = part.fields[key] else { return nil }
        guard field.isArray, isRight(field.type) else {
            throw FormatError.type(file: part.path, key: key, found: field.typeName, expected: expected)
        }
        return (part, field)
    }

    private static func strings(_ part: GGUFPart, _ field: GGUFField, _ key: String) throws -> [String] {
        var cursor = ByteCursor(part.bytes, file: part.path, offset: field.offset)
        var result: [String] = []
        result.reserveCapacity(field.count)
        for _ in 0..<field.count {
            let extent = try cursor.textExtent("key \(FormatError.shown(key))")
            guard let text = part.bytes.string(offset: extent.offset, count: extent.count) else {
                throw FormatError.text(
                    file: part.path, item: "key \(FormatError.shown(key))", offset: extent.offset)
            }
            result.append(text)
        }
        return result
    }

    private static func integers(_ part: GGUFPart, _ field: GGUFField, _ key: String) throws -> [Int] {
        let size = field.type.byteCount ?? 8
        return try (0..<field.count).map { index in
            let offset = field.offset + index * size
            guard let value = integer(part.bytes, field.type, at: offset) else {
                let found = part.bytes.integer(at: offset, as: UInt64.self).map(String.init) ?? "unreadable"
                throw FormatError.value(
                    file: part.path, item: "key \(FormatError.shown(key))", found: found,
                    expected: "less than 2^63")
            }
            return value
        }
    }

    private static func integer(_ bytes: Bytes, _ type: GGUFValueType, at offset: Int) -> Int? {
        switch type {
        case .u8: bytes.integer(at: offset, as: UInt8.self).map(Int.init)
        case .i8: bytes.integer(at: offset, as: Int8.self).map(Int.init)
        case .u16: bytes.integer(at: offset, as: UInt16.self).map(Int.init)
        case .i16: bytes.integer(at: offset, as: Int16.self).map(Int.init)
        case .u32: bytes.integer(at: offset, as: UInt32.self).map(Int.init)
        case .i32: bytes.integer(at: offset, as: Int32.self).map(Int.init)
        case .i64: bytes.integer(at: offset, as: Int64.self).map(Int.init)
        case .u64: bytes.integer(at: offset, as: UInt64.self).flatMap { Int(exactly: $0) }
        case .f32, .f64, .bool, .string, .array: nil
        }
    }

    private static func float(_ bytes: Bytes, _ type: GGUFValueType, at offset: Int) -> Double? {
        switch type {
        case .f32: bytes.integer(at: offset, as: UInt32.self).map { Double(Float(bitPattern: $0)) }
        case .f64: bytes.integer(at: offset, as: UInt64.self).map { Double(bitPattern: $0) }
        default: nil
        }
    }
}
