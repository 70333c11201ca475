/// Making values within the limits, and looking into them.
extension Evaluator {
    func makeText(_ bytes: [UInt8]) throws(TemplateError) -> Value {
        .text(try checked(Text(bytes: bytes)))
    }

    func checked(_ text: Text) throws(TemplateError) -> Text {
        try spend(bytes: text.bytes.count)
        try checkLength(text.bytes.count)
        return text
    }

    func checkLength(_ bytes: Int) throws(TemplateError) {
        guard bytes <= TemplateLimits.outputBytes else { throw .limit(line: line, limit: .output) }
    }

    func elements(_ items: [Value]) throws(TemplateError) -> Value.Elements {
        try spend(items.count)
        var depth = 0
        for item in items {
            depth = max(depth, item.depth)
        }
        guard depth < TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        return Value.Elements(items: items, depth: depth + 1)
    }

    func makeList(_ items: [Value]) throws(TemplateError) -> Value { .list(try elements(items)) }
    func makeTuple(_ items: [Value]) throws(TemplateError) -> Value { .tuple(try elements(items)) }

    func makeTexts(_ parts: [Text]) throws(TemplateError) -> Value {
        var bytes = 0
        for part in parts {
            bytes += part.bytes.count
        }
        try spend(bytes: bytes)
        return try makeList(parts.map { .text($0) })
    }

    func makeGenerator(_ items: [Value]) throws(TemplateError) -> Value {
        .generator(Value.Generator(try elements(items)))
    }

    /// A mapping; a later value of a key replaces an earlier one in its place.
    func makeObject(_ pairs: [(key: Value, value: Value)]) throws(TemplateError) -> Value {
        try spend(pairs.count)
        var entries: [(key: Value, value: Value)] = []
        var positions: [ValueObject.Key: Int] = [:]
        var depth = 0
        for pair in pairs {
            guard let key = try key(of: pair.key) else {
                throw .invalid(line: line, problem: "\(pair.key.kindName) cannot be a key")
            }
            depth = max(depth, pair.value.depth, pair.key.depth)
            if let position = positions[key] {
                entries[position].value = pair.value
            } else {
                positions[key] = entries.count
                entries.append(pair)
            }
        }
        guard depth < TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        return .object(ValueObject(entries: entries, positions: positions, depth: depth + 1))
    }

    /// The key a value makes, or nil if it cannot be one.
    func key(of value: Value) throws(TemplateError) -> ValueObject.Key? {
        try spend(1)
        switch value {
        case .undefined: return .undefined
        case .none: return ValueObject.Key.none
        case .bool(let value): return .integer(value ? 1 : 0)
        case .integer(let value): return .integer(value)
        case .number(let value): return Int(exactly: value).map { .integer($0) } ?? .number(value)
        case .text(let text):
            try spend(bytes: text.bytes.count)
            return .text(text)
        case .tuple(let elements):
            var keys: [ValueObject.Key] = []
            for item in elements.items {
                guard let key = try key(of: item) else { return nil }
                keys.append(key)
            }
            return .tuple(keys)
        default: return nil
        }
    }

    /// The elements of anything that can be walked through.
    func iterate(_ value: Value, for purpose: String = "a loop") throws(TemplateError) -> [Value] {
        switch value {
        case .undefined: return []
        case .list(let elements), .tuple(let elements): return elements.items
        case .view(let view): return view.elements.items
        case .generator(let generator): return generator.take()
        case .object(let object):
            try spend(object.entries.count)
            return object.entries.map(\.key)
        case .text(let text):
            try spend(text.bytes.count)
            return text.string.unicodeScalars.map { .text(Text(scalars: CollectionOfOne($0))) }
        default:
            throw .invalid(line: line, problem: "\(value.kindName) cannot be walked through by \(purpose)")
        }
    }

    /// As `string`, for what looks at every code point.
    func scannedString(_ value: Value) throws(TemplateError) -> Text {
        let text = try string(value)
        try spend(text.bytes.count / 8)
        return text
    }

    /// The number of elements or code points.
    func length(of value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: return 0
        case .text(let text):
            try spend(bytes: text.bytes.count)
            return text.count
        case .list(let elements), .tuple(let elements): return elements.items.count
        case .object(let object): return object.entries.count
        case .view(let view): return view.elements.items.count
        case .loop(let loop): return loop.elements.items.count
        default: throw .invalid(line: line, problem: "\(value.kindName) has no length")
        }
    }

    /// The text a value prints as.
    func string(_ value: Value) throws(TemplateError) -> Text {
        if case .text(let text) = value {
            try spend(bytes: text.bytes.count)
            return text
        }
        var bytes: [UInt8] = []
        try write(value, to: &bytes)
        return try checked(Text(bytes: bytes))
    }
}
