/// Fills a vocabulary and its merges from a file, checking each entry.
struct VocabularyReader {
    var file: String
    /// Whether pieces are spelled in the byte-level alphabet; else they are text.
    let isByteLevel: Bool
    private(set) var vocabulary: Vocabulary
    private(set) var merges: Merges
    private var scratch: [UInt8] = []
    private var lastMerged = -1
    private var addedIndex: [Int32: Int] = [:]
    private var addedBytes = 0

    /// - Parameters:
    ///   - file: the name of the file for messages.
    ///   - pieces: about how many pieces will come.
    ///   - isByteLevel: whether pieces are spelled in the byte-level alphabet.
    init(file: String, pieces: Int, isByteLevel: Bool = true) {
        self.file = file
        self.isByteLevel = isByteLevel
        vocabulary = Vocabulary(capacity: min(pieces, TokenizerLimits.pieces))
        merges = Merges(capacity: min(pieces, TokenizerLimits.pieces))
    }

    // MARK: Pieces

    /// Adds the piece `text[range]`.
    /// - Parameter greatestID: the bound on ids, which keeps memory in proportion to the file.
    mutating func addPiece(
        _ text: [UInt8], _ range: Range<Int>, id: Int64, verbatim: Bool = false, field: String,
        greatestID: Int = TokenizerLimits.pieces
    ) throws(TokenizerError) {
        guard range.count <= TokenizerLimits.pieceBytes else {
            throw .limit(
                field: "the length of a piece in \(field)", found: range.count,
                limit: TokenizerLimits.pieceBytes, file: file)
        }
        guard id >= 0, id < min(greatestID, TokenizerLimits.pieces) else {
            throw .limit(
                field: "an id in \(field)", found: Int(clamping: id),
                limit: min(greatestID, TokenizerLimits.pieces) - 1, file: file)
        }
        switch vocabulary.insert(text, range, id: Int(id), verbatim: verbatim || !isByteLevel) {
        case .added: break
        case .idTaken:
            throw .duplicate(
                piece: String(decoding: text[range], as: UTF8.self), id: Int(id), other: Int(id), file: file)
        case .duplicate(let other):
            throw .duplicate(
                piece: String(decoding: text[range], as: UTF8.self), id: Int(id), other: Int(other),
                file: file)
        }
    }

    /// Refuses a vocabulary whose ids lie far apart.
    func checkGaps(field: String) throws(TokenizerError) {
        let bound = 2 * vocabulary.count + TokenizerLimits.idGap
        guard vocabulary.idBound <= bound else {
            throw .limit(
                field: "the highest id of the \(vocabulary.count) pieces in \(field)",
                found: vocabulary.idBound - 1, limit: bound - 1, file: file)
        }
    }

    // MARK: Merges

    /// Adds the merge of `text[left]` and `text[right]`, both as the vocabulary spells them.
    /// - Parameter keepsFirst: whether of two merges of one pair the first counts; else the last does.
    /// - Parameter prefix: how many bytes the right piece leaves away when the two are joined.
    mutating func addMerge(
        _ text: [UInt8], _ left: Range<Int>, _ right: Range<Int>, index: Int, keepsFirst: Bool = false,
        prefix: Int = 0
    ) throws(TokenizerError) {
        guard index < TokenizerLimits.merges else {
            throw .limit(
                field: "the number of merges", found: index + 1, limit: TokenizerLimits.merges, file: file)
        }
        scratch.removeAll(keepingCapacity: true)
        let leftID: Int32?
        let rightID: Int32?
        var wholeID: Int32?
        if isByteLevel, ByteLevelAlphabet.decode(text, left, into: &scratch) {
            let middle = scratch.count
            if ByteLevelAlphabet.decode(text, right, into: &scratch) {
                let (first, second) = (0..<middle, middle..<scratch.count)
                leftID = vocabulary.id(of: scratch, first, .bytes) ?? vocabulary.id(of: text, left, .verbatim)
                rightID =
                    vocabulary.id(of: scratch, second, .bytes) ?? vocabulary.id(of: text, right, .verbatim)
                wholeID = mergedID()
            } else {
                leftID = vocabulary.id(ofSpelling: text, left)
                rightID = vocabulary.id(ofSpelling: text, right)
            }
        } else {
            leftID = id(text, left)
            rightID = id(text, right)
        }
        if wholeID == nil {
            let whole = Array(text[left]) + Array(text[right].dropFirst(prefix))
            wholeID = vocabulary.id(ofSpelling: whole, 0..<whole.count)
        }
        guard let leftID else { throw unknownPiece(text, left, index) }
        guard let rightID else { throw unknownPiece(text, right, index) }
        guard let wholeID else {
            let whole = String(decoding: Array(text[left]) + Array(text[right]), as: UTF8.self)
            throw .merge(
                index: index, reason: "the two together, \"\(whole.prefix(80))\", are no piece", file: file)
        }
        merges.set(left: leftID, right: rightID, rank: index, merged: wholeID, keepsFirst: keepsFirst)
    }

