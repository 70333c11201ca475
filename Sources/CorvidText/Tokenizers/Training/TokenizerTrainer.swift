/// Learns a tokenizer from text.
///
/// The text comes in pieces of any length and is read line by line, a line break belonging to the line before
/// it. Memory grows with the number of different words, not with the length of the text. The same text gives
/// the same tokenizer.
///
///     var trainer = TokenizerTrainer(.bytePairs, vocabularySize: 32_000)
///     for piece in pieces { trainer.read(piece) }
///     let file = try trainer.train().json.encodedBytes()  // tokenizer.json
public struct TokenizerTrainer {
    /// What is learned.
    public enum Model: String, Sendable, CaseIterable {
        /// Byte-level byte-pair encoding, with GPT-2's pre-tokeniser.
        case bytePairs = "bpe"
        /// Unigram with blanks as marks; bytes stand for what is no piece. Text that looks like such a byte, as
        /// `<0x41>` does, may be read as that byte.
        case unigram
    }

    /// Is told how far training is: pieces found of pieces wanted, with Unigram pieces given up of those to give
    /// up. What it throws ends the training.
    public typealias Progress = (_ done: Int, _ total: Int) throws -> Void

    private let model: Model
    private let vocabularySize: Int
    private let specialTokens: [String]
    private let preTokenizer: PreTokenizer
    private var words = WordCounts()
    private var rest: [UInt8] = []  // the start of a line

    /// A line that is longer is cut, so that memory stays in proportion.
    private static let longestLine = 16 << 20

    /// - Parameters:
    ///   - vocabularySize: how many pieces there shall be, special tokens and the 256 bytes among them.
    ///   - specialTokens: tokens with the first ids, with Unigram the last.
    public init(_ model: Model, vocabularySize: Int, specialTokens: [String] = ["<|endoftext|>"]) {
        self.model = model
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
        switch model {
        case .bytePairs: preTokenizer = PreTokenizer(steps: [.gpt2])
        case .unigram:
            preTokenizer = PreTokenizer(steps: [
                .split(at: .text([UInt8(ascii: "\n")]), .isolated, inverted: false),
                .metaspace(mark: Metaspace.mark, prefix: .never, splits: true),
            ])
        }
    }

    /// The least number of pieces: the special tokens and the bytes.
    public static func leastVocabularySize(_ model: Model, specialTokens: Int = 1) -> Int {
        256 + specialTokens + (model == .unigram ? 2 : 0)
    }

    /// Counts the words of a piece of text.
    public mutating func read(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
            if rest.isEmpty {
                count(bytes, start..<(end + 1))
            } else {
                rest.append(contentsOf: bytes[start...end])
                flush()
            }
            start = end + 1
        }
        rest.append(contentsOf: bytes[start...])
        if rest.count > Self.longestLine { flush() }
    }

    private mutating func flush() {
        let line = rest
        rest.removeAll(keepingCapacity: true)
        count(line, 0..<line.count)
    }

    private mutating func count(_ bytes: [UInt8], _ line: Range<Int>) {
        preTokenizer.forEachPart(bytes, line) { bytes, part in words.add(bytes, part) }
    }

    /// Learns from what was read.
    /// - Throws: `TrainingError`, or what `progress` throws.
    public mutating func train(progress: Progress = { _, _ in }) throws -> TrainedTokenizer {
        flush()
        let least = Self.leastVocabularySize(model, specialTokens: specialTokens.count)
        guard vocabularySize >= least, vocabularySize <= TokenizerLimits.pieces else {
            throw TrainingError.vocabularySize(
                asked: vocabularySize, least: least, most: TokenizerLimits.pieces)
        }
        guard words.count > 0 else { throw TrainingError.emptyText }
        switch model {
        case .bytePairs:
            let pairs = try PairTrainer(words, size: vocabularySize, specialTokens: specialTokens, progress)
            return pairs.document
        case .unigram:
            let unigram = try UnigramTrainer(
                words, size: vocabularySize, specialTokens: specialTokens, progress)
            return unigram.document
        }
    }
}

/// A tokenizer that was learned.
public struct TrainedTokenizer: Sendable {
    /// The content of tokenizer.json, which Hugging Face `tokenizers` reads too.
    public let json: JSON
    /// How many tokens it has; fewer than were asked for when the text has no more to learn from.
    public let vocabularySize: Int
}

/// Why no tokenizer can be learned.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    case emptyText
    case vocabularySize(asked: Int, least: Int, most: Int)

    public var description: String {
        switch self {
        case .emptyText: "the text is empty; a tokenizer is learned from some megabytes of text"
        case .vocabularySize(let asked, let least, let most):
            "a vocabulary of \(asked) pieces; expected \(least) (all bytes and special tokens) to \(most)"
        }
    }
}
