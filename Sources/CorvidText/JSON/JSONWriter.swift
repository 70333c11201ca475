extension JSON {
    /// This value as text: keys in their order, doubles in the shortest form that reads back equal,
    /// no escape where none is needed. What JSON cannot say (NaN, infinity) is written as null.
    /// - Parameter pretty: one member or element a line, indented by two blanks.
    public func encoded(pretty: Bool = false) -> String {
        String(decoding: encodedBytes(pretty: pretty), as: UTF8.self)
    }

    /// The UTF-8 bytes of `encoded(pretty:)`.
    public func encodedBytes(pretty: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output, pretty: pretty)
        return output
    }

    /// Appends the text of this value to an array of bytes.
    public func write(to output: inout [UInt8], pretty: Bool = false) {
        write(to: &output, indentation: pretty ? 0 : nil)
    }

    private func write(to output: inout [UInt8], indentation: Int?) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): output.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): Self.write(value, to: &output)
        case .array(let elements):
            let inner = indentation.map { $0 + 1 }
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.breakLine(inner, to: &output)
                element.write(to: &output, indentation: inner)
            }
            if !elements.isEmpty { Self.breakLine(indentation, to: &output) }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            let inner = indentation.map { $0 + 1 }
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.breakLine(inner, to: &output)
                Self.write(member.key, to: &output)
                output.append(contentsOf: (indentation == nil ? ":" : ": ").utf8)
                member.value.write(to: &output, indentation: inner)
            }
            if !object.isEmpty { Self.breakLine(indentation, to: &output) }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func breakLine(_ indentation: Int?, to output: inout [UInt8]) {
        guard let indentation else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indentation))
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): output.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0x00..<0x20:
                output.append(contentsOf: "\\u00".utf8)
                for digit in [byte >> 4, byte & 15] {
                    output.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
                }
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
