/// Attributes, subscripts and slices. Only given values are looked into: no way leads to an object's class.
extension Evaluator {
    /// `value.name`: a method where Python has one, else the mapping's item.
    func attribute(_ name: String, of value: Value) throws(TemplateError) -> Value {
        if let method = method(name, of: value) { return method }
        if case .object(let object) = value, let item = object[name] { return item }
        return try plainAttribute(name, of: value)
    }

    /// `value[key]`: the item, else for a string the attribute of that name.
    func item(_ key: Value, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw failure(undefined)
        case .object(let object):
            if let key = try self.key(of: key), let item = object[key] { return item }
        case .list(let elements), .tuple(let elements):
            if let item = Self.element(key, of: elements.items) { return item }
        case .view(let view) where view.isRange:
            if let item = Self.element(key, of: view.elements.items) { return item }
        case .text(let text):
            if let index = key.wholeNumber {
                try spend(bytes: text.bytes.count)
                let count = text.count
                let position = index < 0 ? index + count : index
                if position >= 0, position < count { return .text(text.slice(position..<position + 1)) }
            }
        default: break
        }
        guard case .text(let name) = key else {
            return .undefined(Value.Undefined(why: "\(value.kindName) has no such element"))
        }
        try spend(bytes: name.bytes.count)
        let string = name.string
        if let method = method(string, of: value) { return method }
        return try plainAttribute(string, of: value)
    }

    private func plainAttribute(_ name: String, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw failure(undefined)
        case .namespace(let number):
            if let value = try namespaceValue(number, name) { return value }
        case .loop(let loop):
            if let value = loopAttribute(name, loop) { return value }
        case .macro(let number) where name == "name":
            return .text(Text(macroName(number)))
        default: break
        }
        let shown = name.count > 40 ? name.prefix(40) + "..." : name
        if name.hasPrefix("_") {
            let why = "reading the attribute '\(shown)' of \(value.kindName)"
            return .undefined(Value.Undefined(why: why, isRefused: true))
        }
        return .undefined(Value.Undefined(why: "\(value.kindName) has no attribute '\(shown)'"))
    }

    private func method(_ name: String, of value: Value) -> Value? {
        let isMethod: Bool
        var changes = false
        switch value {
        case .text: isMethod = Self.textMethods.contains(name)
        case .object:
            isMethod = Self.objectMethods.contains(name)
            changes = Self.changingObjectMethods.contains(name)
        case .list:
            isMethod = Self.listMethods.contains(name)
            changes = Self.changingListMethods.contains(name)
        case .tuple: isMethod = Self.tupleMethods.contains(name)
        case .loop: isMethod = name == "cycle" || name == "changed"
        default: isMethod = false
        }
        if changes {
            let why = "'\(name)', which changes \(value.kindName),"
            return .undefined(Value.Undefined(why: why, isRefused: true))
        }
        return isMethod ? .method(Value.Method(receiver: value, name: name)) : nil
    }

    private static func element(_ key: Value, of items: [Value]) -> Value? {
        guard let index = key.wholeNumber else { return nil }
        let position = index < 0 ? index + items.count : index
        return items.indices.contains(position) ? items[position] : nil
    }

    private func loopAttribute(_ name: String, _ loop: Value.LoopState) -> Value? {
        let items = loop.elements.items
        switch name {
        case "index": return .integer(loop.index + 1)
        case "index0": return .integer(loop.index)
        case "revindex": return .integer(items.count - loop.index)
        case "revindex0": return .integer(items.count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index + 1 >= items.count)
        case "length": return .integer(items.count)
        case "depth": return .integer(1)
        case "depth0": return .integer(0)
        case "previtem":
            if items.indices.contains(loop.index - 1) { return items[loop.index - 1] }
            return .undefined(Value.Undefined(why: "there is no previous item"))
        case "nextitem":
            if items.indices.contains(loop.index + 1) { return items[loop.index + 1] }
            return .undefined(Value.Undefined(why: "there is no next item"))
        default: return nil
        }
    }

    func slice(_ value: Value, start: Int?, end: Int?, stride: Int) throws(TemplateError) -> Value {
        guard stride != 0 else { throw .invalid(line: line, problem: "a slice cannot have the step 0") }
        switch value {
        case .text(let text):
            try spend(bytes: text.bytes.count)
            let picked = Self.positions(count: text.count, start, end, stride)
            if stride == 1, let first = picked.first {
                return .text(text.slice(first..<first + picked.count))
            }
            let scalars = text.scalars
            try spend(picked.count)
            return .text(Text(scalars: picked.map { scalars[$0] }))
        case .list(let elements):
            return try makeList(
                Self.positions(count: elements.items.count, start, end, stride).map { elements.items[$0] })
        case .tuple(let elements):
            return try makeTuple(
                Self.positions(count: elements.items.count, start, end, stride).map { elements.items[$0] })
        case .view(let view) where view.isRange:
            let items = view.elements.items
            return try makeList(Self.positions(count: items.count, start, end, stride).map { items[$0] })
        case .undefined(let undefined): throw failure(undefined)
        default: throw .invalid(line: line, problem: "\(value.kindName) cannot be sliced")
        }
    }

    /// The positions a slice picks, by Python's rules for bounds which are missing, negative or too large.
    private static func positions(count: Int, _ start: Int?, _ end: Int?, _ stride: Int) -> [Int] {
        func clamped(_ bound: Int?, missing: Int) -> Int {
            guard let bound else { return missing }
            let position = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
            return stride > 0 ? min(max(position, 0), count) : min(max(position, -1), count - 1)
        }
        let first = clamped(start, missing: stride > 0 ? 0 : count - 1)
        let last = clamped(end, missing: stride > 0 ? count : -1)
        // No step need be longer than the text; this keeps the walk from overflowing.
        let step = min(max(stride, -count - 1), count + 1)
        return Array(Swift.stride(from: first, to: last, by: step))
    }
}
