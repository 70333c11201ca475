import Foundation

/// `'%s' % x`, the `format` filter, and `str.format` with plain fields.
extension Evaluator {
    /// Python's `%` on a string with one value or a tuple of values.
    func printf(_ format: Text, _ value: Value) throws(TemplateError) -> [UInt8] {
        var values = [value]
        if case .tuple(let elements) = value { values = elements.items }
        let scalars = format.scalars
        try spend(scalars.count)
        var result: [UInt8] = []
        var index = 0
        var used = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            guard scalar == "%" else {
                result.append(scalar)
                continue
            }
            var directive = Directive()
            try directive.read(scalars, &index, line)
            if directive.conversion == "%" {
                result.append("%")
                continue
            }
            guard used < values.count else {
                throw .invalid(line: line, problem: "the format needs more values than are given")
            }
            result += try formatted(values[used], directive)
            used += 1
            try checkLength(result.count)
        }
        let ignoresRest: Bool
        switch value {
        case .object, .list, .undefined: ignoresRest = used == 0
        default: ignoresRest = false
        }
        guard used == values.count || ignoresRest else {
            throw .invalid(line: line, problem: "the format needs fewer values than are given")
        }
        return result
    }

    /// `%-05.2f` taken apart.
    private struct Directive {
        var alignsLeft = false
        var fillsZeros = false
        var showsPlus = false
        var width = 0
        var precision: Int?
        var conversion: Unicode.Scalar = "s"

        mutating func read(
            _ scalars: [Unicode.Scalar], _ index: inout Int, _ line: Int
        ) throws(TemplateError) {
            flags: while index < scalars.count {
                switch scalars[index] {
                case "-": alignsLeft = true
                case "0": fillsZeros = true
                case "+": showsPlus = true
                default: break flags
                }
                index += 1
            }
            width = Self.number(scalars, &index) ?? 0
            if index < scalars.count, scalars[index] == "." {
                index += 1
                precision = Self.number(scalars, &index) ?? 0
            }
            guard index < scalars.count else {
                throw .invalid(line: line, problem: "the format ends within a directive")
            }
            conversion = scalars[index]
            index += 1
            guard "sdifrx%".unicodeScalars.contains(conversion), width < 10_000, (precision ?? 0) <= 100
            else {
                throw .unsupported(line: line, construct: "this directive '%\(conversion)' of a format")
            }
        }

        private static func number(_ scalars: [Unicode.Scalar], _ index: inout Int) -> Int? {
            var value: Int?
            while index < scalars.count, scalars[index].isASCIIDigit {
                value = min((value ?? 0) * 10 + Int(scalars[index].value - 0x30), 1_000_000)
                index += 1
            }
            return value
        }
    }

    private func formatted(_ value: Value, _ directive: Directive) throws(TemplateError) -> [UInt8] {
        var body: [UInt8] = []
        switch directive.conversion {
        case "s": try write(value, to: &body)
        case "r": try writeForm(value, to: &body, depth: 0)
        case "f":
            guard let number = value.doubleNumber else {
                throw .invalid(line: line, problem: "'%f' needs a number, not \(value.kindName)")
            }
            body = Array(String(format: "%.\(directive.precision ?? 6)f", number).utf8)
        default:
            var whole = value.wholeNumber
            if whole == nil, directive.conversion != "x", case .number(let number) = value {
                whole = Int(exactly: number.rounded(.towardZero))
            }
            guard let whole else {
                throw .invalid(
                    line: line,
                    problem: "'%\(directive.conversion)' needs a whole number, not \(value.kindName)")
            }
            body = Array(String(whole, radix: directive.conversion == "x" ? 16 : 10).utf8)
        }
        let isNumber = !["s", "r"].contains(directive.conversion)
        if !isNumber, let precision = directive.precision {
            let text = Text(bytes: body)
            body = text.slice(0..<min(precision, text.count)).bytes
        }
        if isNumber, directive.showsPlus, body.first != 0x2D { body.insert(0x2B, at: 0) }
        let missing = max(0, directive.width - Text(bytes: body).count)
        if directive.alignsLeft { return body + [UInt8](repeating: 0x20, count: missing) }
        if isNumber, directive.fillsZeros {
            let sign = body.first == 0x2D || body.first == 0x2B ? 1 : 0
            body.insert(contentsOf: repeatElement(0x30, count: missing), at: sign)
            return body
        }
        return [UInt8](repeating: 0x20, count: missing) + body
    }

    /// `str.format` with the fields `{}`, `{0}` and `{name}`; looking into a field's value is not offered.
    func format(_ text: Text, _ arguments: Arguments) throws(TemplateError) -> [UInt8] {
        let scalars = text.scalars
        try spend(scalars.count)
        var result: [UInt8] = []
        var index = 0
        var automatic = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if scalar == "{" || scalar == "}", index < scalars.count, scalars[index] == scalar {
                result.append(scalar)
                index += 1
                continue
            }
            guard scalar == "{" else {
                guard scalar != "}" else { throw .invalid(line: line, problem: "a single '}' in a format") }
                result.append(scalar)
                continue
            }
            guard let end = scalars[index...].firstIndex(of: "}") else {
                throw .invalid(line: line, problem: "a field of a format is not closed by '}'")
            }
            let field = String(String.UnicodeScalarView(scalars[index..<end]))
            index = end + 1
            try write(try self.field(field, &automatic, arguments), to: &result)
            try checkLength(result.count)
        }
        return result
    }

    private func field(
        _ field: String, _ automatic: inout Int, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let number = field.isEmpty ? automatic : Int(field)
        if let number {
            if field.isEmpty { automatic += 1 }
            guard arguments.positional.indices.contains(number) else {
                throw .invalid(line: line, problem: "the format needs more values than are given")
            }
            return arguments.positional[number]
        }
        if let value = arguments.named.first(where: { $0.name == field })?.value { return value }
        guard field.unicodeScalars.allSatisfy({ $0 == "_" || $0.properties.isXIDContinue }) else {
            throw .unsupported(line: line, construct: "a field of a format with more than a name")
        }
        throw .invalid(line: line, problem: "the format needs a value named '\(field.prefix(40))'")
    }
}
