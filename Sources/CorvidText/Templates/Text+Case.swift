/// Letter case with Python's rules: full Unicode mappings, code point by code point, and the final sigma.
extension Text {
    var uppercased: Text {
        if isASCII { return Text(bytes: bytes.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }) }
        return mapped { $0.properties.uppercaseMapping }
    }

    var lowercased: Text {
        if isASCII { return Text(bytes: bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }) }
        let scalars = self.scalars
        var result: [UInt8] = []
        for index in scalars.indices {
            result.append(contentsOf: Self.lowercase(scalars, index).utf8)
        }
        return Text(bytes: result)
    }

    /// First code point in title case, the others in lower case.
    var capitalized: Text {
        let scalars = self.scalars
        var result: [UInt8] = []
        for index in scalars.indices {
            let piece =
                index == 0 ? scalars[index].properties.titlecaseMapping : Self.lowercase(scalars, index)
            result.append(contentsOf: piece.utf8)
        }
        return Text(bytes: result)
    }

    /// `str.title`: every run of cased letters starts in title case.
    var titlecased: Text {
        let scalars = self.scalars
        var result: [UInt8] = []
        var previousIsCased = false
        for index in scalars.indices {
            let piece =
                previousIsCased ? Self.lowercase(scalars, index) : scalars[index].properties.titlecaseMapping
            result.append(contentsOf: piece.utf8)
            previousIsCased = scalars[index].properties.isCased
        }
        return Text(bytes: result)
    }

    /// The `title` filter: words begin after white space and `-({[<`.
    var titledWords: Text {
        let scalars = self.scalars
        var result: [UInt8] = []
        var startsWord = true
        for index in scalars.indices {
            let scalar = scalars[index]
            let separates = scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar)
            if startsWord || separates {
                result.append(contentsOf: scalar.properties.uppercaseMapping.utf8)
            } else {
                result.append(contentsOf: Self.lowercase(scalars, index).utf8)
            }
            startsWord = separates
        }
        return Text(bytes: result)
    }

    var isLowercase: Bool { hasCase { $0.isLowercase } }
    var isUppercase: Bool { hasCase { $0.isUppercase } }

    private func hasCase(_ wanted: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        var found = false
        for scalar in string.unicodeScalars where scalar.properties.isCased {
            if !wanted(scalar.properties) { return false }
            found = true
        }
        return found
    }

    private func mapped(_ transform: (Unicode.Scalar) -> String) -> Text {
        var result: [UInt8] = []
        for scalar in string.unicodeScalars {
            result.append(contentsOf: transform(scalar).utf8)
        }
        return Text(bytes: result)
    }

    private static func lowercase(_ scalars: [Unicode.Scalar], _ index: Int) -> String {
        guard scalars[index].value == 0x3A3 else { return scalars[index].properties.lowercaseMapping }
        // Sigma at the end of a word is written differently (Unicode, Final_Sigma).
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
        return isFinal ? "\u{3C2}" : "\u{3C3}"
    }
}
