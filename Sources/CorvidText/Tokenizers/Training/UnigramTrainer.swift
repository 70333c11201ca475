import Foundation
import Synchronization

/// Learns Unigram (Kudo 2018, "Subword Regularization", section 3.2): from many frequent strings those are
/// kept, round by round, whose loss would make the text least likely; their scores come from expectation
/// maximisation with the digamma function in place of the logarithm.
///
/// Sums are made in parts of fixed size and added in one order, so that the number of threads changes nothing.
struct UnigramTrainer {
    private struct Piece {
        var bytes: [UInt8]
        var score: Double
        /// Single code points stay whatever happens.
        var isRequired: Bool
    }

    private let words: WordCounts
    private let specialTokens: [String]
    private var pieces: [Piece] = []

    /// How much of all code points must be pieces; the rarest are spelled in bytes.
    private static let coverage = 0.9998
    private static let shrinking = 0.75
    /// Where pruning stops, before the best are taken.
    private static let surplus = 1.1
    private static let unknownPenalty = 10.0
    private static let fewestSeeds = 100_000

    init(
        _ words: WordCounts, size: Int, specialTokens: [String], _ progress: TokenizerTrainer.Progress
    ) throws {
        self.words = words
        self.specialTokens = specialTokens
        let wanted = size - 257 - specialTokens.count  // without <unk> and the bytes
        let characters = Self.characters(of: words, most: max(wanted, 0))
        let seeds = UnigramSeeds.find(in: words, limit: max(Self.fewestSeeds, 4 * wanted))
        start(characters, seeds)
        let target = max(Int(Double(wanted) * Self.surplus), characters.count)
        let first = pieces.count
        while true {
            for _ in 0..<2 { maximise(expectations()) }
            try progress(max(first - pieces.count, 0), max(first - target, 1))
            if pieces.count <= target { break }
            let before = pieces.count
            prune(to: max(target, Int(Double(pieces.count) * Self.shrinking)))
            if pieces.count == before { break }
        }
        finish(wanted)
    }

    // MARK: The start

    /// The code points by number, as many as the coverage and the size of the vocabulary ask for.
    private static func characters(of words: WordCounts, most: Int) -> [(point: UInt32, count: Int)] {
        var counts: [UInt32: Int] = [:]
        var total = 0
        for index in 0..<words.count {
            let word = words.range(index)
            var place = word.lowerBound
            while place < word.upperBound {
                let (point, length) = UTF8Sequence.decode(words.bytes, at: place, end: word.upperBound)
                if let point {
                    counts[point, default: 0] += words.counts[index]
                    total += words.counts[index]
                }
                place += length
            }
        }
        let order = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        var covered = 0
        var result: [(point: UInt32, count: Int)] = []
        for (point, count) in order.prefix(most) {
            if Double(covered) >= coverage * Double(total) { break }
            covered += count
            result.append((point, count))
        }
        return result
    }

    private mutating func start(_ characters: [(point: UInt32, count: Int)], _ seeds: [UnigramSeeds.Seed]) {
        var weights: [Double] = []
        // What the file has already: the text may spell it, too.
        let taken = Set(specialTokens.map { Array($0.utf8) })
            .union((UInt8.min...UInt8.max).map { ByteTokens.spelling(of: $0) }).union([Array("<unk>".utf8)])
        for (point, count) in characters {
            var bytes: [UInt8] = []
            UTF8Sequence.append(point, to: &bytes)
            if taken.contains(bytes) { continue }
            pieces.append(Piece(bytes: bytes, score: 0, isRequired: true))
            weights.append(Double(count))
        }
        let known = Set(characters.map(\.point))
        for seed in seeds {
            let bytes = Array(words.bytes[seed.range])
            var place = 0
            var isKnown = !taken.contains(bytes)
            while place < bytes.count {
                let (point, length) = UTF8Sequence.decode(bytes, at: place, end: bytes.count)
                isKnown = isKnown && point.map(known.contains) ?? false
                place += length
            }
            if !isKnown { continue }
            pieces.append(Piece(bytes: bytes, score: 0, isRequired: false))
            weights.append(Double(seed.count * seed.characters))
        }
        let total = log(weights.reduce(0, +))
        for index in pieces.indices { pieces[index].score = log(weights[index]) - total }
    }

    // MARK: Expectation maximisation

    private func lattice() -> UnigramLattice {
        var trie = ByteTrie(capacity: pieces.count * 4)
        for (index, piece) in pieces.enumerated() {
            trie.insert(piece.bytes, value: Int32(truncatingIfNeeded: index))
        }
        let scores = pieces.map(\.score)
        return UnigramLattice(
            trie: trie, scores: scores, unknownScore: (scores.min() ?? 0) - Self.unknownPenalty)
    }

