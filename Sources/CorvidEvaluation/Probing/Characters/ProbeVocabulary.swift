import CorvidText

/// A token whose letters are probed.
public struct ProbeToken: Sendable, Equatable {
    public let id: Int32
    /// As the vocabulary spells it, with its mark.
    public let piece: String
    /// Its letters alone.
    public let word: String
    /// The word without regard to case.
    public let folded: String

    public init(id: Int32, piece: String, word: String) {
        self.id = id
        self.piece = piece
        self.word = word
        folded = word.lowercased()
    }
}

/// The tokens of a vocabulary that consist of letters.
public struct ProbeVocabulary: Sendable, Equatable {
    /// How a vocabulary marks the places of its pieces in a word.
    public enum Mark: String, Sendable, CaseIterable {
        /// "Ġ" before a piece that begins a word, in byte-level vocabularies.
        case byteLevel = "Ġ"
        /// "▁" before a piece that begins a word, of SentencePiece.
        case sentencePiece = "▁"
        /// "##" before a piece that goes on with one, of WordPiece.
        case wordPiece = "##"
        case none = ""
    }

    public let tokens: [ProbeToken]
    /// All ids of the vocabulary, kept or not.
    public let size: Int

    public init(tokens: [ProbeToken], size: Int) {
        self.tokens = tokens
        self.size = size
    }

    /// The tokens of Latin letters, with at most one mark, that are longer than one character with it: the
    /// pattern `Ġ?[a-zA-Z]+` of the paper, or that of the vocabulary's own mark.
    /// - Throws: ``CharacterProbeError/noText``, ``CharacterProbeError/noTokens(alphabet:vocabulary:)``.
    public static func english(_ tokenizer: any Tokenizer) throws(CharacterProbeError) -> ProbeVocabulary {
        let pieces = try pieces(of: tokenizer)
        return try english(pieces: pieces, size: tokenizer.vocabularySize)
    }

    /// The same of pieces as a vocabulary spells them.
    static func english(
        pieces: [(id: Int32, piece: String)], size: Int
    ) throws(CharacterProbeError) -> ProbeVocabulary {
        let mark = mark(of: pieces)
        let tokens = pieces.compactMap { id, piece -> ProbeToken? in
            var word = Substring(piece)
            if mark == .wordPiece {
                word = word.drop { $0 == "#" }
            } else if mark != .none, word.hasPrefix(mark.rawValue) {
                word = word.dropFirst(mark.rawValue.count)
            }
            guard piece.count > 1, TokenScript.latin.writes(word) else { return nil }
            return ProbeToken(id: id, piece: piece, word: String(word))
        }
        guard !tokens.isEmpty else { throw .noTokens(alphabet: "Latin", vocabulary: size) }
        return ProbeVocabulary(tokens: tokens, size: size)
    }

    /// The tokens whose text consists of letters of `script`, without blanks around it.
    /// - Throws: as ``english(_:)``.
    public static func written(
        in script: TokenScript, _ tokenizer: any Tokenizer
    ) throws(CharacterProbeError) -> ProbeVocabulary {
        let tokens = try pieces(of: tokenizer).compactMap { id, piece -> ProbeToken? in
            guard let text = String(validating: tokenizer.bytes(of: id), as: UTF8.self) else { return nil }
            let word = text.trimmingBlanks
            guard script.writes(word.lowercased()) else { return nil }
            return ProbeToken(id: id, piece: piece, word: String(word))
        }
        guard !tokens.isEmpty else {
            throw .noTokens(alphabet: script.rawValue.capitalizedFirst, vocabulary: tokenizer.vocabularySize)
        }
        return ProbeVocabulary(tokens: tokens, size: tokenizer.vocabularySize)
    }

    /// The letters that occur in `fewest` tokens or more, in order of their code points.
    public func letters(in script: TokenScript, fewest: Int) -> [Character] {
        var counts: [Character: Int] = [:]
        for token in tokens {
            // A letter with its marks is not one character of the experiment: its code points are.
            for scalar in Set(token.folded.unicodeScalars) where script.points.contains(scalar.value) {
                counts[Character(scalar), default: 0] += 1
            }
        }
        return counts.filter { $0.value >= fewest }.keys.sorted {
            $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
        }
    }

    /// Ids and spellings, without special tokens, pieces for single bytes, and gaps.
    private static func pieces(
        of tokenizer: any Tokenizer
    ) throws(CharacterProbeError) -> [(id: Int32, piece: String)] {
        var pieces: [(id: Int32, piece: String)] = []
        for id in 0..<Int32(clamping: tokenizer.vocabularySize) where !tokenizer.isSpecial(id) {
            let piece = tokenizer.piece(of: id)
            if piece.isEmpty || piece.hasPrefix("<0x") && piece.hasSuffix(">") { continue }
            pieces.append((id, piece))
        }
        guard !pieces.isEmpty else { throw .noText }
        return pieces
    }

    /// The mark that most pieces begin with.
    private static func mark(of pieces: [(id: Int32, piece: String)]) -> Mark {
        let marks: [Mark] = [.byteLevel, .sentencePiece, .wordPiece]
        let counts = marks.map { mark in pieces.count { $0.piece.hasPrefix(mark.rawValue) } }
        guard let most = counts.max(), most > 0, let index = counts.firstIndex(of: most) else { return .none }
        return marks[index]
    }
}

extension String {
    /// Without blanks at its ends.
    var trimmingBlanks: Substring {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
