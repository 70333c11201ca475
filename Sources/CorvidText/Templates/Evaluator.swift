/// One rendering of a template: variables, output and what is left of the limits.
final class Evaluator {
    /// The line being rendered, for messages.
    var line = 1
    let clock: TemplateClock
    private var context: [String: Value] = [:]
    private var steps = 0
    private var nesting = 0
    private var macroCalls = 0
    /// Scopes in the order in which they were opened; the current one is last unless a macro runs.
    private var scopes: [Scope] = []
    private var currentScope = -1
    /// Scopes below this number stay, as a macro may still read them.
    private var keptScopes = 0
    private var macros: [Macro] = []
    private var namespaces: [[(name: String, value: Value)]] = []
    private var output: [UInt8] = []

    private struct Scope {
        let parent: Int
        var variables: [String: Value] = [:]
    }

    private struct Macro {
        let definition: Statement.Macro
        let scope: Int
    }

    init(context: JSONObject, clock: TemplateClock) throws(TemplateError) {
        self.clock = clock
        var values: [String: Value] = [:]
        line = 0
        for (name, json) in context {
            values[name] = try value(json)
        }
        self.context = values
        line = 1
    }

    func render(_ statements: [Statement]) throws(TemplateError) -> String {
        openScope(inside: -1)
        _ = try run(statements)
        return String(decoding: output, as: UTF8.self)
    }

    // MARK: Limits

    func spend(_ count: Int) throws(TemplateError) {
        steps += min(max(0, count), TemplateLimits.steps + 1)
        guard steps <= TemplateLimits.steps else { throw .limit(line: line, limit: .steps) }
    }

    func spend(bytes: Int) throws(TemplateError) {
        try spend(bytes / TemplateLimits.bytesPerStep)
    }

