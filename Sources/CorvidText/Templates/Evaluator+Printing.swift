/// Printing values as Python's `str` and `repr` do.
extension Evaluator {
    /// Appends what `{{ value }}` prints.
    func write(_ value: Value, to output: inout [UInt8]) throws(TemplateError) {
        switch value {
        case .undefined: break
        case .text(let text):
            try spend(bytes: text.bytes.count)
            try checkLength(output.count + text.bytes.count)
            output.append(contentsOf: text.bytes)
        default: try writeForm(value, to: &output, depth: 0)
        }
    }

    /// Appends the form a value has within a printed list.
    func writeForm(_ value: Value, to output: inout [UInt8], depth: Int) throws(TemplateError) {
        try spend(1)
        try checkLength(output.count)
        guard depth <= TemplateLimits.depth else { throw .limit(line: line, limit: .depth) }
        switch value {
        case .undefined: output.append(contentsOf: "Undefined".utf8)
        case .none: output.append(contentsOf: "None".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "True" : "False").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): output.append(contentsOf: value.pythonForm.utf8)
        case .text(let text):
            try spend(bytes: text.bytes.count)
            output.append(contentsOf: text.pythonForm)
        case .list(let elements): try write(elements.items, "[", "]", to: &output, depth: depth)
        case .tuple(let elements):
            try write(elements.items, "(", elements.items.count == 1 ? ",)" : ")", to: &output, depth: depth)
        case .object(let object): try write(object, to: &output, depth: depth)
        case .view(let view): try write(view, to: &output, depth: depth)
        case .namespace(let number):
            output.append(contentsOf: "<Namespace ".utf8)
            try write(try makeNamespaceObject(number), to: &output, depth: depth + 1)
            output.append(contentsOf: ">".utf8)
        case .generator: output.append(contentsOf: "<generator object>".utf8)
        case .macro(let number): output.append(contentsOf: "<Macro '\(macroName(number))'>".utf8)
        case .loop(let loop):
            output.append(contentsOf: "<LoopContext \(loop.index + 1)/\(loop.elements.items.count)>".utf8)
        case .function(let function): output.append(contentsOf: "<function \(function.rawValue)>".utf8)
        case .method(let method): output.append(contentsOf: "<method \(method.name)>".utf8)
        }
        try checkLength(output.count)
    }

    private func write(
        _ items: [Value], _ open: String, _ close: String, to output: inout [UInt8], depth: Int
    ) throws(TemplateError) {
        output.append(contentsOf: open.utf8)
        var isFirst = true
        for item in items {
            if !isFirst { output.append(contentsOf: ", ".utf8) }
            isFirst = false
            try writeForm(item, to: &output, depth: depth + 1)
        }
        output.append(contentsOf: close.utf8)
    }

    private func write(_ object: ValueObject, to output: inout [UInt8], depth: Int) throws(TemplateError) {
        output.append(contentsOf: "{".utf8)
        var isFirst = true
        for entry in object.entries {
            if !isFirst { output.append(contentsOf: ", ".utf8) }
            isFirst = false
            try writeForm(entry.key, to: &output, depth: depth + 1)
            output.append(contentsOf: ": ".utf8)
            try writeForm(entry.value, to: &output, depth: depth + 1)
        }
        output.append(contentsOf: "}".utf8)
    }

    private func write(_ view: Value.View, to output: inout [UInt8], depth: Int) throws(TemplateError) {
        let name: String
        switch view.kind {
        case .range(let start, let stop, let step):
            output.append(contentsOf: "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))".utf8)
            return
        case .keys: name = "dict_keys(["
        case .values: name = "dict_values(["
        case .items: name = "dict_items(["
        }
        try write(view.elements.items, name, "])", to: &output, depth: depth)
    }
}

extension Double {
    /// Shortest decimal form which reads back as the same number, as Python writes it.
    var pythonForm: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        return description
    }
}

extension Text {
    /// The text as a Python literal.
    var pythonForm: [UInt8] {
        let quote: Unicode.Scalar = bytes.contains(0x27) && !bytes.contains(0x22) ? "\"" : "'"
        var result: [UInt8] = []
        result.append(quote)
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\n": result.append(contentsOf: "\\n".utf8)
            case "\t": result.append(contentsOf: "\\t".utf8)
            case "\r": result.append(contentsOf: "\\r".utf8)
            case "\\": result.append(contentsOf: "\\\\".utf8)
            case quote:
                result.append("\\")
                result.append(quote)
            default:
                if scalar.isPythonPrintable {
                    result.append(scalar)
                } else {
                    let hexadecimal = String(scalar.value, radix: 16)
                    let (prefix, width) =
                        scalar.value < 0x100 ? ("\\x", 2) : scalar.value < 0x10000 ? ("\\u", 4) : ("\\U", 8)
                    result.append(contentsOf: prefix.utf8)
                    result.append(
                        contentsOf: repeatElement(0x30, count: max(0, width - hexadecimal.utf8.count)))
                    result.append(contentsOf: hexadecimal.utf8)
                }
            }
        }
        result.append(quote)
        return result
    }
}

extension Unicode.Scalar {
    fileprivate var isPythonPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }
}
