import CorvidModels

/// Why a steering vector cannot be made, or not be used.
public enum SteeringError: Error, Equatable, CustomStringConvertible {
    /// Both prompts of a pair have no tokens.
    case emptyPair(index: Int)
    /// A text without tokens.
    case emptyText(index: Int)
    /// The tokenizer names no token that begins a text.
    case noBeginning
    /// The vocabulary has no token that is one blank.
    case noBlank
    case noPairs(file: String)
    /// Something in a file of pairs.
    case pairs(file: String, place: String, found: String, expected: String)
    case layer(Int, layers: Int)
    case noLayers
    /// A position that a text of the pairs does not have.
    case index(Int, pair: Int, tokens: Int)
    /// Activations that are no numbers.
    case notFinite(Site, text: Int)
    /// Positive and negative texts give the same, or the same in both directions.
    case noDirection(Site)
    /// The vector is laid over more tokens than the prompt has.
    case promptTooShort(tokens: Int, needed: Int)
    /// A vector that is laid over the middle of a prompt, whose length is not known.
    case middleWithoutPrompt
    case dimensions(found: ClosedRange<Int>, width: Int)
    case strength(String, found: Double)
    /// A vector laid over the stream of a model of another width.
    case width(Site, found: Int, expected: Int)
    /// A patch that does something else than adding vectors to the residual stream.
    case notSteering(patch: String, change: String)
    /// No text is longer than the vectors that are laid over it.
    case nothingToScore(group: String)
    case noTopic

    public var description: String {
        switch self {
        case .emptyPair(let index):
            return "pair \(index): both prompts are empty; give a text to at least one of them."
        case .emptyText(let index):
            return "text \(index) is empty; give it at least one word, or leave it out."
        case .noBeginning:
            return "the tokenizer names no token that begins a text, and one is needed before both prompts.\n"
                + "Name it with --beginning, for example --beginning '<|endoftext|>'."
        case .noBlank:
            return
                "the prompts have different lengths and the vocabulary has no token for one blank to fill the "
                + "shorter; choose prompts of the same number of tokens."
        case .noPairs(let file):
            return "\(file): has no pairs; expected {\"pairs\": [{\"positive\": ..., \"negative\": ...}]}."
        case .pairs(let file, let place, let found, let expected):
            return "\(file): \(place) is \(found), expected \(expected)."
        case .layer(let layer, let layers):
            return "there is no layer \(layer); the model has layers 0 to \(layers - 1)."
        case .noLayers:
            return "no layer is given; name one with --layer, or find one with 'corvid steer sweep'."
        case .index(let index, let pair, let tokens):
            return "pair \(pair): a text has \(tokens) tokens and no position \(index) to read at; "
                + "use --read last, or leave the pair out."
        case .notFinite(let site, let text):
            return "text \(text) gives values at \(site) that are no numbers (NaN or infinite); "
                + "the weights may be damaged, or overflow in this --dtype."
        case .noDirection(let site):
            return
                "the pairs leave no direction at \(site): positive and negative texts give the same values.\n"
                + "Use texts that differ, or another layer."
        case .promptTooShort(let tokens, let needed):
            return
                "the prompt has \(tokens) tokens, the steering vector is laid over \(needed); use a longer "
                + "prompt or shorter pairs."
        case .middleWithoutPrompt:
            return "where the middle is depends on the prompt; give --prompt, or use front or back."
        case .dimensions(let found, let width):
            return
                "dimensions \(found.lowerBound)-\(found.upperBound) are not there; the stream has dimensions 0 "
                + "to \(width - 1)."
        case .strength(let what, let found):
            return "\(what) is \(found); it must be a finite number."
        case .width(let site, let found, let expected):
            return "the vector for \(site) has \(found) values, the model's stream \(expected). "
                + "Was it made from another model?"
        case .notSteering(let patch, let change):
            return
                "patch \(patch) does something else than adding vectors to the residual stream (\(change)); "
                + "lay it on with --with instead."
        case .nothingToScore(let group):
            return "no \(group) text has tokens behind the steering vector; give longer texts."
        case .noTopic:
            return
                "no topic words are given; name them with --topic, for example --topic wedding,bride,groom."
        }
    }
}
