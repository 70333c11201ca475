import CorvidTensors
import CorvidText

/// Decodes the metadata values of one file. Each returns nil if the key is absent, and throws
/// ``FormatError/type(file:key:found:expected:)`` if it holds another type.
extension GGUFPart {
    func string(_ key: String) throws -> String? {
        guard let field = try plain(key, "string", where: { $0 == .string }) else { return nil }
        return try strings(field, key).first
    }

    /// An integer of any width.
    func integer(_ key: String) throws -> Int? {
        guard let field = try plain(key, "an integer", where: \.isInteger) else { return nil }
        return try integers(field, key).first
    }

    func float(_ key: String) throws -> Double? {
        guard let field = try plain(key, "f32 or f64", where: \.isFloat) else { return nil }
        return float(field.type, at: field.offset)
    }

    func bool(_ key: String) throws -> Bool? {
        guard let field = try plain(key, "bool", where: { $0 == .bool }) else { return nil }
        return bytes.integer(at: field.offset, as: UInt8.self).map { $0 != 0 }
    }

    func strings(_ key: String) throws -> [String]? {
        try array(key, "array of string", where: { $0 == .string }).map { try strings($0, key) }
    }

    func byteStrings(_ key: String) throws -> ByteStrings? {
        guard let field = try array(key, "array of string", where: { $0 == .string }) else { return nil }
        let item = "key \(FormatError.shown(key))"
        let size = field.end - field.offset
        var cursor = ByteCursor(bytes, file: path, offset: field.offset)
        guard let packed = bytes.array(offset: field.offset, count: size) else {
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

    func integers(_ key: String) throws -> [Int]? {
        try array(key, "array of integers", where: \.isInteger).map { try integers($0, key) }
    }

    func floats(_ key: String) throws -> [Float]? {
        guard let field = try array(key, "array of f32 or f64", where: \.isFloat) else { return nil }
        let size = field.type == .f64 ? 8 : 4
        return (0..<field.count).map { index in
            // The multiplication cannot overflow: the array's extent was checked when the file was opened.
            Float(float(field.type, at: field.offset + index * size) ?? 0)
        }
    }

    // MARK: Fields

    private func plain(
        _ key: String, _ expected: String, where isRight: (GGUFValueType) -> Bool
    ) throws -> GGUFField? {
        try field(key, expected) { !$0.isArray && isRight($0.type) }
    }

    private func array(
        _ key: String, _ expected: String, where isRight: (GGUFValueType) -> Bool
    ) throws -> GGUFField? {
        try field(key, expected) { $0.isArray && isRight($0.type) }
    }

    private func field(
        _ key: String, _ expected: String, where isRight: (GGUFField) -> Bool
    ) throws -> GGUFField? {
        guard let field = fields[key] else { return nil }
        guard isRight(field) else {
            throw FormatError.type(file: path, key: key, found: field.typeName, expected: expected)
        }
        return field
    }

    private func strings(_ field: GGUFField, _ key: String) throws -> [String] {
        var cursor = ByteCursor(bytes, file: path, offset: field.offset)
        var result: [String] = []
        result.reserveCapacity(field.count)
        for _ in 0..<field.count {
            let extent = try cursor.textExtent("key \(FormatError.shown(key))")
            guard let text = bytes.string(offset: extent.offset, count: extent.count) else {
                throw FormatError.text(
                    file: path, item: "key \(FormatError.shown(key))", offset: extent.offset)
            }
            result.append(text)
        }
        return result
    }

    private func integers(_ field: GGUFField, _ key: String) throws -> [Int] {
        let size = field.type.byteCount ?? 8
        return try (0..<field.count).map { index in
            let offset = field.offset + index * size
            guard let value = integer(field.type, at: offset) else {
                let found = bytes.integer(at: offset, as: UInt64.self).map(String.init) ?? "unreadable"
                throw FormatError.value(
                    file: path, item: "key \(FormatError.shown(key))", found: found,
                    expected: "less than 2^63")
            }
            return value
        }
    }

    // MARK: Numbers

    func integer(_ type: GGUFValueType, at offset: Int) -> Int? {
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

    func float(_ type: GGUFValueType, at offset: Int) -> Double? {
        switch type {
        case .f32: bytes.integer(at: offset, as: UInt32.self).map { Double(Float(bitPattern: $0)) }
        case .f64: bytes.integer(at: offset, as: UInt64.self).map { Double(bitPattern: $0) }
        default: nil
        }
    }
}
