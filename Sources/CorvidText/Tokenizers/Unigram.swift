/// Unigram (Kudo 2018): of all ways to cut a text into pieces the one whose scores, logarithms of
/// probabilities, have the greatest sum (Viterbi 1967).
struct Unigram: Sendable {
    private let trie: ByteTrie
    private let scores: [Double]  // by id
    private let unknownScore: Double
    let unknown: Int32?
    /// The ids of `<0x00>` to `<0xFF>`, which stand for text that is no piece.
    private let byteIDs: [Int32]?
    /// Whether sums are rounded to 32 bits, as SentencePiece has them.
    private let roundsSums: Bool
    /// Whether a code point that is no piece can be passed over when there is no unknown token.
    private static let penalty = 10.0

    struct Scratch {
        fileprivate var ends: [End] = []
    }

    /// The best way to a place: its sum, its last piece and where that begins.
    fileprivate struct End {
        var sum = 0.0
        var start: Int32 = -1
        var id: Int32 = -1
    }

    /// - Parameters:
    ///   - scores: by id; 0 for ids that are not there.
    ///   - isFound: whether a piece is looked for in text.
    ///   - lowest: the lowest score, from which that of the unknown token follows.
    init(
        _ vocabulary: Vocabulary, scores: [Double], lowest: Double, unknown: Int32?, byteIDs: [Int32]?,
        roundsSums: Bool, file: String, isFound: (_ id: Int) -> Bool
    ) throws(TokenizerError) {
        trie = try vocabulary.trie(file: file, isFound)
        self.scores = scores
        unknownScore = lowest - Self.penalty
        self.unknown = unknown
        self.byteIDs = byteIDs
        self.roundsSums = roundsSums
    }

    func encode(_ bytes: [UInt8], _ part: Range<Int>, _ scratch: inout Scratch, into ids: inout [Int32]) {
        guard part.count < Int32.max else { return }
        findBest(bytes, part, &scratch)
        // From the end to the start; neighbours without a piece are one.
        var end = part.count
        var unknownEnd: Int?
        while end > 0 {
            let last = scratch.ends[end]
            let start = Int(last.start)
            if last.id < 0 {
                unknownEnd = unknownEnd ?? end
            } else {
                if let stop = unknownEnd { appendUnknown(bytes, part.lowerBound, end..<stop, &ids) }
                unknownEnd = nil
                ids.append(last.id)
            }
            end = start
        }
        if let stop = unknownEnd { appendUnknown(bytes, part.lowerBound, 0..<stop, &ids) }
        ids.reverse()
    }

    /// Appends bytes or the unknown token, in reverse.
    private func appendUnknown(
        _ bytes: [UInt8], _ origin: Int, _ range: Range<Int>, _ ids: inout [Int32]
    ) {
        if let byteIDs {
            for place in range.reversed() { ids.append(byteIDs[Int(bytes[origin + place])]) }
        } else if let unknown {
            ids.append(unknown)
        }
    }

    private func findBest(_ bytes: [UInt8], _ part: Range<Int>, _ scratch: inout Scratch) {
        scratch.ends.removeAll(keepingCapacity: true)
        scratch.ends.append(contentsOf: repeatElement(End(), count: part.count + 1))
        var start = 0
        while start < part.count {
            let before = scratch.ends[start].sum
            let place = part.lowerBound + start
            let (_, length) = UTF8Sequence.decode(bytes, at: place, end: part.upperBound)
            var hasSingle = false
            var node = ByteTrie.root
            var end = start
            while end < part.count {
                node = trie.child(node, bytes[part.lowerBound + end])
                if node == ByteTrie.none { break }
                end += 1
                let id = trie.value(node)
                if id < 0 { continue }
                offer(&scratch.ends[end], before + scores[Int(id)], Int32(truncatingIfNeeded: start), id)
                if end - start == length { hasSingle = true }
            }
            if !hasSingle {
                offer(
                    &scratch.ends[start + length], before + unknownScore, Int32(truncatingIfNeeded: start),
                    -1)
            }
            start += length
        }
    }

    @inline(__always)
    private func offer(_ end: inout End, _ sum: Double, _ start: Int32, _ id: Int32) {
        let sum = roundsSums ? Double(Float(sum)) : sum
        if end.start < 0 || sum > end.sum { end = End(sum: sum, start: start, id: id) }
    }
}
