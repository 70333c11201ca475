import CorvidText

/// Typed access to the metadata. Each returns nil if the key is absent, and throws
/// ``FormatError/type(file:key:found:expected:)`` if it holds another type.
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
        case .f32, .f64: return part.float(field.type, at: field.offset).map { .float($0) }
        default: return part.integer(field.type, at: field.offset).map { .integer(Int64($0)) }
        }
    }

    /// Whether the metadata has `key`.
    public func has(_ key: String) -> Bool { metadataPart?.fields[key] != nil }

    /// Number of values of an array, 1 for a plain value.
    public func count(of key: String) -> Int? { metadataPart?.fields[key]?.count }

    public func string(_ key: String) throws -> String? { try metadataPart?.string(key) }

    /// An integer of any width.
    public func integer(_ key: String) throws -> Int? { try metadataPart?.integer(key) }

    public func float(_ key: String) throws -> Double? { try metadataPart?.float(key) }

    public func bool(_ key: String) throws -> Bool? { try metadataPart?.bool(key) }

    public func strings(_ key: String) throws -> [String]? { try metadataPart?.strings(key) }

    /// An array of texts as their bytes, which need not be UTF-8; faster than ``strings(_:)``.
    public func byteStrings(_ key: String) throws -> ByteStrings? { try metadataPart?.byteStrings(key) }

    public func integers(_ key: String) throws -> [Int]? { try metadataPart?.integers(key) }

    public func floats(_ key: String) throws -> [Float]? { try metadataPart?.floats(key) }
}
