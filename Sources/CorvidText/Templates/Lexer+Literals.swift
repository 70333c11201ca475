/// Names, numbers and strings inside of tags.
extension Lexer {
    mutating func identifier() -> Token.Kind {
        let start = position
        while position < source.count, source[position].properties.isXIDContinue {
            position += 1
        }
        return .name(string(start..<position))
    }

    mutating func number() throws(TemplateError) -> Token.Kind {
        let start = position
        let followsDot = start > 0 && source[start - 1] == "."
        if !followsDot, let end = floatEnd(from: start) {
            position = end
            guard let value = Double(string(start..<end).filter { $0 != "_" }) else {
                throw .syntax(line: line, problem: "this number cannot be read")
            }
            return .number(value)
        }
        var radix = 10
        var digits = start
        if source[start] == "0", let marker = scalar(at: start + 1), let digit = scalar(at: start + 2) {
            let wanted: Int? =
                switch marker {
                case "x", "X": 16
                case "o", "O": 8
                case "b", "B": 2
                default: nil
                }
            let sample = digit == "_" ? scalar(at: start + 3) : digit
            if let wanted, let sample, Self.value(of: sample, radix: wanted) != nil {
                radix = wanted
                digits = start + 2
            }
        }
        // After a leading zero only zeros belong to a decimal number, as in Python.
        if radix == 10, source[start] == "0" { radix = 1 }
        var value = 0
        var index = digits
        while let next = scalar(at: index) {
            let digit: Int
            if next == "_", let after = scalar(at: index + 1),
                let number = Self.value(of: after, radix: radix)
            {
                digit = number
                index += 2
            } else if let number = Self.value(of: next, radix: radix) {
                digit = number
                index += 1
            } else {
                break
            }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = scaled.addingReportingOverflow(digit)
            guard !overflow, !carry else {
                throw .syntax(line: line, problem: "this whole number does not fit into 64 bits")
            }
            value = sum
        }
        position = index
        return .integer(value)
    }

    /// Reads a string literal with Python's escapes and moves behind it.
    mutating func text(quote: Unicode.Scalar) throws(TemplateError) -> String {
        let start = line
        var result = String.UnicodeScalarView()
        var index = position + 1
        while let next = scalar(at: index) {
            if next == quote {
                advance(to: index + 1)
                return String(result)
            }
            guard next == "\\" else {
                result.append(next)
                index += 1
                continue
            }
            guard let escaped = scalar(at: index + 1) else { break }
            index += 2
            switch escaped {
            case "n": result.append("\n")
            case "t": result.append("\t")
            case "r": result.append("\r")
            case "\\", "'", "\"": result.append(escaped)
            case "\n": break
            case "a": result.append("\u{07}")
            case "b": result.append("\u{08}")
            case "f": result.append("\u{0C}")
            case "v": result.append("\u{0B}")
            case "x": result.append(try escape(digits: 2, at: &index))
            case "u": result.append(try escape(digits: 4, at: &index))
            case "U": result.append(try escape(digits: 8, at: &index))
            case "N": throw .unsupported(line: line, construct: "the escape '\\N{...}'")
            case "0"..."7":
                index -= 1
                var value: UInt32 = 0
                var count = 0
                while count < 3, let digit = scalar(at: index), ("0"..."7").contains(digit) {
                    value = value * 8 + (digit.value - 0x30)
                    index += 1
                    count += 1
                }
                result.append(Unicode.Scalar(value) ?? "?")
            default:
                // Python keeps the backslash of an escape it does not know.
                result.append("\\")
                result.append(escaped)
            }
        }
        throw .syntax(line: start, problem: "this string is not closed by \(quote)")
    }

    private func escape(digits: Int, at index: inout Int) throws(TemplateError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = scalar(at: index).flatMap({ Self.value(of: $0, radix: 16) }) else {
                throw .syntax(line: line, problem: "an escape needs \(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(truncatingIfNeeded: digit)
            index += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw .syntax(line: line, problem: "an escape names no Unicode character")
        }
        return scalar
    }

    /// The end of a number with a fraction or an exponent, or nil if there is none.
    private func floatEnd(from start: Int) -> Int? {
        guard var end = digitsEnd(from: start) else { return nil }
        var isFloat = false
        if scalar(at: end) == ".", let fraction = digitsEnd(from: end + 1) {
            end = fraction
            isFloat = true
        }
        if scalar(at: end) == "e" || scalar(at: end) == "E" {
            let sign = scalar(at: end + 1)
            if let exponent = digitsEnd(from: end + (sign == "+" || sign == "-" ? 2 : 1)) {
                end = exponent
                isFloat = true
            }
        }
        return isFloat ? end : nil
    }

    private func digitsEnd(from start: Int) -> Int? {
        guard scalar(at: start)?.isASCIIDigit == true else { return nil }
        var index = start + 1
        while let next = scalar(at: index) {
            if next.isASCIIDigit {
                index += 1
            } else if next == "_", scalar(at: index + 1)?.isASCIIDigit == true {
                index += 2
            } else {
                break
            }
        }
        return index
    }

    private static func value(of scalar: Unicode.Scalar, radix: Int) -> Int? {
        guard scalar.isASCII else { return nil }
        return Character(scalar).hexDigitValue.flatMap { $0 < radix ? $0 : nil }
    }
}
