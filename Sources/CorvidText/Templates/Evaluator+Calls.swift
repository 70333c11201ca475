/// Calls of macros, methods and the functions every template has.
extension Evaluator {
    func call(_ callee: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch callee {
        case .macro(let number): return try callMacro(number, arguments)
        case .method(let method): return try callMethod(method.name, of: method.receiver, arguments)
        case .function(.range): return try range(arguments)
        case .function(.dict): return try makeObject(try namedPairs(arguments, of: "dict"))
        case .function(.namespace):
            var entries: [(name: String, value: Value)] = []
            for pair in try namedPairs(arguments, of: "namespace") {
                entries.append((try text(pair.key, "a namespace's key").string, pair.value))
            }
            return makeNamespace(entries)
        case .function(.raiseException):
            let message = try bind(arguments, of: "raise_exception", to: ["message"], required: 1)
            throw .raised(line: line, message: try string(message[0] ?? .none).string)
        case .function(.strftimeNow):
            let format = try bind(arguments, of: "strftime_now", to: ["format"], required: 1)
            let pattern = try text(format[0], "the format of 'strftime_now'")
            // A directive becomes a few dozen bytes.
            try spend(pattern.bytes.count)
            guard let result = clock.formatted(pattern.string) else {
                throw .unsupported(line: line, construct: "a directive in the format of 'strftime_now'")
            }
            return try makeText(Array(result.utf8))
        case .undefined(let undefined): throw failure(undefined)
        case .loop: throw .unsupported(line: line, construct: "a recursive loop")
        default: throw .invalid(line: line, problem: "\(callee.kindName) cannot be called")
        }
    }

    private func range(_ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw .invalid(line: line, problem: "'range' takes one to three whole numbers")
        }
        var numbers: [Int] = []
        for value in arguments.positional {
            numbers.append(try wholeNumber(value, "an argument of 'range'", or: 0))
        }
        let start = numbers.count > 1 ? numbers[0] : 0
        let stop = numbers.count > 1 ? numbers[1] : numbers[0]
        let step = numbers.count > 2 ? numbers[2] : 1
        guard step != 0 else { throw .invalid(line: line, problem: "'range' cannot have the step 0") }
        var items: [Value] = []
        var next = start
        while step > 0 ? next < stop : next > stop {
            guard items.count < TemplateLimits.rangeElements else { throw .limit(line: line, limit: .range) }
            items.append(.integer(next))
            let (sum, overflow) = next.addingReportingOverflow(step)
            if overflow { break }
            next = sum
        }
        return .view(
            Value.View(kind: .range(start: start, stop: stop, step: step), elements: try elements(items)))
    }

    /// The entries of a mapping or of pairs, then the named arguments.
    private func namedPairs(
        _ arguments: Arguments, of callee: String
    ) throws(TemplateError) -> [(key: Value, value: Value)] {
        var pairs: [(key: Value, value: Value)] = []
        guard arguments.positional.count <= 1 else {
            throw .invalid(line: line, problem: "'\(callee)' takes at most one positional argument")
        }
        if let source = arguments.positional.first {
            if case .undefined(let undefined) = source { throw failure(undefined) }
            if case .object(let object) = source {
                pairs = object.entries
            } else {
                for item in try iterate(source, for: "'\(callee)'") {
                    let pair = try iterate(item, for: "'\(callee)'")
                    guard pair.count == 2 else {
                        throw .invalid(line: line, problem: "'\(callee)' needs pairs of a key and a value")
                    }
                    pairs.append((pair[0], pair[1]))
                }
            }
        }
        for (name, value) in arguments.named {
            pairs.append((.text(Text(name)), value))
        }
        return pairs
    }
}
