/// Reads tokens into statements, with the grammar of Jinja 3.
struct Parser {
    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    /// Loops open around the current statement; a macro begins anew.
    private var loops = 0
    /// The special names (`varargs`, `kwargs`, `caller`) read in the macro being parsed.
    var specialNames: Set<String> = []

    static func statements(of source: String) throws(TemplateError) -> [Statement] {
        var parser = Parser(tokens: try Lexer.tokens(of: source))
        return try parser.body(until: [])
    }

    private init(tokens: [Token]) {
        self.tokens = tokens
    }

    // MARK: Tokens

    var current: Token { index < tokens.count ? tokens[index] : Token(kind: .end, line: 1) }
    var next: Token { index + 1 < tokens.count ? tokens[index + 1] : Token(kind: .end, line: current.line) }

    mutating func skip() {
        index += 1
    }

    mutating func skip(_ kind: Token.Kind) -> Bool {
        guard current.kind == kind else { return false }
        index += 1
        return true
    }

    mutating func skip(_ symbol: Token.Symbol) -> Bool { skip(.symbol(symbol)) }
    mutating func skip(word: String) -> Bool { skip(.name(word)) }

    mutating func expect(_ kind: Token.Kind, _ name: String) throws(TemplateError) {
        guard skip(kind) else { throw unexpected(insteadOf: name) }
    }

    mutating func expect(_ symbol: Token.Symbol) throws(TemplateError) {
        try expect(.symbol(symbol), "'\(symbol.rawValue)'")
    }

