/// Text as Jinja sees it: a sequence of code points, equal only where every code point is.
///
/// Swift's `String` compares by canonical equivalence and counts grapheme clusters; a template's lengths,
/// slices and comparisons count code points. UTF-8 bytes keep their order and make copies cheap.
struct Text: Hashable, Sendable {
    /// Valid UTF-8.
    var bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ string: String) {
        bytes = Array(string.utf8)
    }

    init(scalars: some Sequence<Unicode.Scalar>) {
        bytes = []
        for scalar in scalars {
            bytes.append(scalar)
        }
    }

    var string: String { String(decoding: bytes, as: UTF8.self) }
    var scalars: [Unicode.Scalar] { Array(string.unicodeScalars) }
    var isEmpty: Bool { bytes.isEmpty }

    /// Number of code points.
    var count: Int {
        var count = 0
        for byte in bytes where byte & 0xC0 != 0x80 {
            count += 1
        }
        return count
    }

    var isASCII: Bool {
        for byte in bytes where byte >= 0x80 {
            return false
        }
        return true
    }
}

extension Text: ExpressibleByStringLiteral {
    init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Text: Comparable {
    /// Order of code points, which is also the order of the bytes.
    static func < (left: Text, right: Text) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension [UInt8] {
    /// Appends one code point in UTF-8.
    mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.isASCII {
            append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            append(contentsOf: String(scalar).utf8)
        }
    }
}

extension Unicode.Scalar {
    /// White space as Python's `str.isspace` and `\s` define it.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
            0x3000:
            true
        default: false
        }
    }

    /// Where `str.splitlines` ends a line.
    var isLineBoundary: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
