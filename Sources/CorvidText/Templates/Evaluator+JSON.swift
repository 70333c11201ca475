/// JSON in (the context) and out (`tojson`).
extension Evaluator {
    func value(_ json: JSON, depth: Int = 0) throws(TemplateError) -> Value {
        guard depth <= TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        switch json {
        case .null: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(Int(value))
        case .number(let value): return .number(value)
        case .string(let string): return .text(Text(string))
        case .array(let items):
            var values: [Value] = []
            for item in items {
                values.append(try value(item, depth: depth + 1))
            }
            return try makeList(values)
        case .object(let object):
            var pairs: [(key: Value, value: Value)] = []
            for (name, item) in object {
                pairs.append((.text(Text(name)), try value(item, depth: depth + 1)))
            }
            return try makeObject(pairs)
        }
    }

    /// How `json.dumps` writes.
    struct JSONStyle {
        var escapesNonASCII = false
        var indent: Text?
        var itemSeparator: Text = ", "
        var keySeparator: Text = ": "
        var sortsKeys = false
    }

    func writeJSON(
        _ value: Value, _ style: JSONStyle, to output: inout [UInt8], depth: Int = 0
    ) throws(TemplateError) {
        try spend(1)
        guard depth <= TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        switch value {
        case .none: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): output.append(contentsOf: value.jsonForm.utf8)
        case .text(let text): try writeJSON(text, style, to: &output)
        case .list(let elements), .tuple(let elements):
            try writeJSON(count: elements.items.count, "[", "]", style, to: &output, depth: depth) {
                (index, output) throws(TemplateError) in
                try self.writeJSON(elements.items[index], style, to: &output, depth: depth + 1)
            }
        case .object(let object):
            var entries: [(key: Text, value: Value)] = []
            for entry in object.entries {
                entries.append((try jsonKey(entry.key), entry.value))
            }
            if style.sortsKeys {
                entries = try sorted(entries) { (a, b) throws(TemplateError) in a.key < b.key }
            }
            try writeJSON(count: entries.count, "{", "}", style, to: &output, depth: depth) {
                (index, output) throws(TemplateError) in
                try self.writeJSON(entries[index].key, style, to: &output)
                output.append(contentsOf: style.keySeparator.bytes)
                try self.writeJSON(entries[index].value, style, to: &output, depth: depth + 1)
            }
        default: throw .invalid(line: line, problem: "\(value.kindName) cannot be written as JSON")
        }
        try checkLength(output.count)
    }

    private func writeJSON(
        count: Int, _ open: String, _ close: String, _ style: JSONStyle, to output: inout [UInt8], depth: Int,
        element: (Int, inout [UInt8]) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        output.append(contentsOf: open.utf8)
        for index in 0..<count {
            if index > 0 { output.append(contentsOf: style.itemSeparator.bytes) }
            try breakLine(style, depth + 1, &output)
            try element(index, &output)
        }
        if count > 0 { try breakLine(style, depth, &output) }
        output.append(contentsOf: close.utf8)
    }

    private func breakLine(_ style: JSONStyle, _ depth: Int, _ output: inout [UInt8]) throws(TemplateError) {
        guard let indent = style.indent else { return }
        try spend(bytes: indent.bytes.count * depth)
        try checkLength(output.count + indent.bytes.count * depth)
        output.append(0x0A)
        for _ in 0..<depth {
            output.append(contentsOf: indent.bytes)
        }
    }

    private func jsonKey(_ key: Value) throws(TemplateError) -> Text {
        switch key {
        case .text(let text): text
        case .none: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): Text(String(value))
        case .number(let value): Text(value.jsonForm)
        default: throw .invalid(line: line, problem: "\(key.kindName) cannot be a key in JSON")
        }
    }

    private func writeJSON(_ text: Text, _ style: JSONStyle, to output: inout [UInt8]) throws(TemplateError) {
        try spend(bytes: text.bytes.count)
        output.append(0x22)
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "\"": output.append(contentsOf: "\\\"".utf8)
            case "\\": output.append(contentsOf: "\\\\".utf8)
            case "\n": output.append(contentsOf: "\\n".utf8)
            case "\r": output.append(contentsOf: "\\r".utf8)
            case "\t": output.append(contentsOf: "\\t".utf8)
            case "\u{08}": output.append(contentsOf: "\\b".utf8)
            case "\u{0C}": output.append(contentsOf: "\\f".utf8)
            default:
                if scalar.value < 0x20 || (style.escapesNonASCII && scalar.value > 0x7E) {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        output.append(contentsOf: "\\u".utf8)
                        output.append(contentsOf: repeatElement(0x30, count: max(0, 4 - digits.utf8.count)))
                        output.append(contentsOf: digits.utf8)
                    }
                } else {
                    output.append(scalar)
                }
            }
        }
        output.append(0x22)
    }
}

extension Double {
    fileprivate var jsonForm: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
        return pythonForm
    }
}
