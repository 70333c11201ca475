/// What cannot be recorded or changed.
public enum SiteError: Error, Equatable, CustomStringConvertible {
    case name(String)
    /// A site that the model does not have.
    case missing(Site, family: String, has: [Site.Kind])
    case layer(Site, layers: Int)
    /// Vectors of another width than the site's values.
    case width(Site, found: Int, expected: Int)
    case head(Site, head: Int, heads: Int)
    case column(Site, column: Int, columns: Int)
    /// Heads of a site that has none.
    case noHeads(Site)
    case sequence(index: Int, count: Int)
    /// Positions which the text does not have.
    case position(Int, tokens: Int)
    /// Positions before the text's, or text that is shorter than the vectors laid over it.
    case tooShort(Site, tokens: Int, needed: Int)
    case resume(layer: Int, layers: Int)
    case resumeRows(found: Int, expected: Int)
    /// A value that is no number, in what is to be put in.
    case notFinite(Site)
    /// A value that is no number, in what the site holds after a change.
    case becameNotFinite(Site, position: Int)
    /// A direction without length, which nothing can be projected on.
    case noDirection(Site)
    /// A closure that changed the shape of the rows.
    case shape(Site)
    case substring(String)
    case substringTwice(String)
    case positions(String)

    public var description: String {
        switch self {
        case .name(let text):
            return "'\(text)' is no site. Sites are: "
                + Site.Kind.allCases.map { ($0.isPerLayer ? "LAYER." : "") + $0.rawValue }.joined(
                    separator: ", ")
                + "; for example 5.mlp.hidden."
        case .missing(let site, let family, let has):
            return "a \(family) model has no site \(site). It has: "
                + has.map { ($0.isPerLayer ? "LAYER." : "") + $0.rawValue }.joined(separator: ", ") + "."
        case .layer(let site, let layers):
            return "site \(site): the model has layers 0 to \(layers - 1)."
        case .width(let site, let found, let expected):
            return
                "site \(site) has \(expected) values for each token, the vector has \(found). Was it made from another model?"
        case .head(let site, _, 0):
            return "site \(site): all heads of this block were removed."
        case .head(let site, let head, let heads):
            return "site \(site): there is no head \(head); the heads are 0 to \(heads - 1)."
        case .column(let site, let column, let columns):
            return "site \(site): there is no column \(column); the columns are 0 to \(columns - 1)."
        case .noHeads(let site):
            return
                "site \(site) does not fall into heads; choose attention.heads, .query, .key, .value or .pattern."
        case .sequence(let index, let count):
            return "there is no sequence \(index) in a batch of \(count)."
        case .position(let position, let tokens):
            return "position \(position) is outside the text, which has \(tokens) tokens: 0 to \(tokens - 1)."
        case .tooShort(let site, let tokens, let needed):
            return
                "the change at \(site) needs a prompt of at least \(needed) tokens, this one has \(tokens); use a longer prompt."
        case .resume(let layer, let layers):
            return "a pass cannot begin at block \(layer) of \(layers)."
        case .resumeRows(let found, let expected):
            return
                "a pass that begins between blocks needs \(expected) values of the residual, found \(found)."
        case .notFinite(let site):
            return "the vector for site \(site) holds a value that is no number (NaN or infinite)."
        case .becameNotFinite(let site, let position):
            return
                "site \(site) holds a value that is no number (NaN or infinite) at position \(position) after the change; use a smaller strength."
        case .noDirection(let site):
            return "the direction for site \(site) has no length, so that nothing can be projected on it."
        case .shape(let site):
            return "the closure at site \(site) changed how many rows or values there are."
        case .substring(let text):
            return "'\(text)' does not occur in the text."
        case .substringTwice(let text):
            return "'\(text)' occurs more than once in the text; give a longer piece that occurs once."
        case .positions(let text):
            return
                "'\(text)' names no positions. Write all, prompt, generated, last, 3, 2-5, 4-, -2, or after:TEXT for the last token of a piece of the text."
        }
    }
}
