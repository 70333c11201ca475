/// Filters on lists and other things that can be walked through.
extension Evaluator {
    func listFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'list'", to: [])
        return try makeList(try iterate(value, for: "filter 'list'"))
    }

    func firstFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'first'", to: [])
        return try iterate(value, for: "filter 'first'").first ?? Self.noItem
    }

    func lastFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'last'", to: [])
        if case .generator = value {
            throw .invalid(line: line, problem: "filter 'last' cannot be applied to \(value.kindName)")
        }
        return try iterate(value, for: "filter 'last'").last ?? Self.noItem
    }

    private static let noItemReason = "the first or last item of an empty sequence is undefined"
    private static var noItem: Value { .undefined(Value.Undefined(why: noItemReason)) }

    func joinFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'join'", to: ["d", "attribute"])
        let separator = bound[0] == nil ? "" : try string(bound[0] ?? .none)
        var items = try iterate(value, for: "filter 'join'")
        if let path = bound[1], !path.isNone { items = try attributes(path, of: items) }
        return try join(items, by: separator, onlyTexts: false)
    }

    func reverseFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'reverse'", to: [])
        if case .text = value { return try slice(value, start: nil, end: nil, stride: -1) }
        let items = Array(try iterate(value, for: "filter 'reverse'").reversed())
        if case .generator = value { return try makeList(items) }
        return try makeGenerator(items)
    }

    func sumFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'sum'", to: ["attribute", "start"])
        var items = try iterate(value, for: "filter 'sum'")
        if let path = bound[0], !path.isNone { items = try attributes(path, of: items) }
        var total = bound[1] ?? .integer(0)
        if case .text = total { throw .invalid(line: line, problem: "filter 'sum' does not add up strings") }
        for item in items {
            total = try calculate(total, .add, item)
        }
        return total
    }

    func minFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try extreme(value, arguments, "min") { (evaluator, best, item) throws(TemplateError) in
            try evaluator.isLess(item, best)
        }
    }

    func maxFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try extreme(value, arguments, "max") { (evaluator, best, item) throws(TemplateError) in
            try evaluator.isLess(best, item)
        }
    }

    private func extreme(
        _ value: Value, _ arguments: Arguments, _ name: String,
        isBetter: (Evaluator, Value, Value) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter '\(name)'", to: ["case_sensitive", "attribute"])
        let caseMatters = bound[0]?.isTrue ?? false
        var best: (value: Value, key: Value)?
        for item in try iterate(value, for: "filter '\(name)'") {
            let key = try sortKey(try attribute(bound[1] ?? .none, of: item), caseMatters: caseMatters)
            if let current = best, !(try isBetter(self, current.key, key)) { continue }
            best = (item, key)
        }
        return best?.value
            ?? .undefined(Value.Undefined(why: "the \(name) of an empty sequence is undefined"))
    }

    func sortFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'sort'", to: ["reverse", "case_sensitive", "attribute"])
        let items = try iterate(value, for: "filter 'sort'")
        var paths: [Value] = [bound[2] ?? .none]
        if case .text(let text)? = bound[2] {
            try spend(text.bytes.count)
            paths = text.split(by: ",", limit: -1, fromEnd: false).map { .text($0) }
        }
        var keys: [[Value]] = []
        for item in items {
            var key: [Value] = []
            for path in paths {
                key.append(try attribute(path, of: item))
            }
            keys.append(key)
        }
        return try makeList(
            try sorted(
                items, keys: keys, caseMatters: bound[1]?.isTrue ?? false,
                isReversed: bound[0]?.isTrue ?? false))
    }

    func uniqueFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'unique'", to: ["case_sensitive", "attribute"])
        var seen: Set<ValueObject.Key> = []
        var kept: [Value] = []
        for item in try iterate(value, for: "filter 'unique'") {
            let value = try attribute(bound[1] ?? .none, of: item)
            guard let key = try key(of: try sortKey(value, caseMatters: bound[0]?.isTrue ?? false)) else {
                throw .invalid(line: line, problem: "filter 'unique' cannot tell \(value.kindName) apart")
            }
            if seen.insert(key).inserted { kept.append(item) }
        }
        return try makeGenerator(kept)
    }

    // MARK: Choosing and mapping

    func mapFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard value.isTrue else { return try makeGenerator([]) }
        let items = try iterate(value, for: "filter 'map'")
        var results: [Value] = []
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let bound = try bind(arguments, of: "filter 'map'", to: ["attribute", "default"])
            for item in items {
                let found = try attribute(bound[0] ?? .none, of: item, standard: bound[1])
                results.append(found)
            }
            return try makeGenerator(results)
        }
        let (name, rest) = try firstName(arguments, of: "filter 'map'")
        for item in items {
            try spend(1)
            results.append(try filter(name, item, rest))
        }
        return try makeGenerator(results)
    }

    func selectFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try chosen(value, arguments, "select", byAttribute: false, keeping: true)
    }

    func rejectFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try chosen(value, arguments, "reject", byAttribute: false, keeping: false)
    }

    func selectattrFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try chosen(value, arguments, "selectattr", byAttribute: true, keeping: true)
    }

    func rejectattrFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try chosen(value, arguments, "rejectattr", byAttribute: true, keeping: false)
    }

    private func chosen(
        _ value: Value, _ arguments: Arguments, _ name: String, byAttribute: Bool, keeping wanted: Bool
    ) throws(TemplateError) -> Value {
        guard value.isTrue else { return try makeGenerator([]) }
        var arguments = arguments
        var path = Value.none
        if byAttribute {
            guard !arguments.positional.isEmpty else {
                throw .invalid(line: line, problem: "filter '\(name)' needs an attribute")
            }
            path = arguments.positional.removeFirst()
        }
        var kept: [Value] = []
        for item in try iterate(value, for: "filter '\(name)'") {
            try spend(1)
            let examined = byAttribute ? try attribute(path, of: item) : item
            var holds = examined.isTrue
            if !arguments.positional.isEmpty {
                let (test, rest) = try firstName(arguments, of: "filter '\(name)'")
                holds = try self.test(test, examined, rest)
            }
            if holds == wanted { kept.append(item) }
        }
        return try makeGenerator(kept)
    }

    private func firstName(
        _ arguments: Arguments, of callee: String
    ) throws(TemplateError) -> (String, Arguments) {
        guard let first = arguments.positional.first else {
            throw .invalid(line: line, problem: "\(callee) needs a name")
        }
        var rest = arguments
        rest.positional.removeFirst()
        return (try text(first, "the name given to \(callee)").string, rest)
    }

    // MARK: Attributes and keys

    private func attributes(_ path: Value, of items: [Value]) throws(TemplateError) -> [Value] {
        var found: [Value] = []
        for item in items {
            found.append(try attribute(path, of: item))
        }
        return found
    }

    /// The value at a path such as `function.name` or `0`; the item itself for none.
    private func attribute(
        _ path: Value, of value: Value, standard: Value? = nil
    ) throws(TemplateError) -> Value {
        var value = value
        var parts: [Value] = path.isNone ? [] : [path]
        if case .text(let text) = path {
            try spend(bytes: text.bytes.count)
            parts = text.split(by: ".", limit: -1, fromEnd: false).map { part in
                Int(part.string).flatMap { $0 >= 0 && part.bytes.first != 0x2B ? .integer($0) : nil }
                    ?? .text(part)
            }
        }
        try spend(parts.count)
        for part in parts {
            value = try item(part, of: value)
            if value.isUndefined, let standard, !standard.isNone { value = standard }
        }
        return value
    }

    private func sortKey(_ value: Value, caseMatters: Bool) throws(TemplateError) -> Value {
        guard !caseMatters, case .text(let text) = value else { return value }
        try spend(text.bytes.count / 8)
        return .text(text.lowercased)
    }

    /// `items` by their keys, compared one after another; stable, also when reversed.
    func sorted(
        _ items: [Value], keys: [[Value]], caseMatters: Bool, isReversed: Bool
    ) throws(TemplateError) -> [Value] {
        var rows: [(item: Value, key: [Value])] = []
        for (item, key) in zip(items, keys) {
            var parts: [Value] = []
            for part in key {
                parts.append(try sortKey(part, caseMatters: caseMatters))
            }
            rows.append((item, parts))
        }
        let sorted = try sorted(rows) { (a, b) throws(TemplateError) in
            let (first, second) = isReversed ? (b, a) : (a, b)
            for (left, right) in zip(first.key, second.key) where !(try self.areEqual(left, right)) {
                return try self.isLess(left, right)
            }
            return false
        }
        return sorted.map(\.item)
    }
}