    mutating func name(_ role: String) throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected(insteadOf: role) }
        skip()
        return name
    }

    func unexpected(insteadOf expected: String) -> TemplateError {
        .syntax(line: current.line, problem: "found \(current.name) instead of \(expected)")
    }

    mutating func nested<Result>(
        _ parse: (inout Parser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateLimits.depth else { throw .limit(line: current.line, limit: .depth) }
        return try parse(&self)
    }

    // MARK: Statements

    /// Statements up to one of the words in `ends`, which is then current; up to the end when there are none.
    private mutating func body(until ends: Set<String>) throws(TemplateError) -> [Statement] {
        let opened = current.line
        var statements: [Statement] = []
        while true {
            let token = current
            switch token.kind {
            case .data(let text):
                skip()
                statements.append(Statement(line: token.line, form: .data(Text(text))))
            case .outputBegin:
                skip()
                let value = try tuple()
                try expect(.outputEnd, "'}}'")
                statements.append(Statement(line: token.line, form: .output(value)))
            case .statementBegin:
                skip()
                if case .name(let word) = current.kind, ends.contains(word) { return statements }
                let line = current.line
                let form = try nested { parser throws(TemplateError) in try parser.statement() }
                try expect(.statementEnd, "'%}'")
                statements.append(Statement(line: line, form: form))
            case .end:
                guard ends.isEmpty else {
                    let wanted = ends.sorted().map { "'\($0)'" }.joined(separator: " or ")
                    throw .syntax(line: opened, problem: "the block opened here is not closed by \(wanted)")
                }
                return statements
            default:
                throw unexpected(insteadOf: "text or a tag")
            }
        }
    }

    private mutating func block(until ends: Set<String>) throws(TemplateError) -> [Statement] {
        _ = skip(.colon)
        try expect(.statementEnd, "'%}'")
        return try body(until: ends)
    }

    /// A block with a single closing word, which is read as well.
    private mutating func block(closedBy end: String) throws(TemplateError) -> [Statement] {
        let statements = try block(until: [end])
        skip()
        return statements
    }

    private mutating func statement() throws(TemplateError) -> Statement.Form {
        let line = current.line
        let word = try name("a statement's name")
        switch word {
        case "for": return try loop()
        case "if": return try conditional()
        case "set": return try assignment()
        case "macro": return .macro(try macro())
        case "call": return try call()
        case "filter":
            let filters = try self.filters(startsInline: true)
            return .filtered(filters, body: try block(closedBy: "endfilter"))
        case "with": return try with()
        case "generation":
            // A function of its own in transformers: a loop outside cannot be left from within.
            return .scoped(
                try outsideLoops { parser throws(TemplateError) in try parser.block(closedBy: "endgeneration")
                })
        case "break", "continue":
            guard loops > 0 else { throw .syntax(line: line, problem: "'\(word)' stands outside of a loop") }
            return word == "break" ? .leaveLoop : .nextIteration
        case "block", "extends", "include", "import", "from", "autoescape", "print", "do", "trans", "debug":
            throw .unsupported(line: line, construct: "the statement '\(word)'")
        default:
            throw .syntax(line: line, problem: "'\(word)' is no statement, or closes no open block")
        }
    }

    private mutating func loop() throws(TemplateError) -> Statement.Form {
        let target = try self.target(mayBeAttribute: false)
        guard !target.names.contains("loop") else {
            throw .syntax(line: current.line, problem: "a loop cannot assign to 'loop'")
        }
        guard skip(word: "in") else { throw unexpected(insteadOf: "'in'") }
        let sequence = try tuple(withConditional: false, ends: ["recursive"])
        let condition = skip(word: "if") ? try expression() : nil
        if current.kind == .name("recursive") {
            throw .unsupported(line: current.line, construct: "a recursive loop")
        }
        loops += 1
        let body = try block(until: ["endfor", "else"])
        loops -= 1
        let hasElse = current.kind == .name("else")
        skip()
        let otherwise = hasElse ? try block(closedBy: "endfor") : []
        return .loop(
            Statement.Loop(
                target: target, sequence: sequence, condition: condition, body: body, otherwise: otherwise))
    }

    private mutating func conditional() throws(TemplateError) -> Statement.Form {
        var branches: [Statement.Branch] = []
        while true {
            let test = try tuple(withConditional: false)
            let body = try block(until: ["elif", "else", "endif"])
            branches.append(Statement.Branch(test: test, body: body))
            if skip(word: "elif") { continue }
            let hasElse = current.kind == .name("else")
            skip()
            return .conditional(branches: branches, otherwise: hasElse ? try block(closedBy: "endif") : [])
        }
    }

    private mutating func assignment() throws(TemplateError) -> Statement.Form {
        let target = try self.target(mayBeAttribute: true)
        if skip(.assign) { return .assign(target, try tuple()) }
        let filters = try self.filters(startsInline: false)
        return .capture(target, filters: filters, body: try block(closedBy: "endset"))
    }

    private mutating func with() throws(TemplateError) -> Statement.Form {
        var values: [(Statement.Target, Expression)] = []
        while current.kind != .statementEnd {
            if !values.isEmpty { try expect(.comma) }
            let target = try self.target(mayBeAttribute: false)
            try expect(.assign)
            values.append((target, try expression()))
        }
        return .with(values, body: try block(closedBy: "endwith"))
    }

    private mutating func macro() throws(TemplateError) -> Statement.Macro {
        let name = try self.name("the macro's name")
        return try macro(named: name, parameters: try parameters(), end: "endmacro")
    }

    private mutating func call() throws(TemplateError) -> Statement.Form {
        let parameters = current.kind == .symbol(.openParenthesis) ? try self.parameters() : []
        let line = current.line
        let call = try expression()
        guard case .chain(_, let steps) = call.form, case .call? = steps.last?.form else {
            throw .syntax(line: line, problem: "'call' needs the call of a macro")
        }
        return .call(call, caller: try macro(named: "caller", parameters: parameters, end: "endcall"))
    }

    private mutating func macro(
        named name: String, parameters: [Statement.Parameter], end: String
    ) throws(TemplateError) -> Statement.Macro {
        let outer = specialNames
        specialNames = []
        let body = try outsideLoops { parser throws(TemplateError) in try parser.block(closedBy: end) }
        let found = specialNames
        specialNames = outer
        return Statement.Macro(
            name: name, parameters: parameters, body: body, takesMorePositional: found.contains("varargs"),
            takesMoreNamed: found.contains("kwargs"), takesCaller: found.contains("caller"))
    }

    private mutating func parameters() throws(TemplateError) -> [Statement.Parameter] {
        var parameters: [Statement.Parameter] = []
        try expect(.openParenthesis)
        while !skip(.closeParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let name = try self.name("a parameter")
            if skip(.assign) {
                parameters.append(Statement.Parameter(name: name, standard: try expression()))
            } else if parameters.last?.standard != nil {
                throw unexpected(insteadOf: "a default value, as the parameter before has one,")
            } else {
                parameters.append(Statement.Parameter(name: name, standard: nil))
            }
        }
        return parameters
    }

    private mutating func outsideLoops<Result>(
        _ parse: (inout Parser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = loops
        loops = 0
        defer { loops = outer }
        return try parse(&self)
    }

    // MARK: Targets of assignments

    private mutating func target(mayBeAttribute: Bool) throws(TemplateError) -> Statement.Target {
        var targets = [try singleTarget(mayBeAttribute)]
        guard current.kind == .symbol(.comma) else { return targets[0] }
        while skip(.comma) {
            // A comma may end the list within parentheses: '(a,)'.
            if current.kind == .symbol(.closeParenthesis) { break }
            targets.append(try singleTarget(mayBeAttribute))
        }
        return .tuple(targets)
    }

    private mutating func singleTarget(_ mayBeAttribute: Bool) throws(TemplateError) -> Statement.Target {
        if skip(.openParenthesis) {
            let inner = try nested { parser throws(TemplateError) in try parser.target(mayBeAttribute: false)
            }
            try expect(.closeParenthesis)
            return inner
        }
        let line = current.line
        let name = try self.name("a variable")
        if ["true", "false", "none", "True", "False", "None"].contains(name) {
            throw .syntax(line: line, problem: "'\(name)' cannot be assigned to")
        }
        if mayBeAttribute, skip(.dot) { return .attribute(of: name, try self.name("an attribute")) }
        return .name(name)
    }
}

extension Statement.Target {
    var names: [String] {
        switch self {
        case .name(let name): [name]
        case .attribute: []
        case .tuple(let targets): targets.flatMap(\.names)
        }
    }
}
