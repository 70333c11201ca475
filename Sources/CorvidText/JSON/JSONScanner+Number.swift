extension JSONScanner {
    private static let longestNumber = 1_024  // bytes

    /// Reads a number: `.integer` when it has neither fraction nor exponent and fits 64 bits, else
    /// `.number`, which is finite.
    public mutating func readNumber() throws(JSONError) -> JSON {
        try expect(.number, "a number")
        let start = offset
        let isNegative = byte() == UInt8(ascii: "-")
        if isNegative { offset += 1 }

        var magnitude: UInt64 = 0
        var fits = true
        let digitsStart = offset
        while let digit = digit() {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry { fits = false } else { magnitude = sum }
            offset += 1
        }
        if offset == digitsStart { throw error("\(describeByte()) where a digit was expected") }
        if bytes[digitsStart] == UInt8(ascii: "0"), offset > digitsStart + 1 {
            offset = digitsStart
            throw error("a number with a leading zero")
        }

        var isInteger = true
        if byte() == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            try passDigits()
        }
        if let byte = byte(), byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isInteger = false
            offset += 1
            if let sign = self.byte(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset += 1 }
            try passDigits()
        }
        if isInteger, fits, let value = Self.integer(magnitude, isNegative: isNegative) {
            return .integer(value)
        }

        let end = offset
        offset = start
        guard end - start <= Self.longestNumber else {
            throw error("a number of \(end - start) characters; the limit is \(Self.longestNumber)")
        }
        guard let value = Double(String(decoding: bytes[start..<end], as: UTF8.self)), value.isFinite else {
            throw error("a number beyond the range of a double")
        }
        offset = end
        return .number(value)
    }

    /// Nil when it does not fit, and for -0, which only a double can hold.
    private static func integer(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
        if !isNegative { return Int64(exactly: magnitude) }
        if magnitude == 0 { return nil }
        if magnitude == Int64.min.magnitude { return Int64.min }
        return Int64(exactly: magnitude).map { -$0 }
    }

    private func digit() -> UInt64? {
        guard let byte = byte(), (0x30...0x39).contains(byte) else { return nil }
        return UInt64(byte - 0x30)
    }

    private mutating func passDigits() throws(JSONError) {
        let start = offset
        while digit() != nil { offset += 1 }
        if offset == start { throw error("\(describeByte()) where a digit was expected") }
    }
}
