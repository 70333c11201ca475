/// Expressions, one method per rank, the loosest first.
extension Parser {
    mutating func expression(withConditional: Bool = true) throws(TemplateError) -> Expression {
        try nested { parser throws(TemplateError) in
            withConditional ? try parser.conditionalExpression() : try parser.disjunction()
        }
    }

    /// An expression, or a tuple where commas follow.
    mutating func tuple(
        withConditional: Bool = true, ends: Set<String> = [], mayBeEmpty: Bool = false
    ) throws(TemplateError) -> Expression {
        let line = current.line
        var items: [Expression] = []
        var isTuple = false
        while true {
            if endsTuple(ends) { break }
            items.append(try expression(withConditional: withConditional))
            guard skip(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            guard mayBeEmpty else { throw unexpected(insteadOf: "an expression") }
        }
        return Expression(line: line, form: .tuple(items))
    }

    private func endsTuple(_ words: Set<String>) -> Bool {
        switch current.kind {
        case .outputEnd, .statementEnd, .symbol(.closeParenthesis): true
        case .name(let name): words.contains(name)
        default: false
        }
    }

    private mutating func conditionalExpression() throws(TemplateError) -> Expression {
        let line = current.line
        var value = try disjunction()
        var count = 0
        while skip(word: "if") {
            // Without 'else' the next 'if' wraps what stands before it.
            count += 1
            guard count <= TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
            let test = try disjunction()
            let otherwise: Expression? = skip(word: "else") ? try expression() : nil
            value = Expression(line: line, form: .conditional(value, test: test, otherwise: otherwise))
        }
        return value
    }

    private mutating func disjunction() throws(TemplateError) -> Expression {
        let line = current.line
        var items = [try conjunction()]
        while skip(word: "or") {
            items.append(try conjunction())
        }
        return items.count == 1 ? items[0] : Expression(line: line, form: .or(items))
    }

    private mutating func conjunction() throws(TemplateError) -> Expression {
        let line = current.line
        var items = [try negation()]
        while skip(word: "and") {
            items.append(try negation())
        }
        return items.count == 1 ? items[0] : Expression(line: line, form: .and(items))
    }

    private mutating func negation() throws(TemplateError) -> Expression {
        let line = current.line
        guard skip(word: "not") else { return try comparison() }
        let inner = try nested { parser throws(TemplateError) in try parser.negation() }
        return Expression(line: line, form: .not(inner))
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try sum()
        var others: [(Expression.Comparison, Expression)] = []
        while let comparison = comparisonOperator() {
            others.append((comparison, try sum()))
        }
        return others.isEmpty ? first : Expression(line: line, form: .comparison(first, others))
    }

    private mutating func comparisonOperator() -> Expression.Comparison? {
        let found: Expression.Comparison
        switch current.kind {
        case .symbol(.equal): found = .equal
        case .symbol(.notEqual): found = .notEqual
        case .symbol(.less): found = .less
        case .symbol(.lessOrEqual): found = .lessOrEqual
        case .symbol(.greater): found = .greater
        case .symbol(.greaterOrEqual): found = .greaterOrEqual
        case .name("in"): found = .contained
        case .name("not") where next.kind == .name("in"):
            skip()
            found = .notContained
        default: return nil
        }
        skip()
        return found
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try joined()
        var others: [(Expression.Arithmetic, Expression)] = []
        while true {
            if skip(.plus) {
                others.append((.add, try joined()))
            } else if skip(.minus) {
                others.append((.subtract, try joined()))
            } else {
                return others.isEmpty ? first : Expression(line: line, form: .arithmetic(first, others))
            }
        }
    }

    private mutating func joined() throws(TemplateError) -> Expression {
        let line = current.line
        var items = [try product()]
        while skip(.tilde) {
            items.append(try product())
        }
        return items.count == 1 ? items[0] : Expression(line: line, form: .joined(items))
    }

    private mutating func product() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try power()
        var others: [(Expression.Arithmetic, Expression)] = []
        while true {
            let found: Expression.Arithmetic
            switch current.kind {
            case .symbol(.star): found = .multiply
            case .symbol(.slash): found = .divide
            case .symbol(.floorSlash): found = .floorDivide
            case .symbol(.percent): found = .remainder
            default: return others.isEmpty ? first : Expression(line: line, form: .arithmetic(first, others))
            }
            skip()
            others.append((found, try power()))
        }
    }

    private mutating func power() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try unary(withFilters: true)
        var others: [(Expression.Arithmetic, Expression)] = []
        while skip(.power) {
            others.append((.power, try unary(withFilters: true)))
        }
        return others.isEmpty ? first : Expression(line: line, form: .arithmetic(first, others))
    }

    private mutating func unary(withFilters: Bool) throws(TemplateError) -> Expression {
        let line = current.line
        var value: Expression
        if skip(.minus) {
            let inner = try nested { parser throws(TemplateError) in try parser.unary(withFilters: false) }
            value = Expression(line: line, form: .negative(inner))
        } else if skip(.plus) {
            let inner = try nested { parser throws(TemplateError) in try parser.unary(withFilters: false) }
            value = Expression(line: line, form: .positive(inner))
        } else {
            value = try primary()
        }
        var steps: [Step] = []
        try postfix(&steps)
        if withFilters { try filtersAndTests(&steps) }
        if !steps.isEmpty { value = Expression(line: line, form: .chain(value, steps)) }
        return value
    }

    mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        let form: Expression.Form
        switch token.kind {
        case .name(let name):
            skip()
            switch name {
            case "true", "True": form = .bool(true)
            case "false", "False": form = .bool(false)
            case "none", "None": form = .none
            default:
                if ["varargs", "kwargs", "caller"].contains(name) { specialNames.insert(name) }
                form = .name(name)
            }
        case .text(let first):
            skip()
            var text = first
            // Strings side by side are one string.
            while case .text(let more) = current.kind {
                text += more
                skip()
            }
            form = .text(Text(text))
        case .integer(let value):
            skip()
            form = .integer(value)
        case .number(let value):
            skip()
            form = .number(value)
        case .symbol(.openParenthesis):
            skip()
            let inner = try tuple(mayBeEmpty: true)
            try expect(.closeParenthesis)
            return inner
        case .symbol(.openBracket): form = .list(try listItems())
        case .symbol(.openBrace): form = .object(try objectItems())
        default: throw unexpected(insteadOf: "an expression")
        }
        return Expression(line: token.line, form: form)
    }

    private mutating func listItems() throws(TemplateError) -> [Expression] {
        skip()
        var items: [Expression] = []
        while !skip(.closeBracket) {
            if !items.isEmpty {
                try expect(.comma)
                if skip(.closeBracket) { break }
            }
            items.append(try expression())
        }
        return items
    }

    private mutating func objectItems() throws(TemplateError) -> [(key: Expression, value: Expression)] {
        skip()
        var items: [(key: Expression, value: Expression)] = []
        while !skip(.closeBrace) {
            if !items.isEmpty {
                try expect(.comma)
                if skip(.closeBrace) { break }
            }
            let key = try expression()
            try expect(.colon)
            items.append((key, try expression()))
        }
        return items
    }
}
