/// Why a state vector could not be made or put in.
public enum InContextError: Error, Equatable, CustomStringConvertible {
    case file(String, place: String, reason: String)
    case noDemonstrations
    case noDummies
    case noTest
    case noValidation
    case pairs(needed: Int, found: Int)
    case outOfRange(field: String, found: String, allowed: String)
    case layer(Int, layers: Int)
    /// A vector of a model with another number of layers, or another width.
    case otherModel(layers: Int, columns: Int, expectedLayers: Int, expectedColumns: Int)
    /// An answer of which nothing is left beside its query.
    case emptyAnswer(query: String)
    /// A query alone that is longer than the context.
    case context(tokens: Int, contextLength: Int)
    /// A tokenizer that gives another text back, so that arrows cannot be located.
    case arrowsLost
    case emptyTemplate
    case sink(String)
    /// A patch that holds no state vector.
    case noStateVector(patch: String)
    case differentShapes
    /// What a patch cannot hold.
    case cannotSave(String)
    case notFinite(layer: Int)
    case continuesNoText

    public var description: String {
        switch self {
        case .file(let file, let place, let reason):
            return
                "\(file): \(place): \(reason). Write [{\"input\": ..., \"output\": ...}, ...] or {input: output}."
        case .noDemonstrations:
            return "there are no demonstrations; a state vector needs at least one pair of input and output."
        case .noDummies:
            return
                "there is no input left for a dummy query; give one pair more than there are demonstrations."
        case .noTest:
            return "there are no pairs to test on; give more pairs, or use fewer demonstrations."
        case .noValidation:
            return "there are no validation pairs to choose a layer by; give some, or a --layer."
        case .pairs(let needed, let found):
            return
                "the task has \(found) pairs, at least \(needed) are needed; use fewer --shots, --validation or --groups."
        case .outOfRange(let field, let found, let allowed):
            return "\(field) is \(found), expected \(allowed)."
        case .layer(let layer, let layers):
            return "there is no layer \(layer); the layers are 0 to \(layers - 1)."
        case .otherModel(let layers, let columns, let expectedLayers, let expectedColumns):
            return
                "the state vector has \(layers) layers of \(columns) values, the model \(expectedLayers) of \(expectedColumns): "
                + "it was made from another model."
        case .emptyAnswer(let query):
            return "the answer to '\(query)' has no tokens of its own; give it a text."
        case .context(let tokens, let length):
            return
                "a query alone takes \(tokens) tokens, the context has \(length); shorten it or raise --context."
        case .arrowsLost:
            return
                "the tokenizer changes the text, so that arrows cannot be found by their place; use --tokenise pieces."
        case .emptyTemplate:
            return "the arrow of the template is empty; give at least one character."
        case .sink(let text):
            return "'\(text)' is no token of the model; use auto, none or the spelling of a token."
        case .noStateVector(let patch):
            return "patch \(patch) holds no state vector; make one with 'corvid steer icl extract'."
        case .differentShapes:
            return
                "the state vectors have different layers, tokens or widths; use those of one model and arrow."
        case .cannotSave(let what):
            return "\(what) depends on what it replaces and cannot be saved as a patch; leave it out."
        case .notFinite(let layer):
            return "layer \(layer) of the state vector holds a value that is no number (NaN or infinite)."
        case .continuesNoText:
            return "the model does not continue texts, so that it cannot learn in context."
        }
    }

    static func check(_ field: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            let allowed =
                range.upperBound == .max
                ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw outOfRange(field: field, found: "\(value)", allowed: allowed)
        }
    }
}

/// What was done otherwise than asked, or will not work well.
public enum InContextWarning: Sendable, Equatable, Hashable, CustomStringConvertible {
    /// No token stands before the text: the first word of a bare query falls into the attention sink.
    case noSink
    /// Fewer states than the mean is to be taken of.
    case fewStates(found: Int, window: Int)
    /// Demonstrations that did not fit in the context.
    case dropped(kept: Int, of: Int)

    public var description: String {
        switch self {
        case .noSink:
            "no token stands before the text; the first word of a bare query may be lost. Use --sink TOKEN."
        case .fewStates(let found, let window):
            "there are \(found) states, fewer than \(window): the mean is taken of all of them."
        case .dropped(let kept, let count):
            "\(count - kept) of \(count) demonstrations do not fit in the context and were left out."
        }
    }
}
