/// The ways in which a part of a text becomes pieces of the vocabulary.
enum SubwordModel: Sendable {
    case bytePairs(BytePairs)
    case characterPairs(CharacterPairs)
    case scoredPairs(ScoredPairs)
    case wordPiece(WordPiece)
    case unigram(Unigram)

    /// Memory that encoding uses again from part to part.
    struct Scratch {
        var merges = Merges.Scratch()
        var scored = ScoredPairs.Scratch()
        var unigram = Unigram.Scratch()
    }

    /// The id of each byte where one byte is one piece, or -1; empty for models that do not work on bytes.
    var byteIDs: [Int32] {
        if case .bytePairs(let model) = self { model.byteIDs } else { [] }
    }

    /// What stands for text that the vocabulary cannot express.
    var unknown: Int32? {
        switch self {
        case .bytePairs(let model): model.unknown
        case .characterPairs(let model): model.unknown
        case .scoredPairs(let model): model.unknown
        case .wordPiece(let model): model.unknown
        case .unigram(let model): model.unknown
        }
    }

    /// Leaves the ids of `bytes[part]` in `ids`, which is empty before.
    func encode(
        _ bytes: [UInt8], _ part: Range<Int>, _ vocabulary: Vocabulary, _ scratch: inout Scratch,
        into ids: inout [Int32]
    ) {
        switch self {
        case .bytePairs(let model): model.encode(bytes, part, vocabulary, &scratch.merges, into: &ids)
        case .characterPairs(let model):
            model.encode(bytes, part, vocabulary, &scratch.merges, into: &ids)
        case .scoredPairs(let model): model.encode(bytes, part, vocabulary, &scratch.scored, into: &ids)
        case .wordPiece(let model): model.encode(bytes, part, into: &ids)
        case .unigram(let model): model.encode(bytes, part, &scratch.unigram, into: &ids)
        }
    }
}
