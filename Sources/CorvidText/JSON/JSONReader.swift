extension JSON {
    /// Reads one JSON text.
    ///
    /// - Parameters:
    ///   - bytes: the text, UTF-8.
    ///   - limits: bounds on nesting and size.
    ///   - duplicateKeys: whether a key may occur twice in one object.
    /// - Throws: `JSONError` with the place of the first fault.
    public static func parse(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits(), duplicateKeys: JSONDuplicateKeys = .refuse
    ) throws(JSONError) -> JSON {
        var scanner = JSONScanner(bytes, limits: limits)
        let value = try scanner.readValue(duplicateKeys: duplicateKeys)
        try scanner.finish()
        return value
    }

    /// Reads one JSON text.
    public static func parse(
        _ text: String, limits: JSONLimits = JSONLimits(), duplicateKeys: JSONDuplicateKeys = .refuse
    ) throws(JSONError) -> JSON {
        try parse(Array(text.utf8), limits: limits, duplicateKeys: duplicateKeys)
    }
}

extension JSONScanner {
    /// Reads the next value as a tree.
    public mutating func readValue(duplicateKeys: JSONDuplicateKeys = .refuse) throws(JSONError) -> JSON {
        var budget = limits.values
        return try readTree(duplicateKeys: duplicateKeys, budget: &budget)
    }

    /// Recursion is bounded by the depth limit, which `beginArray` and `beginObject` hold.
    private mutating func readTree(
        duplicateKeys: JSONDuplicateKeys, budget: inout Int
    ) throws(JSONError) -> JSON {
        guard budget > 0 else { throw error("more than \(limits.values) values") }
        budget -= 1
        switch try peek() {
        case .null:
            try readNull()
            return .null
        case .bool: return .bool(try readBool())
        case .number: return try readNumber()
        case .string: return .string(try readString())
        case .array:
            var elements: [JSON] = []
            try beginArray()
            while try nextElement() {
                elements.append(try readTree(duplicateKeys: duplicateKeys, budget: &budget))
            }
            return .array(elements)
        case .object:
            var object = JSONObject()
            try beginObject()
            while let key = try nextKey() {
                let place = offset
                let value = try readTree(duplicateKeys: duplicateKeys, budget: &budget)
                guard object.insert(key: key, value: value, duplicateKeys: duplicateKeys) else {
                    throw JSONError("the key \"\(key.prefix(80))\" occurs twice", at: place, in: bytes)
                }
            }
            return .object(object)
        }
    }
}
