extension Evaluator {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        try spend(1)
        line = expression.line
        switch expression.form {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .number(value)
        case .text(let text): return .text(text)
        case .name(let name): return try variable(name)
        default: return try nested { () throws(TemplateError) in try self.evaluateCompound(expression) }
        }
    }

    private func evaluateCompound(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.form {
        case .list(let items): try makeList(try evaluate(items))
        case .tuple(let items): try makeTuple(try evaluate(items))
        case .object(let pairs): try evaluateObject(pairs)
        case .conditional(let value, let test, let otherwise):
            try evaluateConditional(value, test: test, otherwise: otherwise)
        case .or(let items): try evaluateFirst(items, where: true)
        case .and(let items): try evaluateFirst(items, where: false)
        case .not(let inner): .bool(!(try evaluate(inner).isTrue))
        case .comparison(let first, let others): try evaluateComparison(first, others)
        case .arithmetic(let first, let others): try evaluateArithmetic(first, others)
        case .joined(let items): try evaluateJoined(items)
        case .negative(let inner): try negated(try evaluate(inner))
        case .positive(let inner): try number(try evaluate(inner))
        case .chain(let base, let steps): try apply(steps, to: try evaluate(base))
        default: try evaluate(expression)
        }
    }

    private func evaluate(_ expressions: [Expression]) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        for expression in expressions {
            values.append(try evaluate(expression))
        }
        return values
    }

    private func evaluateObject(
        _ pairs: [(key: Expression, value: Expression)]
    ) throws(TemplateError) -> Value {
        var values: [(key: Value, value: Value)] = []
        for pair in pairs {
            values.append((try evaluate(pair.key), try evaluate(pair.value)))
        }
        return try makeObject(values)
    }

    private func evaluateConditional(
        _ value: Expression, test: Expression, otherwise: Expression?
    ) throws(TemplateError) -> Value {
        if try evaluate(test).isTrue { return try evaluate(value) }
        if let otherwise { return try evaluate(otherwise) }
        let why = "the condition is false and the expression has no 'else'"
        return .undefined(Value.Undefined(why: why))
    }

    /// The first value whose truth is `wanted`, else the last one.
    private func evaluateFirst(_ items: [Expression], where wanted: Bool) throws(TemplateError) -> Value {
        var value = Value.none
        for item in items {
            value = try evaluate(item)
            if value.isTrue == wanted { break }
        }
        return value
    }

    private func evaluateComparison(
        _ first: Expression, _ others: [(Expression.Comparison, Expression)]
    ) throws(TemplateError) -> Value {
        var left = try evaluate(first)
        for (comparison, expression) in others {
            let right = try evaluate(expression)
            guard try compare(left, comparison, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func evaluateArithmetic(
        _ first: Expression, _ others: [(Expression.Arithmetic, Expression)]
    ) throws(TemplateError) -> Value {
        var value = try evaluate(first)
        for (operation, expression) in others {
            let right = try evaluate(expression)
            value = try calculate(value, operation, right)
        }
        return value
    }

    private func evaluateJoined(_ items: [Expression]) throws(TemplateError) -> Value {
        var bytes: [UInt8] = []
        for item in items {
            let value = try evaluate(item)
            try write(value, to: &bytes)
        }
        return try makeText(bytes)
    }

    func apply(_ steps: [Step], to value: Value) throws(TemplateError) -> Value {
        var value = value
        for step in steps {
            line = step.line
            try spend(1)
            switch step.form {
            case .attribute(let name): value = try attribute(name, of: value)
            case .subscription(let key): value = try item(try evaluate(key), of: value)
            case .slice(let start, let end, let stride): value = try slice(value, start, end, stride)
            case .call(let list):
                let arguments = try evaluate(list)
                line = step.line
                value = try call(value, arguments)
            case .filter(let name, let list):
                let arguments = try evaluate(list)
                line = step.line
                value = try filter(name, value, arguments)
            case .test(let name, let list, let isNegated):
                let arguments = try evaluate(list)
                line = step.line
                value = .bool(try test(name, value, arguments) != isNegated)
            }
        }
        return value
    }

    func evaluate(_ list: ArgumentList) throws(TemplateError) -> Arguments {
        var arguments = Arguments()
        arguments.positional = try evaluate(list.positional)
        for (name, expression) in list.named {
            arguments.named.append((name, try evaluate(expression)))
        }
        if let unpacked = list.unpackedList {
            let items = try iterate(try evaluate(unpacked), for: "'*'")
            try spend(items.count)
            arguments.positional += items
        }
        if let unpacked = list.unpackedObject {
            guard case .object(let object) = try evaluate(unpacked) else {
                throw .invalid(line: line, problem: "'**' needs a mapping")
            }
            for entry in object.entries {
                guard case .text(let name) = entry.key else {
                    throw .invalid(line: line, problem: "'**' needs a mapping with strings as keys")
                }
                try spend(1 + name.bytes.count / TemplateLimits.bytesPerStep)
                arguments.named.append((name.string, entry.value))
            }
        }
        return arguments
    }

    private func slice(
        _ value: Value, _ start: Expression?, _ end: Expression?, _ stride: Expression?
    ) throws(TemplateError) -> Value {
        var bounds: [Int?] = []
        for expression in [start, end, stride] {
            guard let expression else {
                bounds.append(nil)
                continue
            }
            let bound = try evaluate(expression)
            if bound.isNone {
                bounds.append(nil)
            } else if let number = bound.wholeNumber {
                bounds.append(number)
            } else {
                throw .invalid(line: line, problem: "\(bound.kindName) cannot bound a slice")
            }
        }
        return try slice(value, start: bounds[0], end: bounds[1], stride: bounds[2] ?? 1)
    }
}