    /// Runs `body` one level deeper.
    func nested<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        try deepen()
        defer { nesting -= 1 }
        return try body()
    }

    private func deepen() throws(TemplateError) {
        guard nesting < TemplateLimits.evaluationDepth else { throw .limit(line: line, limit: .depth) }
        nesting += 1
    }

    // MARK: Output

    func emit(_ value: Value) throws(TemplateError) {
        try write(value, to: &output)
    }

    func emit(_ text: Text) throws(TemplateError) {
        try spend(bytes: text.bytes.count)
        try checkLength(output.count + text.bytes.count)
        output.append(contentsOf: text.bytes)
    }

    /// What `body` prints, instead of printing it.
    func capture<Result>(
        _ body: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> (result: Result, text: Text) {
        var outer: [UInt8] = []
        swap(&outer, &output)
        defer { swap(&outer, &output) }
        let result = try body()
        return (result, try checked(Text(bytes: output)))
    }

    // MARK: Variables

    func variable(_ name: String) throws(TemplateError) -> Value {
        var number = currentScope
        while number >= 0 {
            if let value = scopes[number].variables[name] { return value }
            number = scopes[number].parent
        }
        if let value = context[name] { return value }
        if let function = Value.Function(rawValue: name) { return .function(function) }
        if ["lipsum", "cycler", "joiner"].contains(name) {
            throw .unsupported(line: line, construct: "the function '\(name)'")
        }
        return .undefined(Value.Undefined(why: "'\(name)' is undefined"))
    }

    func set(_ name: String, _ value: Value) {
        guard scopes.indices.contains(currentScope) else { return }
        scopes[currentScope].variables[name] = value
    }

    /// Runs `body` with variables of its own.
    func scoped<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        try scoped(inside: currentScope, body)
    }

    private func scoped<Result>(
        inside parent: Int, _ body: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = currentScope
        let mark = scopes.count
        openScope(inside: parent)
        defer {
            currentScope = outer
            if keptScopes <= mark, scopes.count > mark { scopes.removeLast(scopes.count - mark) }
        }
        return try body()
    }

    private func openScope(inside parent: Int) {
        scopes.append(Scope(parent: parent))
        currentScope = scopes.count - 1
    }

    // MARK: Namespaces

    func makeNamespace(_ entries: [(name: String, value: Value)]) -> Value {
        namespaces.append(entries)
        return .namespace(namespaces.count - 1)
    }

    func namespaceValue(_ number: Int, _ name: String) throws(TemplateError) -> Value? {
        guard namespaces.indices.contains(number) else { return nil }
        try spend(namespaces[number].count / 8)
        return namespaces[number].first { $0.name == name }?.value
    }

    func setNamespace(_ number: Int, _ name: String, _ value: Value) throws(TemplateError) {
        guard namespaces.indices.contains(number) else { return }
        try spend(namespaces[number].count)
        if let position = namespaces[number].firstIndex(where: { $0.name == name }) {
            namespaces[number][position].value = value
        } else {
            namespaces[number].append((name, value))
        }
    }

    /// The namespace's contents as a mapping, to print it.
    func makeNamespaceObject(_ number: Int) throws(TemplateError) -> ValueObject {
        var pairs: [(key: Value, value: Value)] = []
        if namespaces.indices.contains(number) {
            for entry in namespaces[number] {
                pairs.append((.text(Text(entry.name)), entry.value))
            }
        }
        guard case .object(let object) = try makeObject(pairs) else {
            throw .invalid(line: line, problem: "a namespace cannot be printed")
        }
        return object
    }

    // MARK: Macros

    func makeMacro(_ definition: Statement.Macro) -> Value {
        macros.append(Macro(definition: definition, scope: currentScope))
        keptScopes = max(keptScopes, scopes.count)
        return .macro(macros.count - 1)
    }

    func macroName(_ number: Int) -> String {
        macros.indices.contains(number) ? macros[number].definition.name : ""
    }

    func callMacro(_ number: Int, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard macros.indices.contains(number) else {
            throw .invalid(line: line, problem: "this macro does not exist")
        }
        let macro = macros[number]
        guard macroCalls < TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        macroCalls += 1
        let callLine = line
        defer {
            macroCalls -= 1
            line = callLine
        }
        return try scoped(inside: macro.scope) { () throws(TemplateError) in
            try self.bind(arguments, to: macro.definition)
            let (_, text) = try self.capture { () throws(TemplateError) in try self.run(macro.definition.body)
            }
            return .text(text)
        }
    }

    private func bind(_ arguments: Arguments, to macro: Statement.Macro) throws(TemplateError) {
        var named = arguments.named
        try spend(macro.parameters.count)
        let names = macro.parameters.map(\.name)
        if macro.takesMorePositional {
            set("varargs", try makeTuple(Array(arguments.positional.dropFirst(names.count))))
        } else if arguments.positional.count > names.count {
            throw .invalid(
                line: line, problem: "macro '\(macro.name)' takes at most \(names.count) arguments")
        }
        for (index, parameter) in macro.parameters.enumerated() {
            try spend(named.count / 8)
            let position = named.firstIndex { $0.name == parameter.name }
            if index < arguments.positional.count {
                guard position == nil else {
                    throw .invalid(
                        line: line, problem: "macro '\(macro.name)' is given '\(parameter.name)' twice")
                }
                set(parameter.name, arguments.positional[index])
            } else if let position {
                set(parameter.name, named.remove(at: position).value)
            } else if let standard = parameter.standard {
                set(parameter.name, try evaluate(standard))
            } else {
                let why = "parameter '\(parameter.name)' of macro '\(macro.name)' was not given"
                set(parameter.name, .undefined(Value.Undefined(why: why)))
            }
        }
        if macro.takesCaller, !names.contains("caller") {
            if let position = named.firstIndex(where: { $0.name == "caller" }) {
                set("caller", named.remove(at: position).value)
            } else {
                set("caller", .undefined(Value.Undefined(why: "this macro was called without a body")))
            }
        }
        if macro.takesMoreNamed {
            set("kwargs", try makeObject(named.map { (.text(Text($0.name)), $0.value) }))
        } else if let extra = named.first {
            throw .invalid(
                line: line, problem: "macro '\(macro.name)' takes no argument named '\(extra.name)'")
        }
    }
}
