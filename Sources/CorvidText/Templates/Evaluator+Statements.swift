extension Evaluator {
    /// What happens after a statement.
    enum Flow {
        case onward, leaveLoop, nextIteration
    }

    func run(_ statements: [Statement]) throws(TemplateError) -> Flow {
        for statement in statements {
            line = statement.line
            try spend(1)
            let flow = try run(statement)
            if flow != .onward { return flow }
        }
        return .onward
    }

    private func run(_ statement: Statement) throws(TemplateError) -> Flow {
        switch statement.form {
        case .data(let text): try emit(text)
        case .output(let expression): try emit(try evaluate(expression))
        case .conditional(let branches, let otherwise): return try runConditional(branches, otherwise)
        case .loop(let loop):
            return try nested { () throws(TemplateError) in try self.runLoop(loop) }
        case .assign(let target, let expression): try assign(try evaluate(expression), to: target)
        case .capture(let target, let filters, let body): return try runCapture(target, filters, body)
        case .filtered(let filters, let body): return try runCapture(nil, filters, body)
        case .with(let values, let body): return try runWith(values, body)
        case .macro(let macro): set(macro.name, makeMacro(macro))
        case .call(let call, let caller): try runCall(call, caller)
        case .scoped(let body):
            return try nested { () throws(TemplateError) in
                try self.scoped { () throws(TemplateError) in try self.run(body) }
            }
        case .leaveLoop: return .leaveLoop
        case .nextIteration: return .nextIteration
        }
        return .onward
    }

    private func runConditional(
        _ branches: [Statement.Branch], _ otherwise: [Statement]
    ) throws(TemplateError) -> Flow {
        try nested { () throws(TemplateError) in
            for branch in branches where try self.evaluate(branch.test).isTrue {
                return try self.run(branch.body)
            }
            return try self.run(otherwise)
        }
    }

    private func runLoop(_ loop: Statement.Loop) throws(TemplateError) -> Flow {
        let loopLine = line
        var items = try iterate(try evaluate(loop.sequence))
        if let condition = loop.condition {
            var kept: [Value] = []
            for item in items {
                try spend(1)
                let isKept = try scoped { () throws(TemplateError) in
                    try self.assign(item, to: loop.target)
                    return try self.evaluate(condition).isTrue
                }
                if isKept { kept.append(item) }
            }
            items = kept
        }
        if items.isEmpty {
            return try scoped { () throws(TemplateError) in try self.run(loop.otherwise) }
        }
        let state = Value.LoopState(try elements(items))
        for (index, item) in items.enumerated() {
            line = loopLine
            try spend(1)
            state.index = index
            let flow = try scoped { () throws(TemplateError) in
                self.set("loop", .loop(state))
                try self.assign(item, to: loop.target)
                return try self.run(loop.body)
            }
            if flow == .leaveLoop { break }
        }
        return .onward
    }

    private func runCapture(
        _ target: Statement.Target?, _ filters: [Step], _ body: [Statement]
    ) throws(TemplateError) -> Flow {
        try nested { () throws(TemplateError) in
            let (flow, text) = try self.capture { () throws(TemplateError) in
                try self.scoped { () throws(TemplateError) in try self.run(body) }
            }
            guard flow == .onward else { return flow }
            let value = try self.apply(filters, to: .text(text))
            if let target { try self.assign(value, to: target) } else { try self.emit(value) }
            return .onward
        }
    }

    private func runWith(
        _ values: [(Statement.Target, Expression)], _ body: [Statement]
    ) throws(TemplateError) -> Flow {
        try nested { () throws(TemplateError) in
            var evaluated: [(Statement.Target, Value)] = []
            for (target, expression) in values {
                evaluated.append((target, try self.evaluate(expression)))
            }
            return try self.scoped { () throws(TemplateError) in
                for (target, value) in evaluated {
                    try self.assign(value, to: target)
                }
                return try self.run(body)
            }
        }
    }

    private func runCall(_ call: Expression, _ caller: Statement.Macro) throws(TemplateError) {
        guard case .chain(let callee, var steps) = call.form,
            case .call(var arguments)? = steps.popLast()?.form
        else { throw .invalid(line: line, problem: "'call' needs the call of a macro") }
        arguments.named.append(("caller", Expression(line: call.line, form: .none)))
        let function = try apply(steps, to: try evaluate(callee))
        var given = try evaluate(arguments)
        given.named.removeAll { $0.name == "caller" }
        given.named.append(("caller", makeMacro(caller)))
        try emit(try self.call(function, given))
    }

    func assign(_ value: Value, to target: Statement.Target) throws(TemplateError) {
        switch target {
        case .name(let name): set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let number) = try variable(name) else {
                throw .invalid(line: line, problem: "'\(name).\(attribute)' can be set only in a namespace")
            }
            try setNamespace(number, attribute, value)
        case .tuple(let targets):
            let items = try iterate(value, for: "an assignment to \(targets.count) names")
            guard items.count == targets.count else {
                throw .invalid(
                    line: line, problem: "\(items.count) values cannot be assigned to \(targets.count) names")
            }
            for (target, item) in zip(targets, items) {
                try assign(item, to: target)
            }
        }
    }
}
