/// What follows a value: attributes, subscripts, calls, filters and tests.
extension Parser {
    mutating func postfix(_ steps: inout [Step]) throws(TemplateError) {
        while true {
            let line = current.line
            switch current.kind {
            case .symbol(.dot):
                skip()
                switch current.kind {
                case .name(let name): steps.append(Step(line: line, form: .attribute(name)))
                case .integer(let number):
                    let key = Expression(line: line, form: .integer(number))
                    steps.append(Step(line: line, form: .subscription(key)))
                default: throw unexpected(insteadOf: "an attribute or a number")
                }
                skip()
            case .symbol(.openBracket): steps.append(Step(line: line, form: try subscription()))
            case .symbol(.openParenthesis): steps.append(Step(line: line, form: .call(try arguments())))
            default: return
            }
        }
    }

    mutating func filtersAndTests(_ steps: inout [Step]) throws(TemplateError) {
        while true {
            let line = current.line
            if current.kind == .symbol(.pipe) {
                steps += try filters(startsInline: false)
            } else if skip(word: "is") {
                steps.append(Step(line: line, form: try test()))
            } else if current.kind == .symbol(.openParenthesis) {
                steps.append(Step(line: line, form: .call(try arguments())))
            } else {
                return
            }
        }
    }

    /// `| name(...) | name ...`; with `startsInline` the first bar has been left out.
    mutating func filters(startsInline: Bool) throws(TemplateError) -> [Step] {
        var steps: [Step] = []
        var isInline = startsInline
        while isInline || skip(.pipe) {
            isInline = false
            let line = current.line
            let name = try dottedName("a filter's name")
            let arguments = current.kind == .symbol(.openParenthesis) ? try self.arguments() : ArgumentList()
            steps.append(Step(line: line, form: .filter(name, arguments)))
        }
        return steps
    }

    private mutating func test() throws(TemplateError) -> Step.Form {
        let isNegated = skip(word: "not")
        let name = try dottedName("a test's name")
        var arguments = ArgumentList()
        switch current.kind {
        case .symbol(.openParenthesis): arguments = try self.arguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw .syntax(line: current.line, problem: "tests cannot be chained with 'is'")
        case .name, .text, .integer, .number, .symbol(.openBracket), .symbol(.openBrace):
            // One argument may stand without parentheses: 'is divisibleby 3'.
            arguments.positional = [try nested { parser throws(TemplateError) in try parser.testArgument() }]
        default: break
        }
        return .test(name, arguments, isNegated: isNegated)
    }

    private mutating func testArgument() throws(TemplateError) -> Expression {
        let line = current.line
        let value = try primary()
        var steps: [Step] = []
        try postfix(&steps)
        return steps.isEmpty ? value : Expression(line: line, form: .chain(value, steps))
    }

    private mutating func dottedName(_ role: String) throws(TemplateError) -> String {
        var name = try self.name(role)
        while skip(.dot) {
            name += "." + (try self.name(role))
        }
        return name
    }

    private mutating func subscription() throws(TemplateError) -> Step.Form {
        let line = current.line
        skip()
        if skip(.closeBracket) { return .subscription(Expression(line: line, form: .tuple([]))) }
        var forms = [try subscriptItem()]
        while skip(.comma) {
            forms.append(try subscriptItem())
        }
        try expect(.closeBracket)
        if forms.count == 1 { return forms[0] }
        var keys: [Expression] = []
        for form in forms {
            guard case .subscription(let key) = form else {
                throw .unsupported(line: line, construct: "a slice in several dimensions")
            }
            keys.append(key)
        }
        return .subscription(Expression(line: line, form: .tuple(keys)))
    }

    private mutating func subscriptItem() throws(TemplateError) -> Step.Form {
        var start: Expression?
        if !skip(.colon) {
            let value = try expression()
            guard skip(.colon) else { return .subscription(value) }
            start = value
        }
        let end = try slicePart()
        let step = skip(.colon) ? try slicePart() : nil
        return .slice(start, end, step)
    }

    private mutating func slicePart() throws(TemplateError) -> Expression? {
        switch current.kind {
        case .symbol(.colon), .symbol(.closeBracket), .symbol(.comma): nil
        default: try expression()
        }
    }

    mutating func arguments() throws(TemplateError) -> ArgumentList {
        let line = current.line
        try expect(.openParenthesis)
        var list = ArgumentList()
        var isFirst = true
        while !skip(.closeParenthesis) {
            if !isFirst {
                try expect(.comma)
                if skip(.closeParenthesis) { break }
            }
            isFirst = false
            let isOpen = list.unpackedObject == nil
            if isOpen, list.unpackedList == nil, skip(.star) {
                list.unpackedList = try expression()
            } else if isOpen, skip(.power) {
                list.unpackedObject = try expression()
            } else if isOpen, case .name(let name) = current.kind, next.kind == .symbol(.assign) {
                skip()
                skip()
                list.named.append((name, try expression()))
            } else {
                guard isOpen, list.unpackedList == nil, list.named.isEmpty else {
                    throw .syntax(
                        line: line, problem: "a positional argument follows a named or unpacked one")
                }
                list.positional.append(try expression())
            }
        }
        return list
    }
}
