/// Why no text, or no further text, can be generated or scored.
public enum GenerationError: Error, Equatable, Sendable {
    /// A setting outside its range; the field is named as on the command line.
    case outOfRange(field: String, found: String, allowed: String)
    /// There is nothing to continue.
    case emptyPrompt
    /// A prompt token which the model has no row for.
    case promptToken(id: Int32, index: Int, vocabularySize: Int)
    /// Prompt and at least one new token do not fit into the context.
    case promptTooLong(tokens: Int, contextLength: Int)
    /// The model gave NaN or infinity.
    case notFinite(position: Int)
    /// Every token has probability 0, for instance because all were forbidden.
    case nothingToChoose(position: Int)
    /// A text of fewer than two tokens has nothing that could be scored.
    case nothingToScore(tokens: Int)
    /// The model did not return as many rows or columns of logits as it was asked for.
    case logitsShape(found: [Int], expected: [Int])
    /// The model is an encoder, a classifier, or has no output over its vocabulary.
    case continuesNoText
}

extension GenerationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .outOfRange(let field, let found, let allowed):
            "\(field) is \(found), allowed: \(allowed)"
        case .emptyPrompt:
            "the prompt is empty; give at least one token to continue"
        case .promptToken(let id, let index, let size):
            "token \(id) at index \(index) of the prompt is outside the vocabulary 0..<\(size); "
                + "was the text encoded with another tokenizer?"
        case .promptTooLong(let tokens, let length):
            "the prompt has \(tokens) tokens and leaves no room in the context of \(length); "
                + "shorten the prompt or raise --context"
        case .notFinite(let position):
            "the model gave NaN or infinity for position \(position); "
                + "its weights may be damaged, or overflow in this --dtype"
        case .nothingToChoose(let position):
            "no token may be chosen at position \(position): all are forbidden; loosen the logit bias"
        case .nothingToScore(let tokens):
            "the text has \(tokens) tokens, scoring needs at least 2; give a longer text"
        case .logitsShape(let found, let expected):
            "the model returned logits of shape \(found), expected \(expected)"
        case .continuesNoText:
            "the model neither continues nor scores texts: it was made to give vectors, labels or hidden tokens"
        }
    }
}
