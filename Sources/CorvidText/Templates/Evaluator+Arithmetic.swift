import Foundation

/// Arithmetic with Python's rules on 64-bit whole numbers; a result which does not fit is an error.
extension Evaluator {
    func calculate(
        _ left: Value, _ operation: Expression.Arithmetic, _ right: Value
    ) throws(TemplateError) -> Value {
        if operation == .remainder, case .text(let format) = left {
            return try makeText(try printf(format, right))
        }
        if let a = left.wholeNumber, let b = right.wholeNumber { return try calculate(a, operation, b) }
        if let a = left.doubleNumber, let b = right.doubleNumber { return try calculate(a, operation, b) }
        switch (operation, left, right) {
        case (_, .undefined(let undefined), _), (_, _, .undefined(let undefined)): throw failure(undefined)
        case (.add, .text(let a), .text(let b)):
            try checkLength(a.bytes.count + b.bytes.count)
            return try makeText(a.bytes + b.bytes)
        case (.add, .list(let a), .list(let b)):
            try spend(a.items.count + b.items.count)
            return try makeList(a.items + b.items)
        case (.add, .tuple(let a), .tuple(let b)):
            try spend(a.items.count + b.items.count)
            return try makeTuple(a.items + b.items)
        case (.multiply, _, _):
            if let count = right.wholeNumber, let value = try repeated(left, count) { return value }
            if let count = left.wholeNumber, let value = try repeated(right, count) { return value }
        default: break
        }
        throw .invalid(
            line: line,
            problem: "'\(operation.rawValue)' cannot be applied to \(left.kindName) and \(right.kindName)")
    }

    func negated(_ value: Value) throws(TemplateError) -> Value {
        if let whole = value.wholeNumber { return try calculate(0, .subtract, whole) }
        if case .number(let number) = value { return .number(-number) }
        return try number(value)
    }

    /// The value as a number, as unary plus gives it.
    func number(_ value: Value) throws(TemplateError) -> Value {
        if let whole = value.wholeNumber { return .integer(whole) }
        if case .number = value { return value }
        if case .undefined(let undefined) = value { throw failure(undefined) }
        throw .invalid(line: line, problem: "\(value.kindName) is not a number")
    }

    private func calculate(
        _ a: Int, _ operation: Expression.Arithmetic, _ b: Int
    ) throws(TemplateError) -> Value {
        let result: (partialValue: Int, overflow: Bool)
        switch operation {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide:
            guard b != 0 else { throw .invalid(line: line, problem: "division by zero") }
            return .number(Double(a) / Double(b))
        case .floorDivide, .remainder:
            guard b != 0 else { throw .invalid(line: line, problem: "division by zero") }
            let quotient = a.dividedReportingOverflow(by: b)
            let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
            // Python rounds towards minus infinity, so the remainder has the divisor's sign.
            let isBelow = remainder != 0 && (remainder < 0) != (b < 0)
            if operation == .remainder { return .integer(isBelow ? remainder + b : remainder) }
            result = (isBelow ? quotient.partialValue - 1 : quotient.partialValue, quotient.overflow)
        case .power:
            if b < 0 {
                guard a != 0 else { throw .invalid(line: line, problem: "division by zero") }
                return .number(pow(Double(a), Double(b)))
            }
            result = Self.power(a, b)
        }
        guard !result.overflow else { throw .invalid(line: line, problem: "a whole number exceeds 64 bits") }
        return .integer(result.partialValue)
    }

    private static func power(_ base: Int, _ exponent: Int) -> (partialValue: Int, overflow: Bool) {
        if base == 0 || base == 1 { return (exponent == 0 ? 1 : base, false) }
        if base == -1 { return (exponent.isMultiple(of: 2) ? 1 : -1, false) }
        guard exponent < 64 else { return (0, true) }
        var result = 1
        for _ in 0..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: base)
            if overflow { return (0, true) }
            result = product
        }
        return (result, false)
    }

    private func calculate(
        _ a: Double, _ operation: Expression.Arithmetic, _ b: Double
    ) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .number(a + b)
        case .subtract: return .number(a - b)
        case .multiply: return .number(a * b)
        case .divide, .floorDivide, .remainder:
            guard b != 0 else { throw .invalid(line: line, problem: "division by zero") }
            if operation == .divide { return .number(a / b) }
            var remainder = fmod(a, b)
            if remainder != 0, (remainder < 0) != (b < 0) { remainder += b }
            if operation == .remainder { return .number(remainder == 0 ? copysign(0, b) : remainder) }
            return .number(((a - remainder) / b).rounded())
        case .power:
            let result = pow(a, b)
            guard result.isFinite || !a.isFinite || !b.isFinite else {
                throw .invalid(line: line, problem: "this power is not a finite number")
            }
            return .number(result)
        }
    }

    /// A text, list or tuple several times over, or nil for other values.
    private func repeated(_ value: Value, _ count: Int) throws(TemplateError) -> Value? {
        let count = max(0, count)
        switch value {
        case .text(let text):
            let (bytes, overflow) = text.bytes.count.multipliedReportingOverflow(by: count)
            guard !overflow else { throw .limit(line: line, limit: .output) }
            try checkLength(bytes)
            return try makeText([UInt8](repeatElement(text.bytes, count: bytes == 0 ? 0 : count).joined()))
        case .list(let elements): return try makeList(try repeated(elements.items, count))
        case .tuple(let elements): return try makeTuple(try repeated(elements.items, count))
        default: return nil
        }
    }

    private func repeated(_ items: [Value], _ count: Int) throws(TemplateError) -> [Value] {
        let (total, overflow) = items.count.multipliedReportingOverflow(by: count)
        guard !overflow else { throw .limit(line: line, limit: .steps) }
        try spend(total)
        return [Value](repeatElement(items, count: total == 0 ? 0 : count).joined())
    }
}
