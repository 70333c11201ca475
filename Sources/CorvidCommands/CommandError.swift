/// Why a command could not do its work, beyond what the library says.
enum CommandError: Error, Equatable, CustomStringConvertible {
    case output(reason: String)
    case file(path: String, reason: String)
    case notText(path: String)
    case emptyPrompt
    case unknownToken(id: Int32, size: Int)
    case context(asked: Int, most: Int)
    case memory(needed: Int, available: Int)
    case convertedWeights(type: String, needed: Int, available: Int)
    /// Random weights that do not fit.
    case weights(name: String, weights: Int, besides: Int, available: Int)

    var description: String {
        switch self {
        case .output(let reason):
            "standard output: \(reason)"
        case .file(let path, let reason):
            "\(path): \(reason)"
        case .notText(let path):
            "\(path): is not UTF-8 text; convert it first, for example with iconv"
        case .emptyPrompt:
            "the prompt is empty; give at least one character to continue"
        case .unknownToken(let id, let size):
            "token id \(id) is not in the vocabulary, which has ids below \(size)"
        case .context(let asked, let most):
            "--context is \(asked), but the model was made for at most \(most) tokens"
        case .memory(let needed, let available):
            "this needs \(Figures.bytes(needed)) of memory beside the weights, \(Figures.bytes(available)) are free.\n"
                + "Use a shorter text, a smaller --prefill-chunk, or --kv-dtype f16."
        case .convertedWeights(let type, let needed, let available):
            "the weights take \(Figures.bytes(needed)) of memory as \(type), \(Figures.bytes(available)) are free.\n"
                + "Convert the model to a file first ('corvid convert'), or use a smaller type."
        case .weights(let name, let weights, let besides, let available):
            "\(name) needs \(Figures.bytes(weights)) for its weights and \(Figures.bytes(besides)) beside, "
                + "\(Figures.bytes(available)) are free.\nUse fewer --layers or a smaller --dtype."
        }
    }
}
