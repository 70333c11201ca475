/// Why a fact cannot be traced.
public enum TracingError: Error, Equatable, CustomStringConvertible {
    case outOfRange(field: String, found: String, allowed: String)
    /// A window whose blocks are severed.
    case severedWindow
    /// An absolute level for noise that has the subjects' covariance.
    case absoluteCovariance
    /// A model that does not predict the next token from those before it.
    case continuesNoText(family: String)
    /// A model whose logits are not made of the last block's state alone.
    case noLens(family: String)
    case subject(first: Int, last: Int, tokens: Int)
    case noTokens
    case answer(id: Int32, vocabulary: Int)
    case tooLong(tokens: Int, context: Int)
    /// An answer without a token of its own.
    case emptyAnswer
    /// A record of a file of facts.
    case record(index: Int, key: String)
    case noFacts
    /// A probability that is no number, with a token restored at a layer, or with none restored.
    case notFinite(layer: Int?, position: Int)

    public var description: String {
        switch self {
        case .outOfRange(let field, let found, let allowed):
            "\(field) is \(found); expected \(allowed)."
        case .severedWindow:
            "severed modules go with restored states; choose the kind state, or sever nothing."
        case .absoluteCovariance:
            "noise with the subjects' covariance has a level such as 1s, a factor; an absolute level says nothing there."
        case .continuesNoText(let family):
            "a \(family) model predicts no next token from the tokens before it, so that nothing can be traced."
        case .noLens(let family):
            "a \(family) model has no logit lens: its logits are not made of one token's state alone."
        case .subject(let first, let last, let tokens):
            "the subject is at tokens \(first) to \(last) of a prompt that has \(tokens): 0 to \(tokens - 1)."
        case .noTokens:
            "the text has no tokens; give at least one."
        case .answer(let id, let vocabulary):
            "the answer's token \(id) is outside the vocabulary 0..<\(vocabulary)."
        case .tooLong(let tokens, let context):
            "the prompt has \(tokens) tokens, \(context) fit in the context; shorten it or raise --context."
        case .emptyAnswer:
            "the answer adds no token to the prompt; give a word that goes on with it."
        case .record(let index, let key):
            "record \(index) of the facts: \(key) is missing or empty, expected a text."
        case .noFacts:
            "there is no fact to trace; each record has a prompt, its subject and an attribute."
        case .notFinite(let layer, let position):
            "the probability with "
                + (layer.map { "token \(position) restored at layer \($0)" } ?? "nothing restored")
                + " is no number (NaN); use less noise."
        }
    }
}
