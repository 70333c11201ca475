/// The evaluated arguments of a call.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []
}

extension Evaluator {
    /// Arguments in the order of `parameters`; nil where one was not given.
    func bind(
        _ arguments: Arguments, of callee: String, to parameters: [String], required: Int = 0
    ) throws(TemplateError) -> [Value?] {
        guard arguments.positional.count <= parameters.count else {
            throw .invalid(
                line: line,
                problem:
                    "\(callee) takes at most \(parameters.count) arguments, not \(arguments.positional.count)"
            )
        }
        var bound: [Value?] = arguments.positional
        bound += [Value?](repeating: nil, count: parameters.count - bound.count)
        for (name, value) in arguments.named {
            guard let index = parameters.firstIndex(of: name) else {
                throw .invalid(line: line, problem: "\(callee) takes no argument named '\(name)'")
            }
            guard bound[index] == nil else {
                throw .invalid(line: line, problem: "\(callee) is given '\(name)' twice")
            }
            bound[index] = value
        }
        for index in 0..<min(required, parameters.count) where bound[index] == nil {
            throw .invalid(line: line, problem: "\(callee) needs the argument '\(parameters[index])'")
        }
        return bound
    }

    /// A whole number, or `standard` when not given.
    func wholeNumber(_ value: Value?, _ role: String, or standard: Int) throws(TemplateError) -> Int {
        guard let value else { return standard }
        guard let number = value.wholeNumber else {
            throw .invalid(line: line, problem: "\(role) must be a whole number, not \(value.kindName)")
        }
        return number
    }

    func text(_ value: Value?, _ role: String) throws(TemplateError) -> Text {
        switch value {
        case .text(let text)?: return text
        case .undefined(let undefined)?: throw failure(undefined)
        default:
            throw .invalid(
                line: line, problem: "\(role) must be a string, not \(value?.kindName ?? "missing")")
        }
    }

    func failure(_ undefined: Value.Undefined) -> TemplateError {
        undefined.isRefused
            ? .refused(line: line, operation: undefined.why) : .undefined(line: line, what: undefined.why)
    }
}
