/// A piece of a template's source.
struct Token {
    enum Kind: Equatable {
        /// Text outside of tags.
        case data(String)
        case statementBegin, statementEnd, outputBegin, outputEnd
        case name(String)
        case text(String)
        case integer(Int)
        case number(Double)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String {
        case plus = "+", minus = "-", slash = "/", floorSlash = "//", star = "*", power = "**", percent = "%"
        case tilde = "~", pipe = "|", dot = ".", comma = ",", colon = ":", semicolon = ";", assign = "="
        case openBracket = "[", closeBracket = "]", openParenthesis = "(", closeParenthesis = ")"
        case openBrace = "{", closeBrace = "}"
        case equal = "==", notEqual = "!=", greater = ">", greaterOrEqual = ">=", less = "<", lessOrEqual =
            "<="
    }

    let kind: Kind
    let line: Int

    /// How a message names this token.
    var name: String {
        switch kind {
        case .data: "text"
        case .statementBegin: "'{%'"
        case .statementEnd: "'%}'"
        case .outputBegin: "'{{'"
        case .outputEnd: "'}}'"
        case .name(let name): "'\(name)'"
        case .text: "a string"
        case .integer, .number: "a number"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .end: "the end of the template"
        }
    }
}
