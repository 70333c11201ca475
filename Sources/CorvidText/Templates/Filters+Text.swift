/// Filters on strings; each takes any value and uses the text it prints as, so that undefined is empty.
extension Evaluator {
    func upperFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try mapped(value, arguments, "upper") { $0.uppercased }
    }

    func lowerFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try mapped(value, arguments, "lower") { $0.lowercased }
    }

    func titleFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try mapped(value, arguments, "title") { $0.titledWords }
    }

    func capitalizeFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        try mapped(value, arguments, "capitalize") { $0.capitalized }
    }

    private func mapped(
        _ value: Value, _ arguments: Arguments, _ name: String, _ transform: (Text) -> Text
    ) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter '\(name)'", to: [])
        return .text(try checked(transform(try scannedString(value))))
    }

    func trimFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'trim'", to: ["chars"])
        var set: Set<Unicode.Scalar>?
        if let characters = bound[0], !characters.isNone {
            let unwanted = try text(characters, "what 'trim' takes away")
            try spend(unwanted.bytes.count / 8)
            set = Set(unwanted.scalars)
        }
        let text = try string(value)
        return .text(text.stripped(of: set))
    }

    func replaceFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'replace'", to: ["old", "new", "count"], required: 2)
        let limit = bound[2]?.isNone ?? true ? -1 : try wholeNumber(bound[2], "'count'", or: -1)
        return try replace(
            try string(value), try string(bound[0] ?? .none), with: try string(bound[1] ?? .none),
            limit: limit)
    }

    func escapeFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'escape'", to: [])
        let text = try string(value)
        var bytes: [UInt8] = []
        for byte in text.bytes {
            switch byte {
            case 0x26: bytes += Array("&amp;".utf8)
            case 0x3C: bytes += Array("&lt;".utf8)
            case 0x3E: bytes += Array("&gt;".utf8)
            case 0x22: bytes += Array("&#34;".utf8)
            case 0x27: bytes += Array("&#39;".utf8)
            default: bytes.append(byte)
            }
        }
        try spend(text.bytes.count / 8)
        return try makeText(bytes)
    }

    func formatFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else {
            throw .unsupported(line: line, construct: "filter 'format' with named arguments")
        }
        return try makeText(try printf(try string(value), try makeTuple(arguments.positional)))
    }

    func wordcountFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, of: "filter 'wordcount'", to: [])
        let text = try scannedString(value)
        var count = 0
        var isInside = false
        for scalar in text.string.unicodeScalars {
            let isWord =
                scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return .integer(count)
    }

    func indentFilter(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try bind(arguments, of: "filter 'indent'", to: ["width", "first", "blank"])
        let content = try text(value, "what 'indent' is applied to")
        var indent: Text = "    "
        if case .text(let given)? = bound[0] {
            indent = given
        } else if bound[0] != nil {
            let width = try wholeNumber(bound[0], "'width'", or: 4)
            guard width <= 1_000 else { throw .limit(line: line, limit: .output) }
            indent = Text(bytes: [UInt8](repeating: 0x20, count: max(0, width)))
        }
        try spend(content.bytes.count / 8)
        var result = bound[1]?.isTrue ?? false ? indent.bytes : []
        // A newline is added so that a last empty line is one.
        for (index, line) in Text(bytes: content.bytes + [0x0A]).lines().enumerated() {
            if index > 0 {
                result.append(0x0A)
                if !line.isEmpty || bound[2]?.isTrue ?? false { result += indent.bytes }
            }
            result += line.bytes
            try checkLength(result.count)
        }
        return try makeText(result)
    }
}
