/// What makes a tokenizer of SentencePiece's pieces, wherever they lie: in its own file or in GGUF.
struct SentencePieceParts {
    typealias PieceType = SentencePieceModel.PieceType

    var pieces: VocabularyReader
    /// By id.
    var scores: [Float]
    var types: [PieceType]
    var normalization: SentencePieceNormalization
    var unknown: Int32?
    /// What a piece that the user asked for adds to the sum of scores.
    var userDefinedScore = -0.1
    var roundsSums = true
    /// Whether user-defined pieces stay whole in text, before anything else is done.
    var keepsUserDefined = true
    /// Whether the mark goes before the first text only, not before each between added tokens.
    var marksOnlyFirst = false
    var file: String

    private func ids(_ isIn: (PieceType) -> Bool) -> [Int] { types.indices.filter { isIn(types[$0]) } }

    /// The ids of `<0x00>` to `<0xFF>`, when all are there as bytes.
    private var byteIDs: [Int32]? {
        ByteTokens.ids(in: pieces.vocabulary).flatMap { ids in
            ids.allSatisfy { types.indices.contains(Int($0)) && types[Int($0)] == .byte } ? ids : nil
        }
    }

    private func trie(of ids: [Int]) throws(TokenizerError) -> ByteTrie {
        let vocabulary = pieces.vocabulary
        let isIn = Set(ids)
        if isIn.isEmpty { return ByteTrie(capacity: 0) }
        return try vocabulary.trie(file: file) { isIn.contains($0) }
    }

    /// Unigram over the whole text.
    func unigram() throws(TokenizerError) -> PipelineTokenizer.Parts {
        let normal = ids { $0 == .normal }
        let types = types
        let scores = types.indices.map { id in
            types[id] == .userDefined ? userDefinedScore : Double(self.scores[id])
        }
        let model = try Unigram(
            pieces.vocabulary, scores: scores, lowest: normal.map { scores[$0] }.min() ?? 0, unknown: unknown,
            byteIDs: byteIDs, roundsSums: roundsSums, file: file
        ) { id in types.indices.contains(id) && (types[id] == .normal || types[id] == .userDefined) }
        return try parts(.unigram(model), steps: [])
    }

    /// Byte-pair encoding by scores.
    func bytePairs() throws(TokenizerError) -> PipelineTokenizer.Parts {
        let types = types
        if let unused = types.firstIndex(of: .unused), keepsUserDefined {
            throw .unsupported(
                field: "the type of piece \(unused)", found: "unused", supported: "Unigram with such pieces",
                file: file)
        }
        let model = ScoredPairs(
            scores: scores,
            isFound: { types.indices.contains($0) && (types[$0] == .normal || types[$0] == .userDefined) },
            frozen: keepsUserDefined ? try trie(of: ids { $0 == .userDefined }) : ByteTrie(capacity: 0),
            unknown: unknown, byteIDs: byteIDs)
        let steps: [PreTokenizer.Step] =
            pieces.vocabulary.hasMarksOnlyInFront(Metaspace.mark)
            ? [.markedWords(mark: Metaspace.mark)] : []
        return try parts(.scoredPairs(model), steps: steps)
    }

    private func parts(
        _ model: SubwordModel, steps: [PreTokenizer.Step]
    ) throws(TokenizerError) -> PipelineTokenizer.Parts {
        var normalization = normalization
        if keepsUserDefined { normalization.kept = try trie(of: ids { $0 == .userDefined }) }
        var decoding: [TokenDecoder.Step] = [
            .replace(Metaspace.mark, with: [UInt8(ascii: " ")]), .byteFallback, .fuse,
        ]
        if normalization.addsMark, !normalization.marksFollow {
            decoding.append(.strip([UInt8(ascii: " ")], start: 1, end: 0))
        }
        return PipelineTokenizer.Parts(
            vocabulary: pieces.vocabulary, model: model,
            normalizer: Normalizer(steps: [.sentencePiece(normalization, onlyFirst: marksOnlyFirst)]),
            preTokenizer: PreTokenizer(steps: steps), decoder: TokenDecoder(steps: decoding))
    }
}

extension Vocabulary {
    /// Whether the mark is a piece, and no piece has one after something else: then no piece spans the place
    /// where a mark follows something else, and text may be cut there.
    func hasMarksOnlyInFront(_ mark: [UInt8]) -> Bool {
        guard let first = mark.first, id(of: mark, 0..<mark.count, .verbatim) != nil else { return false }
        for id in 0..<idBound where form(of: id) == .verbatim {
            let piece = range(of: id)
            // Few pieces have the mark's first byte anywhere but at their start.
            var place = piece.lowerBound
            while place < piece.upperBound, bytes[place...].starts(with: mark) { place += mark.count }
            while place < piece.upperBound {
                if bytes[place] == first, bytes[place..<piece.upperBound].starts(with: mark) { return false }
                place += 1
            }
        }
        return true
    }
}
