/// The contents of a SentencePiece file (`tokenizer.model`, `spiece.model`): a message `ModelProto`.
struct SentencePieceModel {
    enum Kind: UInt64 { case unigram = 1, bytePairs, words, characters }
    enum PieceType: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

    let bytes: [UInt8]
    private let file: String
    /// Where in `bytes` each piece lies.
    private(set) var pieces: [Range<Int>] = []
    private(set) var scores: [Float] = []
    private(set) var types: [PieceType] = []
    private(set) var kind = Kind.unigram
    private(set) var hasByteFallback = false
    private(set) var normalization = SentencePieceNormalization()
    /// By role, as the trainer had them: unknown, beginning, end, padding.
    private(set) var unknown: Int32?
    private(set) var beginningOfSequence: Int32?
    private(set) var endOfSequence: Int32?
    private(set) var padding: Int32?

    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.bytes = bytes
        self.file = file
        do {
            var reader = ProtocolBufferReader(bytes, 0..<bytes.count)
            while let (field, value) = try reader.next() {
                switch (field, value) {
                case (1, .bytes(let range)): try readPiece(range)
                case (2, .bytes(let range)): try readTraining(range)
                case (3, .bytes(let range)): try readNormalization(range)
                default: break
                }
            }
        } catch let error as ProtocolBufferReader.Failure {
            throw .unreadable(file: file, reason: "\(error.reason) (byte \(error.offset))")
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw .unreadable(file: file, reason: "\(error)")
        }
        guard !pieces.isEmpty else { throw .missing(field: "the list of pieces", file: file) }
        checkRoles()
    }

    private mutating func readPiece(_ range: Range<Int>) throws {
        var reader = ProtocolBufferReader(bytes, range)
        var piece = range.lowerBound..<range.lowerBound
        var score: Float = 0
        var type = PieceType.normal
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): piece = text
            case (2, .word(let bits)): score = Float(bitPattern: bits)
            case (3, .number(let number)):
                guard let known = PieceType(rawValue: number) else {
                    throw unsupported("the type of piece \(pieces.count)", "\(number)", "1 to 6")
                }
                type = known
            default: break
            }
        }
        guard score.isFinite else {
            throw TokenizerError.unexpected(
                field: "the score of piece \(pieces.count)", found: "\(score)", expected: "a finite number",
                file: file)
        }
        guard pieces.count < TokenizerLimits.pieces else {
            throw TokenizerError.limit(
                field: "the number of pieces", found: pieces.count + 1, limit: TokenizerLimits.pieces,
                file: file)
        }
        pieces.append(piece)
        scores.append(score)
        types.append(type)
    }

    private mutating func readTraining(_ range: Range<Int>) throws {
        var reader = ProtocolBufferReader(bytes, range)
        func id(_ number: UInt64) -> Int32? {
            let value = Int64(bitPattern: number)
            return value >= 0 ? Int32(exactly: value) : nil
        }
        (unknown, beginningOfSequence, endOfSequence, padding) = (0, 1, 2, nil)
        while let (field, value) = try reader.next() {
            guard case .number(let number) = value else { continue }
            switch field {
            case 3:
                guard let known = Kind(rawValue: number), known == .unigram || known == .bytePairs else {
                    throw unsupported("the model type", "\(number)", "1 (Unigram), 2 (BPE)")
                }
                kind = known
            case 24: normalization.marksFollow = number != 0
            case 35: hasByteFallback = number != 0
            case 40: unknown = id(number)
            case 41: beginningOfSequence = id(number)
            case 42: endOfSequence = id(number)
            case 43: padding = id(number)
            default: break
            }
        }
    }

    private mutating func readNormalization(_ range: Range<Int>) throws {
        var reader = ProtocolBufferReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (2, .bytes(let blob)) where !blob.isEmpty:
                guard let map = CharacterMap(bytes[blob]) else {
                    throw TokenizerError.unreadable(
                        file: file, reason: "the lengths in the map of characters do not fit")
                }
                normalization.map = map
            case (3, .number(let number)): normalization.addsMark = number != 0
            case (4, .number(let number)): normalization.removesExtraBlanks = number != 0
            case (5, .number(let number)): normalization.escapesBlanks = number != 0
            default: break
            }
        }
    }

    /// A role counts only when its piece is of a kind that can have it.
    private mutating func checkRoles() {
        func type(_ id: Int32?) -> PieceType? {
            id.flatMap { types.indices.contains(Int($0)) ? types[Int($0)] : nil }
        }
        if type(unknown) != .unknown {
            unknown = types.firstIndex(of: .unknown).map { Int32(truncatingIfNeeded: $0) }
        }
        if type(beginningOfSequence) != .control { beginningOfSequence = nil }
        if type(endOfSequence) != .control { endOfSequence = nil }
        if type(padding) != .control { padding = nil }
    }

    /// Puts the pieces into the order that fairseq gives them: `<s>`, a place for `<pad>`, `</s>`, `<unk>`, then
    /// the others, whose ids are one higher. `<pad>` is no piece.
    mutating func reorderAsFairseq() throws(TokenizerError) {
        guard pieces.count >= 3, unknown == 0, beginningOfSequence == 1, endOfSequence == 2 else {
            throw .unexpected(
                field: "the first pieces", found: "others", expected: "<unk>, <s> and </s>", file: file)
        }
        let empty = pieces[0].lowerBound..<pieces[0].lowerBound
        pieces = [pieces[1], empty, pieces[2], pieces[0]] + pieces[3...]
        scores = [scores[1], 0, scores[2], scores[0]] + scores[3...]
        types = [types[1], .control, types[2], types[0]] + types[3...]
        (unknown, beginningOfSequence, endOfSequence, padding) = (3, 0, 2, 1)
    }

    private func unsupported(_ field: String, _ found: String, _ supported: String) -> TokenizerError {
        .unsupported(field: field, found: found, supported: supported, file: file)
    }
}
