/// The filters, one table for all of them.
extension Evaluator {
    typealias Filter = @Sendable (Evaluator) -> (Value, Arguments) throws(TemplateError) -> Value

    static let filters: [String: Filter] = [
        "abs": Evaluator.absFilter, "capitalize": Evaluator.capitalizeFilter, "count": Evaluator.lengthFilter,
        "d": Evaluator.defaultFilter, "default": Evaluator.defaultFilter,
        "dictsort": Evaluator.dictsortFilter,
        "e": Evaluator.escapeFilter, "escape": Evaluator.escapeFilter, "first": Evaluator.firstFilter,
        "float": Evaluator.floatFilter, "format": Evaluator.formatFilter, "indent": Evaluator.indentFilter,
        "int": Evaluator.intFilter, "items": Evaluator.itemsFilter, "join": Evaluator.joinFilter,
        "last": Evaluator.lastFilter, "length": Evaluator.lengthFilter, "list": Evaluator.listFilter,
        "lower": Evaluator.lowerFilter, "map": Evaluator.mapFilter, "max": Evaluator.maxFilter,
        "min": Evaluator.minFilter, "reject": Evaluator.rejectFilter,
        "rejectattr": Evaluator.rejectattrFilter,
        "replace": Evaluator.replaceFilter, "reverse": Evaluator.reverseFilter,
        "round": Evaluator.roundFilter,
        "safe": Evaluator.stringFilter, "select": Evaluator.selectFilter,
        "selectattr": Evaluator.selectattrFilter, "sort": Evaluator.sortFilter,
        "string": Evaluator.stringFilter,
        "sum": Evaluator.sumFilter, "title": Evaluator.titleFilter, "tojson": Evaluator.tojsonFilter,
        "trim": Evaluator.trimFilter, "unique": Evaluator.uniqueFilter, "upper": Evaluator.upperFilter,
        "wordcount": Evaluator.wordcountFilter,
    ]

    func filter(_ name: String, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard let filter = Self.filters[name] else {
            throw .unsupported(line: line, construct: "the filter '\(name.prefix(40))'")
        }
        return try filter(self)(value, arguments)
    }

    // MARK: Any value

    private func defaultFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'default'", to: ["default_value", "boolean"])
        let alsoFalse = bound[1]?.isTrue ?? false
        return value.isUndefined || (alsoFalse && !value.isTrue) ? bound[0] ?? .text("") : value
    }

    private func stringFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'string'", to: [])
        return .text(try string(value))
    }

    private func lengthFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'length'", to: [])
        return .integer(try length(of: value))
    }

    private func tojsonFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(
            arguments, of: "filter 'tojson'", to: ["ensure_ascii", "indent", "separators", "sort_keys"])
        var style = JSONStyle()
        style.escapesNonASCII = bound[0]?.isTrue ?? false
        style.sortsKeys = bound[3]?.isTrue ?? false
        switch bound[1] {
        case nil, Value.none?: break
        case .text(let indent)?: style.indent = indent
        default:
            let width = try wholeNumber(bound[1], "'indent'", or: 0)
            guard width <= 1_000 else { throw .limit(line: line, limit: .output) }
            style.indent = Text(bytes: [UInt8](repeating: 0x20, count: max(0, width)))
        }
        if style.indent != nil { style.itemSeparator = "," }
        if let separators = bound[2], !separators.isNone {
            let parts = try iterate(separators, for: "'separators'")
            guard parts.count == 2 else {
                throw .invalid(line: line, problem: "'separators' must be two strings")
            }
            style.itemSeparator = try text(parts[0], "a separator")
            style.keySeparator = try text(parts[1], "a separator")
        }
        var bytes: [UInt8] = []
        try writeJSON(value, style, to: &bytes)
        return try makeText(bytes)
    }

    // MARK: Numbers

    private func absFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'abs'", to: [])
        if case .number(let number) = value { return .number(abs(number)) }
        guard let whole = value.wholeNumber else {
            throw .invalid(line: line, problem: "filter 'abs' needs a number, not \(value.kindName)")
        }
        return whole < 0 ? try negated(value) : .integer(whole)
    }

    private func roundFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'round'", to: ["precision", "method"])
        let precision = try wholeNumber(bound[0], "'precision'", or: 0)
        let method = bound[1] == nil ? "common" : try text(bound[1], "'method'")
        guard (-15...15).contains(precision), ["common", "ceil", "floor"].contains(method) else {
            throw .invalid(
                line: line, problem: "filter 'round' takes at most 15 digits; common, ceil or floor")
        }
        return try rounded(value, precision, method)
    }

    private func intFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'int'", to: ["default", "base"])
        let base = try wholeNumber(bound[1], "'base'", or: 10)
        let standard = bound[0] ?? .integer(0)
        switch value {
        case .undefined(let undefined): throw failure(undefined)
        case .number(let number):
            if number.isNaN { return standard }
            guard let whole = Int(exactly: number.rounded(.towardZero)) else {
                throw .invalid(line: line, problem: "a whole number exceeds 64 bits")
            }
            return .integer(whole)
        case .text:
            let text = try scannedString(value)
            if let whole = Self.wholeNumber(text, base: base) { return .integer(whole) }
            let number = Self.double(text)?.rounded(.towardZero)
            return number.flatMap { Int(exactly: $0) }.map { .integer($0) } ?? standard
        default: return value.wholeNumber.map { .integer($0) } ?? standard
        }
    }

    private func floatFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'float'", to: ["default"])
        switch value {
        case .undefined(let undefined): throw failure(undefined)
        case .text: return Self.double(try scannedString(value)).map { .number($0) } ?? bound[0] ?? .number(0)
        default: return value.doubleNumber.map { .number($0) } ?? bound[0] ?? .number(0)
        }
    }

    // MARK: Mappings

    private func itemsFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'items'", to: [])
        if value.isUndefined { return try makeGenerator([]) }
        guard case .object(let object) = value else {
            throw .invalid(line: line, problem: "filter 'items' needs a mapping, not \(value.kindName)")
        }
        return try makeGenerator(try items(of: object))
    }

    private func dictsortFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'dictsort'", to: ["case_sensitive", "by", "reverse"])
        if case .undefined(let undefined) = value { throw failure(undefined) }
        guard case .object(let object) = value else {
            throw .invalid(line: line, problem: "filter 'dictsort' needs a mapping, not \(value.kindName)")
        }
        let by = bound[1] == nil ? "key" : try text(bound[1], "'by'")
        guard by == "key" || by == "value" else {
            throw .invalid(line: line, problem: "'by' must be 'key' or 'value'")
        }
        let keys = by == "key" ? object.entries.map(\.key) : object.entries.map(\.value)
        return try makeList(
            try sorted(
                try items(of: object), keys: keys.map { [$0] }, caseMatters: bound[0]?.isTrue ?? false,
                isReversed: bound[2]?.isTrue ?? false))
    }
}