    private func id(_ text: [UInt8], _ range: Range<Int>) -> Int32? {
        isByteLevel ? vocabulary.id(ofSpelling: text, range) : vocabulary.id(of: text, range, .verbatim)
    }

    /// Merges are mostly listed in the order of their pieces, so the next id is tried first.
    private mutating func mergedID() -> Int32? {
        let guess = lastMerged + 1
        if vocabulary.matches(guess, scratch, 0..<scratch.count, .bytes) {
            lastMerged = guess
            return Int32(truncatingIfNeeded: guess)
        }
        let id = vocabulary.id(of: scratch, 0..<scratch.count, .bytes)
        if let id { lastMerged = Int(id) }
        return id
    }

    private func unknownPiece(_ text: [UInt8], _ range: Range<Int>, _ index: Int) -> TokenizerError {
        let piece = String(decoding: text[range], as: UTF8.self)
        return .merge(
            index: index, reason: "\"\(piece.prefix(80))\" is no piece of the vocabulary", file: file)
    }

    /// Adds a merge written as two pieces with a blank between them.
    mutating func addMerge(
        line text: [UInt8], _ range: Range<Int>, index: Int, keepsFirst: Bool = false, prefix: Int = 0
    ) throws(TokenizerError) {
        let blank = UInt8(ascii: " ")
        guard let middle = text[range].firstIndex(of: blank), middle > range.lowerBound,
            middle + 1 < range.upperBound, !text[(middle + 1)..<range.upperBound].contains(blank)
        else {
            throw .merge(index: index, reason: "expected two pieces with one blank between them", file: file)
        }
        try addMerge(
            text, range.lowerBound..<middle, (middle + 1)..<range.upperBound, index: index,
            keepsFirst: keepsFirst, prefix: prefix)
    }

    // MARK: Added tokens

    /// Adds tokens that are cut out of the text; their ids are new, or those their spellings have already.
    mutating func addAddedTokens(
        _ tokens: [AddedToken], to added: inout [AddedToken]
    ) throws(TokenizerError) {
        // Known before anything grows, so that one high id cannot take memory.
        let greatestID = 2 * (vocabulary.count + tokens.count) + TokenizerLimits.idGap
        for token in tokens { try addAddedToken(token, greatestID: greatestID, to: &added) }
    }

    private mutating func addAddedToken(
        _ token: AddedToken, greatestID: Int, to tokens: inout [AddedToken]
    ) throws(TokenizerError) {
        guard tokens.count < TokenizerLimits.addedTokens else {
            throw .limit(
                field: "the number of added tokens", found: tokens.count + 1,
                limit: TokenizerLimits.addedTokens, file: file)
        }
        addedBytes += token.content.count
        guard addedBytes <= TokenizerLimits.addedTokenBytes else {
            throw .limit(
                field: "the length of all added tokens", found: addedBytes,
                limit: TokenizerLimits.addedTokenBytes,
                file: file)
        }
        let range = 0..<token.content.count
        if range.isEmpty { return }
        if let known = vocabulary.id(ofSpelling: token.content, range) {
            guard known == token.id else {
                throw .duplicate(
                    piece: String(decoding: token.content, as: UTF8.self), id: Int(token.id),
                    other: Int(known),
                    file: file)
            }
            if let index = addedIndex[token.id] {
                tokens[index] = token
                return
            }
        } else {
            try addPiece(
                token.content, range, id: Int64(token.id), verbatim: true, field: "added_tokens",
                greatestID: greatestID)
        }
        addedIndex[token.id] = tokens.count
        tokens.append(token)
    }
}
