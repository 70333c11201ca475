import ArgumentParser
import CorvidEditing
import CorvidModels
import CorvidText

/// What steering vectors are made of.
struct SteeringOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A prompt that the text is to be turned towards.", valueName: "text"))
    var positive: String?

    @Option(
        help: ArgumentHelp(
            "A prompt that the text is to be turned away from. (default: blanks)", valueName: "text"))
    var negative: String?

    @Option(help: ArgumentHelp("JSON with pairs of texts that differ in one property.", valueName: "path"))
    var pairs: String?

    @Option(help: ArgumentHelp("A patch with vectors that were made before.", valueName: "path"))
    var vector: String?

    @Option(
        help: ArgumentHelp(
            "How vectors are made: actadd of one pair; mean, pca, pca-centred or logistic of many. (default: "
                + "actadd for --positive, mean for --pairs)", valueName: "method"))
    var method: SteeringMethod?

    @Option(
        help: ArgumentHelp(
            "Block, or several: 6, or 4-8, or 4,6,8, or all.", valueName: "N"))
    var layer: LayerList?

    @Option(
        help: ArgumentHelp(
            "Where in the block: its input or its output, which is the next block's input. (default: input for "
                + "actadd, else output)", valueName: "side"))
    var at: BlockSide?

    @Option(
        help: ArgumentHelp(
            "Tokens to change: front, middle or back of the prompt, one by one; all; answer, from the last token "
                + "of the prompt on; generated. (default: front for actadd, else all)", valueName: "place"))
    var place: SteeringVector.Place?

    @Option(
        help: ArgumentHelp(
            "Token of each pair's texts that is read: last, all (their mean), index:N. (default: what the pairs "
                + "say, or last)", valueName: "which"))
    var read: ContrastSet.Reading?

    @Option(
        help: ArgumentHelp(
            "Length of vectors of pairs: natural, unit, or projection, as far as the pairs lie apart.",
            valueName: "length"))
    var length: ContrastLength = .natural

    @Option(
        help: ArgumentHelp(
            "Part of the pairs kept apart, to measure how well the vector tells them apart.",
            valueName: "part"))
    var heldOut: Double = 0

    @Option(help: ArgumentHelp("Change some dimensions of the stream only.", valueName: "A-B"))
    var dimensions: NumberRange?

    @Option(
        help: ArgumentHelp(
            "Token that begins every text. (default: the tokenizer's)", valueName: "token"))
    var beginning: String?

    var isActivationAddition: Bool { pairs == nil && (method ?? .actadd) == .actadd }

    /// - Throws: `ValidationError`.
    func check() throws {
        let sources = [positive, pairs, vector].count { $0 != nil }
        guard sources == 1 else {
            throw ValidationError("give one of --positive, --pairs and --vector.")
        }
        if negative != nil, positive == nil { throw ValidationError("--negative goes with --positive.") }
        if vector != nil {
            if method != nil || layer != nil || at != nil || place != nil || read != nil || dimensions != nil
            {
                throw ValidationError(
                    "--vector says itself how it was made; leave out --method, --layer, --at, --place, --read and "
                        + "--dimensions.")
            }
        } else if pairs != nil, method == .actadd {
            throw ValidationError("actadd takes one pair; give it with --positive and --negative.")
        }
        guard (0..<1).contains(heldOut) else {
            throw ValidationError("--held-out is \(heldOut); expected 0 up to less than 1.")
        }
        if isActivationAddition, heldOut > 0 || read != nil || length != .natural {
            throw ValidationError("--read, --length and --held-out are for --pairs.")
        }
        if !isActivationAddition, place?.isByPosition == true {
            throw ValidationError(
                "a vector of pairs is one for all tokens; use --place all, answer or generated.")
        }
        if isActivationAddition, vector == nil, let place, !place.isByPosition {
            throw ValidationError("actadd has a vector for each token; use --place front, middle or back.")
        }
    }

    /// The tokens of texts, and of prompts that vectors are laid over.
    func tokens(_ model: Model) throws -> SteeringTokens {
        let tokenizer = try model.tokenizer
        guard let beginning else { return try SteeringTokens(tokenizer) }
        guard let id = tokenizer.id(of: beginning) else {
            throw ValidationError("--beginning '\(beginning)' is no token of this model.")
        }
        return try SteeringTokens(tokenizer, beginning: id)
    }
}

/// How vectors are made.
enum SteeringMethod: String, ExpressibleByArgument, CaseIterable, Sendable {
    case actadd, mean, pca, pcaCentred = "pca-centred", logistic

    var contrast: ContrastMethod { ContrastMethod(rawValue: rawValue) ?? .mean }
}

/// A side of a block.
enum BlockSide: String, ExpressibleByArgument, CaseIterable, Sendable {
    case input, output

    var kind: Site.Kind { self == .input ? .input : .output }
}

/// `6`, `4-8`, `4,6,8` or `all`.
struct LayerList: ExpressibleByArgument, Sendable {
    /// nil for all.
    let layers: [Int]?

    init?(argument: String) {
        guard argument != "all" else {
            layers = nil
            return
        }
        var layers: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = NumberRange(argument: String(part)), range.bounds.count <= 10_000 else {
                return nil
            }
            layers += range.bounds
        }
        self.layers = layers
    }

    func layers(of model: Model) -> [Int] { layers ?? Array(0..<model.configuration.layers) }
}

/// `4` or `4-8`.
struct NumberRange: ExpressibleByArgument, Sendable {
    let bounds: ClosedRange<Int>

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = parts.first ?? nil, let last = parts.last ?? nil, parts.count <= 2, first >= 0,
            first <= last, last < Int.max
        else { return nil }
        bounds = first...last
    }
}

/// `1,2,4`
struct NumberList: ExpressibleByArgument, Sendable {
    let values: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Double($0) }.filter(\.isFinite)
        guard !values.isEmpty, values.count == parts.count else { return nil }
    }
}

extension SteeringVector.Place: ExpressibleByArgument {}
extension ContrastLength: ExpressibleByArgument {}
extension ContrastSet.Reading: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
