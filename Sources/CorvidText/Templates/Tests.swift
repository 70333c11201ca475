/// The tests (`is defined` and so on), one table for all of them.
extension Evaluator {
    typealias Test = @Sendable (Evaluator, Value) throws(TemplateError) -> Bool
    typealias BinaryTest = @Sendable (Evaluator, Value, Value) throws(TemplateError) -> Bool

    static let tests: [String: Test] = [
        "defined": { _, value in !value.isUndefined },
        "undefined": { _, value in value.isUndefined },
        "none": { _, value in value.isNone },
        "boolean": { _, value in if case .bool = value { true } else { false } },
        "true": { _, value in if case .bool(true) = value { true } else { false } },
        "false": { _, value in if case .bool(false) = value { true } else { false } },
        "integer": { _, value in if case .integer = value { true } else { false } },
        "float": { _, value in if case .number = value { true } else { false } },
        "number": { _, value in value.doubleNumber != nil },
        "string": { _, value in value.text != nil },
        "mapping": { _, value in if case .object = value { true } else { false } },
        "sequence": { _, value in value.isSequence },
        "iterable": { _, value in value.isIterable },
        "callable": { _, value in value.isCallable },
        "odd": { evaluator, value throws(TemplateError) in try evaluator.remainder(value, by: 2, equals: 1) },
        "even": { evaluator, value throws(TemplateError) in try evaluator.remainder(value, by: 2, equals: 0)
        },
        "lower": { evaluator, value throws(TemplateError) in try evaluator.scannedString(value).isLowercase },
        "upper": { evaluator, value throws(TemplateError) in try evaluator.scannedString(value).isUppercase },
        "escaped": { _, _ in false },
        "filter": { _, value in value.text.map { filters[$0.string] != nil } ?? false },
        "test": { _, value in
            value.text.map { tests[$0.string] != nil || binaryTests[$0.string] != nil } ?? false
        },
    ]

    static let binaryTests: [String: BinaryTest] = [
        "divisibleby": { evaluator, value, other throws(TemplateError) in
            let remainder = try evaluator.calculate(try evaluator.number(value), .remainder, other)
            return try evaluator.areEqual(remainder, .integer(0))
        },
        "sameas": { evaluator, value, other throws(TemplateError) in
            // Python compares identity; values of one kind that are equal count as the same here.
            value.kindName == other.kindName ? try evaluator.areEqual(value, other) : false
        },
        "in": { evaluator, value, other throws(TemplateError) in try evaluator.contains(other, value) },
        "eq": comparing(.equal), "==": comparing(.equal), "equalto": comparing(.equal),
        "ne": comparing(.notEqual), "!=": comparing(.notEqual),
        "lt": comparing(.less), "<": comparing(.less), "lessthan": comparing(.less),
        "le": comparing(.lessOrEqual), "<=": comparing(.lessOrEqual),
        "gt": comparing(.greater), ">": comparing(.greater), "greaterthan": comparing(.greater),
        "ge": comparing(.greaterOrEqual), ">=": comparing(.greaterOrEqual),
    ]

    func test(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Bool {
        if let test = Self.tests[name] {
            _ = try bind(arguments, of: "test '\(name)'", to: [])
            return try test(self, value)
        }
        guard let test = Self.binaryTests[name] else {
            throw .unsupported(line: line, construct: "the test '\(name.prefix(40))'")
        }
        let bound = try bind(arguments, of: "test '\(name)'", to: ["other"], required: 1)
        return try test(self, value, bound[0] ?? .none)
    }

    private static func comparing(_ comparison: Expression.Comparison) -> BinaryTest {
        { evaluator, value, other throws(TemplateError) in try evaluator.compare(value, comparison, other) }
    }

    private func remainder(_ value: Value, by divisor: Int, equals wanted: Int) throws(TemplateError) -> Bool
    {
        let remainder = try calculate(try number(value), .remainder, .integer(divisor))
        return try areEqual(remainder, .integer(wanted))
    }
}

extension Value {
    fileprivate var isSequence: Bool {
        switch self {
        case .text, .list, .tuple, .object, .undefined: true
        case .view(let view): view.isRange
        default: false
        }
    }

    fileprivate var isIterable: Bool {
        switch self {
        case .text, .list, .tuple, .object, .undefined, .view, .generator, .loop: true
        default: false
        }
    }

    fileprivate var isCallable: Bool {
        switch self {
        case .macro, .function, .method, .loop, .undefined: true
        default: false
        }
    }
}
