/// Why token vectors cannot be probed for characters.
public enum CharacterProbeError: Error, Equatable, CustomStringConvertible {
    case noText
    case noTokens(alphabet: String, vocabulary: Int)
    case fewRows(rows: Int, id: Int32, piece: String)
    case notFinite(id: Int32, piece: String)
    case unknownScript(String)
    case letter(String, alphabet: String)
    case noLetters(fewest: Int)
    case setting(name: String, found: String, expected: String)
    case lemmaLine(file: String, line: Int)
    case tooFew(what: String, found: Int, fewest: Int)

    public var description: String {
        switch self {
        case .noText:
            "the vocabulary has ids but no text, so nothing says which letters a token has; probe a model with "
                + "its tokenizer files"
        case .noTokens(let alphabet, let vocabulary):
            "none of the \(vocabulary) tokens consists of \(alphabet) letters only; try another --script"
        case .fewRows(let rows, let id, let piece):
            "the matrix has \(rows) rows, but token \(id) (\(piece)) needs row \(id); the tokenizer belongs to "
                + "another model"
        case .notFinite(let id, let piece):
            "the vector of token \(id) (\(piece)) has NaN or infinity; the file is damaged"
        case .unknownScript(let name):
            "there is no script \"\(name)\"; expected one of "
                + TokenScript.allCases.map(\.rawValue).joined(separator: ", ")
        case .letter(let letter, let alphabet):
            "\"\(letter)\" is no letter that is probed here; expected some of \(alphabet)"
        case .noLetters(let fewest):
            "no letter occurs in \(fewest) or more tokens; the vocabulary is too small to probe"
        case .setting(let name, let found, let expected):
            "\(name) is \(found); expected \(expected)"
        case .lemmaLine(let file, let line):
            "\(file): line \(line) is not a token, a tab and its lemma"
        case .tooFew(let what, let found, let fewest):
            "there are \(found) \(what); at least \(fewest) are needed"
        }
    }
}
