/// Damages a text token by token, so that most mutants get past the lexer: for JSON and for templates.
public struct TokenMutator: Sendable {
    private let tokens: [[UInt8]]
    private let replacements: [[UInt8]]

    /// - Parameter replacements: tokens to put in place of others or between them.
    public init(tokens: [[UInt8]], replacements: [String]) {
        self.tokens = tokens
        self.replacements = replacements.map { Array($0.utf8) }
    }

    /// One change in half of all cases, up to three otherwise. Most changes put a token in the place of one
    /// of
    /// its kind, so that many mutants are still right and reach what lies behind the parser.
    public func mutate(using generator: inout SeededGenerator) -> [UInt8] {
        var result = tokens
        let changes = generator.chance(2) ? 1 : 1 + generator.index(below: 3)
        for _ in 0..<changes { change(&result, &generator) }
        return Array(result.joined())
    }

    private func change(_ tokens: inout [[UInt8]], _ generator: inout SeededGenerator) {
        guard !tokens.isEmpty else { return }
        let place = generator.index(below: tokens.count)
        let other = generator.index(below: tokens.count)
        switch generator.index(below: 16) {
        case 0: tokens.remove(at: place)
        case 1: tokens.insert(tokens[other], at: place)
        case 2: tokens.swapAt(place, other)
        case 3: tokens[place] = tokens[other]
        case 4: tokens.removeSubrange(min(place, other)..<max(place, other))
        case 5:
            let end = min(tokens.count, other + 1 + generator.index(below: 12))
            tokens.insert(contentsOf: tokens[other..<end], at: place)
        case 6:
            let piece = replacements[generator.index(below: replacements.count)]
            tokens.insert(
                contentsOf: Array(repeating: piece, count: 1 + generator.index(below: 80)), at: place)
        case 7: tokens[place] = replacements[generator.index(below: replacements.count)]
        case 8...11: replace(in: &tokens, by: replacements, &generator)
        default: replace(in: &tokens, by: tokens, &generator)
        }
    }

    /// Puts a token of `choices` in the place of one of the same kind.
    private func replace(
        in tokens: inout [[UInt8]], by choices: [[UInt8]], _ generator: inout SeededGenerator
    ) {
        for _ in 0..<64 {
            let place = generator.index(below: tokens.count)
            let choice = choices[generator.index(below: choices.count)]
            let kind = Kind(choice)
            if kind == Kind(tokens[place]), kind != .blank, kind != .mark {
                tokens[place] = choice
                return
            }
        }
    }

    private enum Kind {
        case blank, word, number, text, mark

        init(_ token: [UInt8]) {
            guard let first = token.first else {
                self = .blank
                return
            }
            switch first {
            case 0x20, 0x0A, 0x0D, 0x09: self = .blank
            case 0x30...0x39: self = .number
            case UInt8(ascii: "-") where token.count > 1: self = .number
            case UInt8(ascii: "'"), UInt8(ascii: "\""): self = .text
            case 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: self = .word
            default: self = .mark
            }
        }
    }

    // MARK: Languages

    /// Strings, numbers, words and punctuation of a JSON text.
    public static func json(_ text: [UInt8]) -> TokenMutator {
        TokenMutator(
            tokens: split(text, quotes: [UInt8(ascii: "\"")], pairs: []),
            replacements: [
                "null", "true", "false", "0", "1", "-1", "2", "1.5", "-0", "1e308", "1e-308", "1e999", "255",
                "65536",
                "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
                "-9223372036854775808",
                "18446744073709551615", "18446744073709551616", "1152921504606846976", "\"\"", "\"a\"",
                "\"\\u0000\"",
                "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"F32\"", "\"F4\"", "[]", "{}", "[[]]", "[", "{", "]",
                "}", ",", ":",
                "[0]", "[0,0]", "[1,0]", "{\"a\":1}", "\"../../x\"", "\"/\"", "NaN", "\u{FEFF}", "\\",
            ])
    }

    /// Names, literals, operators and delimiters of a Jinja template.
    public static func template(_ text: [UInt8]) -> TokenMutator {
        let pairs = ["{{", "}}", "{%", "%}", "{#", "#}", "==", "!=", "<=", ">=", "//", "**"].map {
            Array($0.utf8)
        }
        return TokenMutator(
            tokens: split(text, quotes: [UInt8(ascii: "'"), UInt8(ascii: "\"")], pairs: pairs),
            replacements: [
                "{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "(", ")", "[", "]", "{", "}", ",", ":", ".",
                "|", "~",
                "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">", "=", " not ", " and ", " or ",
                " in ", " is ",
                " if ", " else ", " for x in ", "{% for x in y %}", "{% endfor %}", "{% if x %}",
                "{% elif y %}",
                "{% else %}", "{% endif %}", "{% set x = x ~ x %}", "{% set ns.x = ns.x + 1 %}",
                "{% set ns = namespace(x=1) %}",
                "{% macro m(a) %}", "{% endmacro %}", "{{ m(1) }}", "{% generation %}", "{% break %}",
                "messages", "message", "loop.index0", "loop.previtem", "loop.last", "loop.cycle(1,2)",
                "namespace()",
                "range(1000000)", "range(-5)", "range(1,10,0)", "range(4096)", "9223372036854775807",
                "-9223372036854775808",
                "9999999999999999999999", "1e308", "1.5", "0", "-1", "none", "true", "''", "'x' * 1000000000",
                "\"\\x\"",
                "[::-1]", "[::0]", "[-1:1]", "[9223372036854775807]", "[:-9223372036854775808]", "|length",
                "|tojson",
                "|tojson(indent=4)", "|trim", "|join", "|replace('','a')", "|sort", "|list", "|map('upper')",
                "|selectattr('a')",
                "|indent(1000000000)", "|int", "|float", "|default(x)", "|items", "|first", "|last",
                "|unknown",
                ".strip()", ".split('')", ".split('a', -1)", ".startswith('')", ".__class__", "['__class__']",
                ".items()",
                ".append(1)", ".format(1)", ".encode", "raise_exception('a')", "strftime_now('%Y %')",
                " is defined",
                " is mapping", " is divisibleby(0)", " is sameas 1", "é", "\u{0}",
            ])
    }

    /// Runs of letters and digits, quoted texts, the given pairs of characters, and single bytes.
    private static func split(_ text: [UInt8], quotes: [UInt8], pairs: [[UInt8]]) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        var offset = 0
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
            default: false
            }
        }
        while offset < text.count {
            let start = offset
            if quotes.contains(text[start]), let end = endOfQuote(text, start) {
                offset = end
            } else if pairs.contains(where: { text[start...].starts(with: $0) }) {
                offset += 2
            } else if isWord(text[start]) {
                while offset < text.count, isWord(text[offset]) { offset += 1 }
            } else {
                offset += 1
            }
            tokens.append(Array(text[start..<offset]))
        }
        return tokens
    }

    private static func endOfQuote(_ text: [UInt8], _ start: Int) -> Int? {
        var offset = start + 1
        while offset < text.count {
            if text[offset] == text[start] { return offset + 1 }
            offset += text[offset] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
