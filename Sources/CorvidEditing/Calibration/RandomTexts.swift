import CorvidTensors

/// Texts without content, on which a model shows its label biases.
///
/// Source: Fei et al. 2023, "Mitigating Label Biases for In-context Learning"; "N/A", "" and "[MASK]" are those of
/// Zhao et al. 2021, "Calibrate Before Use". Random numbers are Corvid's own: text number i depends on the seed
/// and on i alone.
public struct RandomTexts: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// "N/A", "" and "[MASK]".
        case contextual
        /// Words of the corpus, as often as they occur there.
        case domain
        /// English words, each as often as the others.
        case english
        /// "N/A", "null" and "[MASK]", repeated to the length of the corpus's texts.
        case tokens
        /// Sentences that say nothing, made by a small grammar.
        case sentences

        /// How many different texts there are; nil: as many as one likes.
        public var limit: Int? { self == .contextual || self == .tokens ? 3 : nil }
    }

    /// Words of the corpus, `[fields][words]`, with repetition.
    private let pools: [[String]]
    /// Words of a random text, for each field.
    public let lengths: [Int]
    private let english: [String]
    private let random: CounterRandom

    private static let contextual = ["N/A", "", "[MASK]"]
    private static let tokens = ["N/A", "null", "[MASK]"]

    /// - Parameters:
    ///   - corpus: texts of the task, whose labels are not needed.
    ///   - english: words of no domain.
    /// - Throws: ``CalibrationError/noWords`` if the corpus or `english` has none.
    public init(corpus: [TaskText], english: [String] = EnglishWords.common, seed: UInt64) throws {
        let fields = corpus.contains { $0.second != nil } ? 2 : 1
        var pools: [[String]] = []
        var lengths: [Int] = []
        for field in 0..<fields {
            let words = corpus.map { Self.words(field == 0 ? $0.first : $0.second ?? "") }
            let pool = words.flatMap { $0 }
            guard !pool.isEmpty, !english.isEmpty else { throw CalibrationError.noWords }
            pools.append(pool)
            // The paper's code calls this rounding up, but adds one to whole numbers, too.
            lengths.append(pool.count / corpus.count + 1)
        }
        self.pools = pools
        self.lengths = lengths
        self.english = english
        random = CounterRandom(seed: seed)
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Texts of a kind; fewer where there are no more.
    public func texts(_ kind: Kind, _ range: Range<Int>) -> [TaskText] {
        range.clamped(to: 0..<(kind.limit ?? .max)).map { text(kind, $0) }
    }

    private func text(_ kind: Kind, _ index: Int) -> TaskText {
        let parts = pools.indices.map { part(kind, index, field: $0) }
        return TaskText(parts[0], parts.count > 1 ? parts[1] : nil)
    }

    private func part(_ kind: Kind, _ index: Int, field: Int) -> String {
        switch kind {
        case .contextual: return Self.contextual[index]
        case .tokens:
            return [String](repeating: Self.tokens[index], count: lengths[field]).joined(separator: " ")
                + " ."
        case .domain: return words(of: pools[field], .domain, index, field: field)
        case .english: return words(of: english, .english, index, field: field)
        case .sentences: return sentence(index, field: field)
        }
    }

    private func words(of pool: [String], _ stream: RandomStream, _ index: Int, field: Int) -> String {
        let drawn = (0..<lengths[field]).map { place in
            pool[
                random.index(
                    below: pool.count, stream: stream, step: step(index, field: field), index: UInt32(place))]
        }
        return drawn.joined(separator: " ") + " ."
    }

    private func sentence(_ index: Int, field: Int) -> String {
        let lists = EnglishWords.sentence
        let chosen = lists.enumerated().map { place, list in
            list[
                random.index(
                    below: list.count, stream: .sentence, step: step(index, field: field),
                    index: UInt32(place))]
        }
        return chosen.joined(separator: " ") + "."
    }

    private func step(_ index: Int, field: Int) -> UInt64 {
        UInt64(index) &* 2 &+ UInt64(field)
    }
}
