/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` on as transformers sets them, and
/// without the source's last newline.
struct Lexer {
    var source: [Unicode.Scalar]
    var position = 0
    var line = 1
    private var tokens: [Token] = []
    /// Whether the text that follows begins a line of the source.
    private var startsLine = true

    static func tokens(of source: String) throws(TemplateError) -> [Token] {
        guard source.utf8.count <= TemplateLimits.sourceBytes else {
            throw .limit(line: 1, limit: .source)
        }
        var lexer = Lexer(source)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: String) {
        source = []
        source.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar == "\n", source.last == "\r" {
                source[source.count - 1] = "\n"
            } else {
                source.append(scalar)
            }
        }
        // A lone carriage return is a newline as well; a pair has been joined above.
        for index in source.indices where source[index] == "\r" {
            source[index] = "\n"
        }
        if source.last == "\n" { source.removeLast() }
    }

    private mutating func run() throws(TemplateError) {
        while let open = nextTag() {
            let kind = source[open + 1]
            let sign = scalar(at: open + 2)
            if kind == "%", let afterRaw = rawTag("raw", at: open, trimming: false) {
                addData(upTo: open, sign: sign, stripping: true)
                advance(to: afterRaw)
                try raw()
                continue
            }
            addData(upTo: open, sign: sign, stripping: kind != "{")
            advance(to: open + (sign == "-" || sign == "+" ? 3 : 2))
            switch kind {
            case "#": try comment()
            case "{": try tag(begin: .outputBegin, end: .outputEnd)
            default: try tag(begin: .statementBegin, end: .statementEnd)
            }
        }
        if position < source.count { add(.data(string(position..<source.count))) }
        advance(to: source.count)
        add(.end)
    }

    // MARK: Text outside of tags

    private func nextTag() -> Int? {
        var index = position
        while index + 1 < source.count {
            if source[index] == "{",
                source[index + 1] == "%" || source[index + 1] == "{" || source[index + 1] == "#"
            {
                return index
            }
            index += 1
        }
        return nil
    }

    private mutating func addData(upTo end: Int, sign: Unicode.Scalar?, stripping: Bool) {
        var kept = end
        if sign == "-" {
            while kept > position, source[kept - 1].isPythonSpace {
                kept -= 1
            }
        } else if sign != "+", stripping {
            var start = end
            while start > position, source[start - 1] != "\n" {
                start -= 1
            }
            let beginsLine = start > position || startsLine
            if beginsLine, start < end, source[start..<end].allSatisfy(\.isPythonSpace) { kept = start }
        }
        if kept > position { add(.data(string(position..<kept))) }
        advance(to: end)
    }

    private mutating func comment() throws(TemplateError) {
        // As in Jinja, a comment may open at the very end.
        if position >= source.count { return }
        var index = position
        while index + 1 < source.count {
            if source[index] == "#", source[index + 1] == "}" {
                let sign = index > position ? source[index - 1] : " "
                var after = index + 2
                if sign == "-" {
                    after = skippingSpace(from: after)
                } else if sign != "+", scalar(at: after) == "\n" {
                    after += 1
                }
                close(at: after)
                return
            }
            index += 1
        }
        throw .syntax(line: line, problem: "this comment is not closed by '#}'")
    }

    private mutating func raw() throws(TemplateError) {
        if position >= source.count { return }
        var index = position
        while index + 1 < source.count {
            if source[index] == "{", source[index + 1] == "%",
                let after = rawTag("endraw", at: index, trimming: true)
            {
                addData(upTo: index, sign: scalar(at: index + 2), stripping: true)
                close(at: after)
                return
            }
            index += 1
        }
        throw .syntax(line: line, problem: "this 'raw' block is not closed by 'endraw'")
    }

    /// Where a `raw` or `endraw` tag which opens at `open` ends, or nil if there is none.
    private func rawTag(_ name: String, at open: Int, trimming: Bool) -> Int? {
        var index = open + 2
        if scalar(at: index) == "-" || scalar(at: index) == "+" { index += 1 }
        index = skippingSpace(from: index)
        for letter in name.unicodeScalars {
            guard scalar(at: index) == letter else { return nil }
            index += 1
        }
        index = skippingSpace(from: index)
        var strips = false
        if scalar(at: index) == "-" {
            strips = true
            index += 1
        } else if trimming, scalar(at: index) == "+", scalar(at: index + 1) == "%",
            scalar(at: index + 2) == "}"
        {
            return index + 3
        }
        guard scalar(at: index) == "%", scalar(at: index + 1) == "}" else { return nil }
        index += 2
        if strips { return skippingSpace(from: index) }
        return trimming && scalar(at: index) == "\n" ? index + 1 : index
    }

    // MARK: Tags

    private mutating func tag(begin: Token.Kind, end: Token.Kind) throws(TemplateError) {
        add(begin)
        var expected: [Token.Symbol] = []
        while position < source.count {
            if expected.isEmpty, let after = tagEnd(end) {
                add(end)
                close(at: after)
                return
            }
            let first = source[position]
            if first.isPythonSpace {
                advance(to: skippingSpace(from: position))
            } else if first.isASCIIDigit {
                add(try number())
            } else if first == "_" || first.properties.isXIDStart {
                add(identifier())
            } else if first == "'" || first == "\"" {
                try addText(quote: first)
            } else {
                try addSymbol(&expected)
            }
        }
    }

    private func tagEnd(_ end: Token.Kind) -> Int? {
        let isStatement = end == .statementEnd
        let first: Unicode.Scalar = isStatement ? "%" : "}"
        var index = position
        let sign = scalar(at: index)
        if sign == "-" || (isStatement && sign == "+") { index += 1 }
        guard scalar(at: index) == first, scalar(at: index + 1) == "}" else { return nil }
        index += 2
        if sign == "-" { return skippingSpace(from: index) }
        if isStatement, sign != "+", scalar(at: index) == "\n" { index += 1 }
        return index
    }

    private mutating func addText(quote: Unicode.Scalar) throws(TemplateError) {
        let start = line
        let token = Token(kind: .text(try text(quote: quote)), line: start)
        tokens.append(token)
    }

    private mutating func addSymbol(_ expected: inout [Token.Symbol]) throws(TemplateError) {
        var symbol: Token.Symbol?
        if position + 1 < source.count { symbol = Token.Symbol(rawValue: string(position..<position + 2)) }
        let found = symbol ?? Token.Symbol(rawValue: string(position..<position + 1))
        guard let found else {
            throw .syntax(line: line, problem: "unexpected character '\(source[position])'")
        }
        switch found {
        case .openBrace: expected.append(.closeBrace)
        case .openBracket: expected.append(.closeBracket)
        case .openParenthesis: expected.append(.closeParenthesis)
        case .closeBrace, .closeBracket, .closeParenthesis:
            guard expected.popLast() == found else {
                throw .syntax(line: line, problem: "unexpected '\(found.rawValue)'")
            }
        default: break
        }
        add(.symbol(found))
        position += symbol == nil ? 1 : 2
    }

    // MARK: Moving

    private mutating func add(_ kind: Token.Kind) {
        tokens.append(Token(kind: kind, line: line))
    }

    /// Leaves a tag; `index` is where the text after it begins.
    private mutating func close(at index: Int) {
        advance(to: index)
        startsLine = index > 0 && source[index - 1] == "\n"
    }

    mutating func advance(to index: Int) {
        while position < index {
            if source[position] == "\n" { line += 1 }
            position += 1
        }
    }

    func scalar(at index: Int) -> Unicode.Scalar? {
        index < source.count ? source[index] : nil
    }

    func string(_ range: Range<Int>) -> String {
        String(String.UnicodeScalarView(source[range]))
    }

    private func skippingSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace {
            index += 1
        }
        return index
    }
}

extension Unicode.Scalar {
    var isASCIIDigit: Bool { (0x30...0x39).contains(value) }
}
