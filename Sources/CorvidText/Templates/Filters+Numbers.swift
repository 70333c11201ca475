import Foundation

/// Reading and rounding numbers as Python does.
extension Evaluator {
    func rounded(_ value: Value, _ precision: Int, _ method: Text) throws(TemplateError) -> Value {
        guard let number = value.doubleNumber else {
            throw .invalid(line: line, problem: "filter 'round' needs a number, not \(value.kindName)")
        }
        if method != "common" {
            let scale = pow(10, Double(precision))
            let scaled = (number * scale).rounded(method == "ceil" ? .up : .down)
            return .number(scaled / scale)
        }
        if let whole = value.wholeNumber, precision >= 0 { return .integer(whole) }
        guard precision >= 0 else {
            let scale = pow(10, Double(-precision))
            let result = (number / scale).rounded(.toNearestOrEven) * scale
            return value.wholeNumber == nil ? .number(result) : .integer(Int(exactly: result) ?? 0)
        }
        guard number.isFinite else { return value }
        // Decimal rounding of the exact binary value: 2.675 lies below its decimal form.
        return .number(Double(String(format: "%.\(precision)f", number)) ?? number)
    }

    /// `int(text, base)`.
    static func wholeNumber(_ text: Text, base: Int) -> Int? {
        var digits = Array(text.stripped().string.lowercased().unicodeScalars)
        var isNegative = false
        if digits.first == "-" || digits.first == "+" { isNegative = digits.removeFirst() == "-" }
        var radix = base
        let prefixes: [Int: Unicode.Scalar] = [2: "b", 8: "o", 16: "x"]
        for (value, letter) in prefixes where digits.count > 2 && digits[0] == "0" && digits[1] == letter {
            guard base == value || base == 0 else { continue }
            radix = value
            digits.removeFirst(digits.dropFirst(2).first == "_" ? 3 : 2)
        }
        if radix == 0 { radix = 10 }
        guard (2...36).contains(radix), digits.first != "_", digits.last != "_", !digits.isEmpty else {
            return nil
        }
        var cleaned = isNegative ? "-" : ""
        var previous: Unicode.Scalar = "0"
        for digit in digits {
            if digit == "_" {
                if previous == "_" { return nil }
            } else {
                guard digit.isASCII, digit.properties.isAlphabetic || digit.isASCIIDigit else { return nil }
                cleaned.unicodeScalars.append(digit)
            }
            previous = digit
        }
        return Int(cleaned, radix: radix)
    }

    /// `float(text)`.
    static func double(_ text: Text) -> Double? {
        let string = text.stripped().string.lowercased()
        let unsigned = string.first == "-" || string.first == "+" ? String(string.dropFirst()) : string
        switch unsigned {
        case "inf", "infinity": return string.first == "-" ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        // Hexadecimal forms, which Swift reads, are no numbers in Python.
        let digits = unsigned.unicodeScalars
        guard digits.allSatisfy({ $0.isASCIIDigit || ".e+-_".unicodeScalars.contains($0) }) else {
            return nil
        }
        guard digits.first != "_", digits.last != "_", !unsigned.contains("__") else { return nil }
        return Double(string.filter { $0 != "_" })
    }
}