    /// Sums over all words, one number for each piece.
    private func sum(
        _ body:
            @Sendable (UnigramLattice, inout UnigramLattice.Scratch, Range<Int>, Double, inout [Double]) ->
            Void
    ) -> [Double] {
        let lattice = lattice()
        let words = words
        let parts = 8
        let length = (words.count + parts - 1) / parts
        let count = pieces.count
        let sums = Mutex([[Double]](repeating: [], count: parts))
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            var sum = [Double](repeating: 0, count: count)
            var scratch = UnigramLattice.Scratch()
            let first = min(part * length, words.count)
            for word in first..<min(first + length, words.count) {
                body(lattice, &scratch, words.range(word), Double(words.counts[word]), &sum)
            }
            sums.withLock { $0[part] = sum }
        }
        return sums.withLock { sums in
            (0..<count).map { index in sums.reduce(0) { $0 + $1[index] } }
        }
    }

    private func expectations() -> [Double] {
        let bytes = words.bytes
        return sum { lattice, scratch, word, count, sum in
            lattice.addExpectations(bytes, word, count, &scratch, to: &sum)
        }
    }

    private mutating func maximise(_ expected: [Double]) {
        var kept: [Piece] = []
        var counts: [Double] = []
        for (piece, count) in zip(pieces, expected) where piece.isRequired || count >= 0.5 {
            kept.append(piece)
            counts.append(max(count, 0.5))
        }
        let total = Self.digamma(counts.reduce(0, +))
        for index in kept.indices { kept[index].score = Self.digamma(counts[index]) - total }
        pieces = kept
    }

    /// The derivative of the logarithm of the gamma function, for positive numbers.
    static func digamma(_ value: Double) -> Double {
        var x = value
        var result = 0.0
        while x < 7 {
            result -= 1 / x
            x += 1
        }
        x -= 0.5
        let b = 1 / (x * x)
        let series = b * (1.0 / 24 - b * (7.0 / 960 - b * (31.0 / 8_064 - b * 127.0 / 30_720)))
        return result + log(x) + series
    }

    // MARK: Pruning

    /// Keeps the pieces whose loss would cost most.
    private mutating func prune(to size: Int) {
        let bytes = words.bytes
        let frequencies = sum { lattice, scratch, word, count, sum in
            for id in lattice.best(bytes, word, &scratch) where id >= 0 { sum[Int(id)] += count }
        }
        let lattice = lattice()
        let total = frequencies.reduce(0, +)
        let logTotal = log(total)
        var scratch = UnigramLattice.Scratch()
        var kept: [Int] = []
        var losses: [(loss: Double, index: Int)] = []
        for (index, piece) in pieces.enumerated() {
            let frequency = frequencies[index]
            if piece.isRequired {
                kept.append(index)
                continue
            }
            if frequency == 0 { continue }
            let others = lattice.best(
                piece.bytes, 0..<piece.bytes.count, &scratch, without: Int32(truncatingIfNeeded: index))
            // How likely the text is with the piece, and with what would stand in its place.
            let logOther = log(total + frequency * Double(others.count - 1))
            let other = others.reduce(0.0) { sum, id in
                sum + log((id < 0 ? 0.5 : frequencies[Int(id)]) + frequency) - logOther
            }
            losses.append((frequency / total * (log(frequency) - logTotal - other), index))
        }
        losses.sort { $0.loss != $1.loss ? $0.loss > $1.loss : $0.index < $1.index }
        kept += losses.prefix(max(size - kept.count, 0)).map(\.index)
        pieces = kept.sorted().map { pieces[$0] }
    }

    private mutating func finish(_ wanted: Int) {
        func precedes(_ left: Piece, _ right: Piece) -> Bool {
            left.score != right.score
                ? left.score > right.score : left.bytes.lexicographicallyPrecedes(right.bytes)
        }
        let required = pieces.filter(\.isRequired)
        let others = pieces.filter { !$0.isRequired }.sorted(by: precedes)
        pieces = (required + others.prefix(max(wanted - required.count, 0))).sorted(by: precedes)
        // Few digits are read exactly by everybody; a last digit that differs would decide between equals.
        for index in pieces.indices { pieces[index].score = (pieces[index].score * 1e9).rounded() / 1e9 }
    }

    // MARK: The file

    var document: TrainedTokenizer {
        // So low that text which looks like the name of a byte falls into its letters.
        let byteScore = (8 * (pieces.last?.score ?? 0) - 1).rounded(.down)
        var vocabulary: [JSON] = [["<unk>", 0.0]]
        for byte in UInt8.min...UInt8.max {
            let piece = String(decoding: ByteTokens.spelling(of: byte), as: UTF8.self)
            vocabulary.append([.string(piece), .number(byteScore)])
        }
        for piece in pieces {
            vocabulary.append([
                .string(String(decoding: piece.bytes, as: UTF8.self)), .number(piece.score),
            ])
        }
        let mark = String(decoding: Metaspace.mark, as: UTF8.self)
        func metaspace(_ scheme: String) -> JSON {
            [
                "type": "Metaspace", "replacement": .string(mark), "prepend_scheme": .string(scheme),
                "split": true,
            ]
        }
        let json: JSON = [
            "version": "1.0", "truncation": nil, "padding": nil,
            "added_tokens": TrainedFile.addedTokens(specialTokens, first: vocabulary.count),
            "normalizer": ["type": "Prepend", "prepend": .string(mark)],
            "pre_tokenizer": [
                "type": "Sequence",
                "pretokenizers": [
                    [
                        "type": "Split", "pattern": ["String": "\n"], "behavior": "Isolated", "invert": false,
                    ], metaspace("never"),
                ],
            ],
            "post_processor": nil,
            "decoder": ["type": "Sequence", "decoders": [["type": "ByteFallback"], metaspace("always")]],
            "model": [
                "type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": .array(vocabulary),
            ],
        ]
        return TrainedTokenizer(json: json, vocabularySize: vocabulary.count + specialTokens.count)
    }
}
