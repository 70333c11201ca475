/// Pairs of texts that differ in one property.
public struct ContrastSet: Sendable, Equatable {
    public struct Pair: Sendable, Equatable {
        public var positive: String
        public var negative: String

        public init(positive: String, negative: String) {
            self.positive = positive
            self.negative = negative
        }
    }

    /// Which token of a text is read.
    public enum Reading: Sendable, Equatable, CustomStringConvertible {
        /// The last one.
        case last
        /// The mean over all but the first, which begins every text.
        case all
        /// A position counted from the beginning, 0 being the token that begins every text; if negative, from the
        /// end, -1 being the last.
        case index(Int)

        /// Reads `last`, `all` or `index:-2`; nil for anything else.
        public init?(_ text: String) {
            switch text {
            case "last": self = .last
            case "all": self = .all
            default:
                guard text.hasPrefix("index:"), let index = Int(text.dropFirst(6)) else { return nil }
                self = .index(index)
            }
        }

        public var description: String {
            switch self {
            case .last: "last"
            case .all: "all"
            case .index(let index): "index:\(index)"
            }
        }
    }

    public var name: String
    public var pairs: [Pair]
    /// nil where the data do not say.
    public var reading: Reading?
    /// Empty where the data do not say.
    public var layers: [Int]
    /// Whether the positive texts end with an answer's letter, as in contrastive activation addition, whose vectors
    /// are added behind the prompt.
    public var hasAnswers: Bool

    public init(
        name: String, pairs: [Pair], reading: Reading? = nil, layers: [Int] = [], hasAnswers: Bool = false
    ) {
        self.name = name
        self.pairs = pairs
        self.reading = reading
        self.layers = layers
        self.hasAnswers = hasAnswers
    }

    /// Every beginning with every persona: the pairs of control vectors (Zou et al., 2023; vgel's repeng).
    /// - Parameters:
    ///   - template: a text with `{persona}` in it.
    ///   - suffixes: beginnings of answers, put behind the template; none for the template alone.
    public static func personas(
        name: String, template: String, positive: [String], negative: [String], suffixes: [String]
    ) -> ContrastSet {
        func filled(_ persona: String, _ suffix: String) -> String {
            template.split(separator: "{persona}", omittingEmptySubsequences: false)
                .joined(separator: persona) + suffix
        }
        let endings = suffixes.isEmpty ? [""] : suffixes
        let pairs = endings.flatMap { suffix in
            zip(positive, negative).map {
                Pair(positive: filled($0, suffix), negative: filled($1, suffix))
            }
        }
        return ContrastSet(name: name, pairs: pairs)
    }
}
