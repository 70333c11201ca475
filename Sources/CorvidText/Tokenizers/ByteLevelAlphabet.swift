/// The spelling of bytes in byte-level vocabularies (Radford et al. 2019, GPT-2's `encoder.py`).
///
/// Bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF are spelled as the code points of the same number, the
/// other 68 in increasing order as U+0100 onwards; so a blank becomes U+0120 ("Ġ").
enum ByteLevelAlphabet {
    private static func standsForItself(_ byte: Int) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
    }

    /// The code point that spells each byte.
    static let points: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            if standsForItself(byte) { return UInt32(byte) }
            defer { next += 1 }
            return next
        }
    }()

    /// The byte that each code point below U+0144 spells; -1 where it spells none.
    static let bytes: [Int16] = {
        var result = [Int16](repeating: -1, count: 0x144)
        for (byte, point) in points.enumerated() { result[Int(point)] = Int16(byte) }
        return result
    }()

    /// Appends the bytes that `spelling[range]` (UTF-8) stands for. When a character of it spells no
    /// byte, nothing is appended and the answer is false.
    static func decode(_ spelling: [UInt8], _ range: Range<Int>, into output: inout [UInt8]) -> Bool {
        let table = bytes
        let start = output.count
        var offset = range.lowerBound
        while offset < range.upperBound {
            var point = Int(spelling[offset])
            offset += 1
            if point >= 0x80 {
                guard (0xC2...0xC5).contains(point), offset < range.upperBound,
                    spelling[offset] & 0xC0 == 0x80
                else {
                    output.removeLast(output.count - start)
                    return false
                }
                point = (point & 0x1F) << 6 | Int(spelling[offset] & 0x3F)
                offset += 1
            }
            guard point < table.count, table[point] >= 0 else {
                output.removeLast(output.count - start)
                return false
            }
            output.append(UInt8(table[point]))
        }
        return true
    }

    /// The spelling of some bytes.
    static func spell(_ bytes: some Sequence<UInt8>) -> String {
        let points = points
        var result = String.UnicodeScalarView()
        for byte in bytes {
            if let scalar = Unicode.Scalar(points[Int(byte)]) { result.append(scalar) }
        }
        return String(result)
    }
}
