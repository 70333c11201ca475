/// A statement of a parsed template.
struct Statement: Sendable {
    let line: Int
    let form: Form

    indirect enum Form: Sendable {
        case data(Text)
        case output(Expression)
        case conditional(branches: [Branch], otherwise: [Statement])
        case loop(Loop)
        case assign(Target, Expression)
        /// `{% set x %}...{% endset %}`, with filters.
        case capture(Target, filters: [Step], body: [Statement])
        case filtered([Step], body: [Statement])
        case with([(Target, Expression)], body: [Statement])
        case macro(Macro)
        /// `{% call m(...) %}...{% endcall %}`: the body is the macro's `caller`.
        case call(Expression, caller: Macro)
        /// `{% generation %}`: what the model wrote; it prints its body.
        case scoped([Statement])
        case leaveLoop
        case nextIteration
    }

    struct Branch: Sendable {
        let test: Expression
        let body: [Statement]
    }

    struct Loop: Sendable {
        let target: Target
        let sequence: Expression
        let condition: Expression?
        let body: [Statement]
        let otherwise: [Statement]
    }

    struct Macro: Sendable {
        let name: String
        let parameters: [Parameter]
        let body: [Statement]
        /// Whether the body reads `varargs`, `kwargs` or `caller`, and so takes such arguments.
        let takesMorePositional, takesMoreNamed, takesCaller: Bool
    }

    struct Parameter: Sendable {
        let name: String
        let standard: Expression?
    }

    indirect enum Target: Sendable {
        case name(String)
        case attribute(of: String, String)
        case tuple([Target])
    }
}

/// An expression of a parsed template. Chains of operators of one rank are flat, so that only real nesting
/// deepens the tree.
struct Expression: Sendable {
    let line: Int
    let form: Form

    indirect enum Form: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case text(Text)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case object([(key: Expression, value: Expression)])
        case conditional(Expression, test: Expression, otherwise: Expression?)
        case or([Expression])
        case and([Expression])
        case not(Expression)
        case comparison(Expression, [(Comparison, Expression)])
        case arithmetic(Expression, [(Arithmetic, Expression)])
        case joined([Expression])
        case negative(Expression)
        case positive(Expression)
        case chain(Expression, [Step])
    }

    enum Comparison: Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, contained, notContained
    }

    enum Arithmetic: String, Sendable {
        case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", remainder = "%"
        case power = "**"
    }
}

/// What is done to a value: `.name`, `[...]`, `(...)`, `| filter`, `is test`.
struct Step: Sendable {
    let line: Int
    let form: Form

    enum Form: Sendable {
        case attribute(String)
        case subscription(Expression)
        case slice(Expression?, Expression?, Expression?)
        case call(ArgumentList)
        case filter(String, ArgumentList)
        case test(String, ArgumentList, isNegated: Bool)
    }
}

/// The arguments of a call as written.
struct ArgumentList: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    var unpackedList: Expression?
    var unpackedObject: Expression?
}
