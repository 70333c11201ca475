/// The methods of Python's `str` which templates use.
extension Evaluator {
    /// Every public method of Python's `str`; calling one that is missing here is an error which names it.
    static let textMethods: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
        "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
        "islower",
        "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
        "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
        "translate", "upper", "zfill",
    ]

    func callMethod(
        _ name: String, of receiver: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        switch receiver {
        case .text(let text):
            try spend(bytes: text.bytes.count)
            return try callTextMethod(name, text, arguments)
        case .loop(let loop): return try callLoopMethod(name, loop, arguments)
        default: return try callCollectionMethod(name, receiver, arguments)
        }
    }

    private func callTextMethod(
        _ name: String, _ text: Text, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let takesNames = ["split", "rsplit", "splitlines", "format"].contains(name)
        guard arguments.named.isEmpty || takesNames else {
            throw .invalid(line: line, problem: "'\(name)' takes no named arguments")
        }
        switch name {
        case "strip", "lstrip", "rstrip": return try strip(name, text, arguments)
        case "split", "rsplit": return try split(name, text, arguments)
        case "startswith", "endswith": return try hasEnd(name, text, arguments)
        case "find", "rfind", "index", "rindex", "count": return try search(name, text, arguments)
        case "removeprefix", "removesuffix": return try removeEnd(name, text, arguments)
        case "partition", "rpartition": return try partition(name, text, arguments)
        case "ljust", "rjust", "center", "zfill": return try pad(name, text, arguments)
        case "replace":
            let bound = try bind(arguments, of: "'replace'", to: ["old", "new", "count"], required: 2)
            return try replace(
                text, try self.text(bound[0], "what 'replace' looks for"),
                with: try self.text(bound[1], "what 'replace' puts in"),
                limit: try wholeNumber(bound[2], "the count of 'replace'", or: -1))
        case "join":
            let bound = try bind(arguments, of: "'join'", to: ["iterable"], required: 1)
            return try join(try iterate(bound[0] ?? .none, for: "'join'"), by: text, onlyTexts: true)
        case "splitlines":
            let bound = try bind(arguments, of: "'splitlines'", to: ["keepends"])
            return try makeTexts(text.lines(keepingEnds: bound[0]?.isTrue ?? false))
        case "format": return try makeText(try format(text, arguments))
        default:
            _ = try bind(arguments, of: "'\(name)'", to: [])
            return try plainTextMethod(name, text)
        }
    }

    /// Methods without arguments.
    private func plainTextMethod(_ name: String, _ text: Text) throws(TemplateError) -> Value {
        // Case mappings and properties look at every code point.
        try spend(text.bytes.count / 8)
        switch name {
        case "upper": return .text(try checked(text.uppercased))
        case "lower": return .text(try checked(text.lowercased))
        case "title": return .text(try checked(text.titlecased))
        case "capitalize": return .text(try checked(text.capitalized))
        case "islower": return .bool(text.isLowercase)
        case "isupper": return .bool(text.isUppercase)
        case "isascii": return .bool(text.isASCII)
        case "isspace": return .bool(isAll(text) { $0.isPythonSpace })
        case "isalpha": return .bool(isAll(text) { $0.isPythonLetter })
        case "isdigit": return .bool(isAll(text) { $0.isPythonDigit })
        case "isalnum": return .bool(isAll(text) { $0.isPythonLetter || $0.properties.numericType != nil })
        default: throw .unsupported(line: line, construct: "the method '\(name)' of strings")
        }
    }

    private func isAll(_ text: Text, _ test: (Unicode.Scalar) -> Bool) -> Bool {
        !text.isEmpty && text.string.unicodeScalars.allSatisfy(test)
    }

    private func strip(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["chars"])
        var set: Set<Unicode.Scalar>?
        if let characters = bound[0], !characters.isNone {
            let unwanted = try self.text(characters, "what '\(name)' takes away")
            try spend(unwanted.bytes.count / 8)
            set = Set(unwanted.scalars)
        }
        return .text(text.stripped(of: set, start: name != "rstrip", end: name != "lstrip"))
    }

    private func split(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["sep", "maxsplit"])
        let limit = try wholeNumber(bound[1], "'maxsplit'", or: -1)
        let fromEnd = name == "rsplit"
        guard let separator = bound[0], !separator.isNone else {
            try spend(text.bytes.count / 4)
            return try makeTexts(text.splitAtSpace(limit: limit, fromEnd: fromEnd))
        }
        let cut = try self.text(separator, "the separator of '\(name)'")
        guard !cut.isEmpty else { throw .invalid(line: line, problem: "'\(name)' needs a separator") }
        try spend(bytes: cut.bytes.count)
        return try makeTexts(text.split(by: cut, limit: limit, fromEnd: fromEnd))
    }

    private func hasEnd(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["prefix", "start", "end"], required: 1)
        var options = [bound[0] ?? .none]
        if case .tuple(let elements)? = bound[0] { options = elements.items }
        var searched = text
        if bound[1] != nil || bound[2] != nil {
            let end = bound[2] == nil ? nil : try wholeNumber(bound[2], "'end'", or: 0)
            let part = try slice(
                .text(text), start: try wholeNumber(bound[1], "'start'", or: 0), end: end, stride: 1)
            searched = part.text ?? text
        }
        for option in options {
            let wanted = try self.text(option, "what '\(name)' looks for")
            try spend(bytes: wanted.bytes.count)
            if name == "startswith" ? searched.hasPrefix(wanted) : searched.hasSuffix(wanted) {
                return .bool(true)
            }
        }
        return .bool(false)
    }

    private func search(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["sub", "start", "end"], required: 1)
        let wanted = try self.text(bound[0], "what '\(name)' looks for")
        guard bound[1] == nil, bound[2] == nil else {
            throw .unsupported(line: line, construct: "'\(name)' with bounds")
        }
        try spend(bytes: wanted.bytes.count)
        if name == "count" {
            return .integer(wanted.isEmpty ? text.count + 1 : text.offsets(of: wanted).count)
        }
        var offset: Int?
        if name == "find" || name == "index" {
            offset = text.firstOffset(of: wanted)
        } else {
            offset = wanted.isEmpty ? text.bytes.count : text.offsetsFromEnd(of: wanted, limit: 1).first
        }
        if let offset { return .integer(text.position(ofByte: offset)) }
        guard name.hasSuffix("find") else { throw .invalid(line: line, problem: "'\(name)' finds nothing") }
        return .integer(-1)
    }

    private func removeEnd(
        _ name: String, _ text: Text, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["text"], required: 1)
        let removed = try self.text(bound[0], "what '\(name)' removes")
        let isPrefix = name == "removeprefix"
        guard isPrefix ? text.hasPrefix(removed) : text.hasSuffix(removed) else { return .text(text) }
        let rest = text.bytes.count - removed.bytes.count
        return .text(text.bytes(in: isPrefix ? removed.bytes.count..<text.bytes.count : 0..<rest))
    }

    private func partition(
        _ name: String, _ text: Text, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "'\(name)'", to: ["sep"], required: 1)
        let separator = try self.text(bound[0], "the separator of '\(name)'")
        guard !separator.isEmpty else { throw .invalid(line: line, problem: "'\(name)' needs a separator") }
        let parts = text.split(by: separator, limit: 1, fromEnd: name == "rpartition")
        let missing: [Text] = name == "partition" ? [text, "", ""] : ["", "", text]
        let result = parts.count == 2 ? [parts[0], separator, parts[1]] : missing
        return try makeTuple(result.map { .text($0) })
    }

    private func pad(_ name: String, _ text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        let names = name == "zfill" ? ["width"] : ["width", "fillchar"]
        let bound = try bind(arguments, of: "'\(name)'", to: names, required: 1)
        let width = try wholeNumber(bound[0], "'width'", or: 0)
        let fill = name == "zfill" ? "0" : bound[1] == nil ? " " : try self.text(bound[1], "'fillchar'")
        guard fill.count == 1 else { throw .invalid(line: line, problem: "'fillchar' must be one character") }
        let missing = max(0, width.subtractingReportingOverflow(text.count).partialValue)
        guard missing > 0, width > 0 else { return .text(text) }
        guard missing <= TemplateLimits.outputBytes / fill.bytes.count else {
            throw .limit(line: line, limit: .output)
        }
        let padding = { (count: Int) in Array([[UInt8]](repeating: fill.bytes, count: count).joined()) }
        switch name {
        case "ljust": return try makeText(text.bytes + padding(missing))
        case "rjust": return try makeText(padding(missing) + text.bytes)
        case "zfill":
            let sign = text.bytes.first == 0x2B || text.bytes.first == 0x2D ? 1 : 0
            return try makeText(text.bytes.prefix(sign) + padding(missing) + text.bytes.dropFirst(sign))
        default:
            // Where the blanks do not divide evenly, Python puts the odd one left of texts of even length.
            let left = missing / 2 + (missing & width & 1)
            return try makeText(padding(left) + text.bytes + padding(missing - left))
        }
    }

    // MARK: Shared with filters

    func replace(
        _ text: Text, _ old: Text, with new: Text, limit: Int
    ) throws(TemplateError) -> Value {
        let most = limit < 0 ? Int.max : limit
        try spend(bytes: text.bytes.count + old.bytes.count)
        guard !old.isEmpty else { return try interleave(text, with: new, limit: most) }
        let offsets = text.offsets(of: old, limit: most)
        try spend(offsets.count)
        var result: [UInt8] = []
        var start = 0
        for offset in offsets {
            result += text.bytes[start..<max(start, offset)]
            result += new.bytes
            start = offset + old.bytes.count
            try checkLength(result.count)
        }
        result += text.bytes[min(start, text.bytes.count)...]
        return try makeText(result)
    }

    /// Replacing nothing puts the new text before every code point and at the end.
    private func interleave(_ text: Text, with new: Text, limit: Int) throws(TemplateError) -> Value {
        var result: [UInt8] = []
        var count = 0
        for scalar in text.string.unicodeScalars {
            if count < limit {
                result += new.bytes
                count += 1
                try checkLength(result.count)
            }
            result.append(scalar)
        }
        if count < limit { result += new.bytes }
        return try makeText(result)
    }

    func join(_ items: [Value], by separator: Text, onlyTexts: Bool) throws(TemplateError) -> Value {
        try spend(items.count)
        var result: [UInt8] = []
        for (index, item) in items.enumerated() {
            if index > 0 { result += separator.bytes }
            if onlyTexts, item.text == nil {
                throw .invalid(line: line, problem: "'join' needs strings, not \(item.kindName)")
            }
            try write(item, to: &result)
            try checkLength(result.count)
        }
        return try makeText(result)
    }
}

extension Unicode.Scalar {
    fileprivate var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    fileprivate var isPythonDigit: Bool {
        properties.numericType == .decimal || properties.numericType == .digit
    }
}
