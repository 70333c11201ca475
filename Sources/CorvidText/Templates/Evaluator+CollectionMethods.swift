/// The methods of lists, tuples and mappings which do not change them, and those of `loop`.
extension Evaluator {
    static let objectMethods: Set<String> = ["get", "items", "keys", "values", "copy"]
    static let listMethods: Set<String> = ["index", "count", "copy"]
    static let tupleMethods: Set<String> = ["index", "count"]

    /// Methods of Python which change their value: a template may not.
    static let changingObjectMethods: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
    static let changingListMethods: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]

    func callCollectionMethod(
        _ name: String, _ receiver: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else {
            throw .invalid(line: line, problem: "'\(name)' takes no named arguments")
        }
        switch receiver {
        case .object(let object): return try callObjectMethod(name, object, arguments)
        case .list(let elements), .tuple(let elements):
            if name == "copy" {
                _ = try bind(arguments, of: "'copy'", to: [])
                return receiver
            }
            let wanted = try bind(arguments, of: "'\(name)'", to: ["value"], required: 1)[0] ?? .none
            var count = 0
            for (index, item) in elements.items.enumerated() where try areEqual(item, wanted) {
                if name == "index" { return .integer(index) }
                count += 1
            }
            guard name == "count" else { throw .invalid(line: line, problem: "'index' finds nothing") }
            return .integer(count)
        default: throw .invalid(line: line, problem: "\(receiver.kindName) has no method '\(name)'")
        }
    }

    private func callObjectMethod(
        _ name: String, _ object: ValueObject, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        if name == "get" {
            let bound = try bind(arguments, of: "'get'", to: ["key", "default"], required: 1)
            guard let key = try key(of: bound[0] ?? .none) else { return bound[1] ?? .none }
            return object[key] ?? bound[1] ?? .none
        }
        _ = try bind(arguments, of: "'\(name)'", to: [])
        switch name {
        case "items": return .view(Value.View(kind: .items, elements: try elements(try items(of: object))))
        case "keys": return .view(Value.View(kind: .keys, elements: try elements(object.entries.map(\.key))))
        case "values":
            return .view(Value.View(kind: .values, elements: try elements(object.entries.map(\.value))))
        default: return .object(object)
        }
    }

    /// The entries as pairs.
    func items(of object: ValueObject) throws(TemplateError) -> [Value] {
        var pairs: [Value] = []
        for entry in object.entries {
            pairs.append(try makeTuple([entry.key, entry.value]))
        }
        return pairs
    }

    func callLoopMethod(
        _ name: String, _ loop: Value.LoopState, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else {
            throw .invalid(line: line, problem: "'\(name)' takes no named arguments")
        }
        let values = arguments.positional
        if name == "cycle" {
            guard !values.isEmpty else { throw .invalid(line: line, problem: "'cycle' needs values") }
            return values[loop.index % values.count]
        }
        var isChanged = true
        if let last = loop.lastChanged, last.count == values.count {
            isChanged = false
            for (a, b) in zip(last, values) where !(try areEqual(a, b)) {
                isChanged = true
            }
        }
        if isChanged { loop.lastChanged = values }
        return .bool(isChanged)
    }
}
