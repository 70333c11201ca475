import CorvidModels
import CorvidText

/// The tokens of a task's label words, as they follow a prompt.
struct LabelTokens: Sendable {
    let tree: ContinuationTree
    /// The class of each continuation of the tree.
    let classes: [Int]
    /// What the tokens of each word spell, `[words][tokens]`.
    let pieces: [[String]]

    /// - Throws: ``CalibrationError`` if a word has no tokens of its own behind the prompt, or the tokens of one
    ///   begin with those of another.
    init(_ card: TaskCard, _ tokenizer: any Tokenizer) throws {
        try card.validate()
        let words = card.labels.flatMap { $0 }
        let tokens = try words.map { try Self.tokens(of: $0, card, tokenizer) }
        let pieces = tokens.map { ids in
            ids.map { String(decoding: tokenizer.bytes(of: $0), as: UTF8.self) }
        }
        self.pieces = pieces
        do {
            tree = try ContinuationTree(tokens)
        } catch ContinuationError.begins(let shorter, let longer) {
            throw CalibrationError.labelBegins(
                shorter: words[shorter], longer: words[longer], pieces: pieces[longer])
        }
        classes = card.labels.indices.flatMap { [Int](repeating: $0, count: card.labels[$0].count) }
    }

    private static func tokens(
        of word: String, _ card: TaskCard, _ tokenizer: any Tokenizer
    ) throws -> [Int32] {
        let stem = card.query(TaskText("a", card.pair == nil ? nil : "a"))
        let label = card.labelPrefix + word
        let before = tokenizer.encode(stem, addSpecialTokens: false, parseSpecial: false)
        let whole = tokenizer.encode(stem + label, addSpecialTokens: false, parseSpecial: false)
        // Some vocabularies have tokens that reach over the border, and some write blanks between tokens.
        let ids = Array(whole.dropFirst(before.count))
        var bytes: [UInt8] = []
        var place = DecodingPlace.middle
        for id in ids { tokenizer.appendBytes(of: id, after: &place, to: &bytes) }
        guard whole.starts(with: before), !ids.isEmpty, bytes == Array(label.utf8) else {
            throw CalibrationError.labelWithoutTokens(word, decoded: String(decoding: bytes, as: UTF8.self))
        }
        return ids
    }

    /// The probability of each class: the sum over its words.
    func masses(_ logProbabilities: [Double]) -> [Double] {
        var masses = [Double](repeating: 0, count: (classes.last ?? -1) + 1)
        for (number, value) in zip(classes, logProbabilities) { masses[number] += exponential(value) }
        return masses
    }
}
