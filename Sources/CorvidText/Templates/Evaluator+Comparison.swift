/// Equality, order and membership with Python's rules. Each look at a value costs a step, so that values
/// which share parts cannot make a comparison long.
extension Evaluator {
    func compare(
        _ left: Value, _ comparison: Expression.Comparison, _ right: Value
    ) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: try areEqual(left, right)
        case .notEqual: !(try areEqual(left, right))
        case .less: try isLess(left, right)
        case .greater: try isLess(right, left)
        case .lessOrEqual: try isLessOrEqual(left, right)
        case .greaterOrEqual: try isLessOrEqual(right, left)
        case .contained: try contains(right, left)
        case .notContained: !(try contains(right, left))
        }
    }

    func areEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try spend(1)
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.text(let a), .text(let b)):
            try spend(bytes: min(a.bytes.count, b.bytes.count))
            return a == b
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            return try areEqual(a.items, b.items)
        case (.object(let a), .object(let b)):
            guard a.entries.count == b.entries.count else { return false }
            for entry in a.entries {
                guard let key = try key(of: entry.key), let other = b[key], try areEqual(entry.value, other)
                else {
                    return false
                }
            }
            return true
        case (.view(let a), .view(let b)):
            if a.isRange != b.isRange || (!a.isRange && a.kind != b.kind) { return false }
            return try areEqual(a.elements.items, b.elements.items)
        case (.namespace(let a), .namespace(let b)), (.macro(let a), .macro(let b)): return a == b
        case (.function(let a), .function(let b)): return a == b
        case (.loop(let a), .loop(let b)): return a === b
        case (.generator(let a), .generator(let b)): return a === b
        case (.method(let a), .method(let b)):
            return a.name == b.name ? try areEqual(a.receiver, b.receiver) : false
        default:
            if let a = left.wholeNumber, let b = right.wholeNumber { return a == b }
            if let order = numericOrder(left, right) { return order == 0 }
            return false
        }
    }

    private func areEqual(_ left: [Value], _ right: [Value]) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (a, b) in zip(left, right) {
            guard try areEqual(a, b) else { return false }
        }
        return true
    }

    func isLess(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try spend(1)
        switch (left, right) {
        case (.text(let a), .text(let b)):
            try spend(bytes: min(a.bytes.count, b.bytes.count))
            return a < b
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (first, second) in zip(a.items, b.items) where !(try areEqual(first, second)) {
                return try isLess(first, second)
            }
            return a.items.count < b.items.count
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw failure(undefined)
        default:
            if let a = left.wholeNumber, let b = right.wholeNumber { return a < b }
            guard let a = left.doubleNumber, let b = right.doubleNumber else {
                throw .invalid(
                    line: line, problem: "\(left.kindName) and \(right.kindName) have no order between them")
            }
            // Whole numbers beyond 2^53 are compared exactly, which their nearest doubles would not be.
            if let order = numericOrder(left, right) { return order < 0 }
            return a < b
        }
    }

    private func isLessOrEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        if try isLess(left, right) { return true }
        return try areEqual(left, right)
    }

    /// -1, 0 or 1 for two numbers; nil if they are none or one is not a number.
    private func numericOrder(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.number(let a), .number(let b)): return a.isNaN || b.isNaN ? nil : a < b ? -1 : a > b ? 1 : 0
        case (.number, _):
            return numericOrder(right, left).map { -$0 }
        case (_, .number(let b)):
            guard let a = left.wholeNumber, !b.isNaN else { return nil }
            if let whole = Int(exactly: b.rounded(.down)) {
                return a < whole ? -1 : a > whole ? 1 : b > b.rounded(.down) ? -1 : 0
            }
            return b > 0 ? -1 : 1
        default: return nil
        }
    }

    /// Whether `value in container`.
    func contains(_ container: Value, _ value: Value) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = value else {
                throw .invalid(line: line, problem: "'in' a string needs a string, not \(value.kindName)")
            }
            try spend(bytes: text.bytes.count + part.bytes.count)
            return text.firstOffset(of: part) != nil
        case .object(let object):
            guard let key = try key(of: value) else {
                throw .invalid(line: line, problem: "\(value.kindName) cannot be a key")
            }
            return object[key] != nil
        default:
            for item in try iterate(container, for: "'in'") where try areEqual(item, value) {
                return true
            }
            return false
        }
    }

    /// `items` in order, equal ones as they were (merge sort).
    func sorted<Item>(
        _ items: [Item], by isLess: (Item, Item) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> [Item] {
        var runs = items.map { [$0] }
        while runs.count > 1 {
            var merged: [[Item]] = []
            var index = 0
            while index < runs.count {
                guard index + 1 < runs.count else {
                    merged.append(runs[index])
                    break
                }
                merged.append(try merge(runs[index], runs[index + 1], by: isLess))
                index += 2
            }
            runs = merged
        }
        return runs.first ?? []
    }

    private func merge<Item>(
        _ left: [Item], _ right: [Item], by isLess: (Item, Item) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> [Item] {
        var result: [Item] = []
        result.reserveCapacity(left.count + right.count)
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            try spend(1)
            if try isLess(right[j], left[i]) {
                result.append(right[j])
                j += 1
            } else {
                result.append(left[i])
                i += 1
            }
        }
        result += left[i...]
        result += right[j...]
        return result
    }
}
