/// Learns byte-pair encoding (Sennrich et al. 2016): again and again the most frequent pair of neighbours
/// becomes a piece.
///
/// Of equally frequent pairs the one with the lowest ids counts, the left one first, where ids are those of
/// the vocabulary: special tokens, bytes by their spelling, pieces as they are learned. This and the rest of
/// the order is that of the trainer of Hugging Face `tokenizers`, with which the merges agree.
struct PairTrainer {
    private(set) var pieces: [[UInt8]] = []  // by id, as bytes
    private(set) var merges: [(left: Int32, right: Int32)] = []
    private let specialTokens: [String]

    // Words as ids, one after the other; a word shrinks in its place.
    private var symbols: [Int32] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var counts: [Int] = []

    private var pairs: [UInt64: Int] = [:]  // how often a pair occurs
    private var heap: [Candidate] = []

    private struct Candidate {
        var count: Int
        var pair: UInt64
        var words: [Int32]

        /// Whether this comes before another: more frequent, or of lower ids.
        func precedes(_ other: Candidate) -> Bool {
            count != other.count ? count > other.count : pair < other.pair
        }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    init(
        _ words: WordCounts, size: Int, specialTokens: [String], _ progress: TokenizerTrainer.Progress
    ) throws {
        self.specialTokens = specialTokens
        pieces = specialTokens.map { Array($0.utf8) }
        let alphabet = (0..<256).sorted { ByteLevelAlphabet.points[$0] < ByteLevelAlphabet.points[$1] }
        var ids = [Int32](repeating: 0, count: 256)
        for byte in alphabet {
            // A special token that is spelled as a byte is that byte's piece.
            if let id = specialTokens.firstIndex(of: ByteLevelAlphabet.spell([UInt8(byte)])) {
                ids[byte] = Int32(id)
                pieces[id] = [UInt8(byte)]
                continue
            }
            ids[byte] = Int32(pieces.count)
            pieces.append([UInt8(byte)])
        }
        for index in 0..<words.count {
            starts.append(symbols.count)
            let range = words.range(index)
            lengths.append(Int32(truncatingIfNeeded: range.count))
            for place in range { symbols.append(ids[Int(words.bytes[place])]) }
        }
        counts = words.counts
        countPairs()
        try learn(until: size, progress)
    }

    private mutating func countPairs() {
        var places: [UInt64: [Int32]] = [:]
        for word in 0..<counts.count {
            let index = Int32(truncatingIfNeeded: word)
            let start = starts[word]
            for place in start..<max(start, start + Int(lengths[word]) - 1) {
                let key = Self.key(symbols[place], symbols[place + 1])
                pairs[key, default: 0] += counts[word]
                places[key, default: []].appendIfNew(index)
            }
        }
        for (key, words) in places { push(Candidate(count: pairs[key] ?? 0, pair: key, words: words)) }
    }

    private mutating func learn(until size: Int, _ progress: TokenizerTrainer.Progress) throws {
        var known: [[UInt8]: Int32] = [:]
        for (id, piece) in pieces.enumerated() { known[piece] = Int32(truncatingIfNeeded: id) }
        var changes: [UInt64: [Int32]] = [:]
        while pieces.count < size, var best = pop() {
            let count = pairs[best.pair] ?? 0
            if count != best.count {  // out of date
                best.count = count
                if count > 0 { push(best) }
                continue
            }
            let left = Int32(truncatingIfNeeded: best.pair >> 32)
            let right = Int32(truncatingIfNeeded: best.pair & 0xFFFF_FFFF)
            let piece = pieces[Int(left)] + pieces[Int(right)]
            let id = known[piece] ?? Int32(truncatingIfNeeded: pieces.count)
            if known[piece] == nil {
                known[piece] = id
                pieces.append(piece)
            }
            merges.append((left, right))
            changes.removeAll(keepingCapacity: true)
            for word in best.words { join(left, right, to: id, in: word, &changes) }
            for (pair, words) in changes {
                let count = pairs[pair] ?? 0
                if count > 0 { push(Candidate(count: count, pair: pair, words: words)) }
            }
            if pieces.count % 256 == 0 { try progress(pieces.count, size) }
        }
    }

    /// Joins the pair everywhere in a word, and notes the pairs that come up.
    private mutating func join(
        _ left: Int32, _ right: Int32, to id: Int32, in word: Int32, _ changes: inout [UInt64: [Int32]]
    ) {
        let index = Int(word)
        let start = starts[index]
        let end = start + Int(lengths[index])
        let weight = counts[index]
        var (from, to) = (start, start)
        while from < end {
            guard symbols[from] == left, from + 1 < end, symbols[from + 1] == right else {
                symbols[to] = symbols[from]
                from += 1
                to += 1
                continue
            }
            if to > start {
                let before = symbols[to - 1]
                pairs[Self.key(before, left), default: 0] -= weight
                let key = Self.key(before, id)
                pairs[key, default: 0] += weight
                changes[key, default: []].appendIfNew(word)
            }
            from += 2
            if from < end {
                let after = symbols[from]
                pairs[Self.key(right, after), default: 0] -= weight
                let key = Self.key(id, after)
                pairs[key, default: 0] += weight
                changes[key, default: []].appendIfNew(word)
            }
            symbols[to] = id
            to += 1
        }
        lengths[index] = Int32(truncatingIfNeeded: to - start)
    }

    // MARK: The heap

    private mutating func push(_ candidate: Candidate) {
        var child = heap.count
        heap.append(candidate)
        while child > 0 {
            let parent = (child - 1) / 2
            if !heap[child].precedes(heap[parent]) { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() -> Candidate? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let top = heap.removeLast()
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            if !heap[child].precedes(heap[parent]) { break }
            heap.swapAt(parent, child)
            parent = child
        }
        return top
    }

    // MARK: The file

    var document: TrainedTokenizer {
        var vocabulary = JSONObject()
        let special = specialTokens.count
        func spell(_ id: Int) -> String {
            id < special ? specialTokens[id] : ByteLevelAlphabet.spell(pieces[id])
        }
        for id in pieces.indices { vocabulary[spell(id)] = .integer(Int64(id)) }
        let merges = merges.map { pair -> JSON in
            [.string(spell(Int(pair.left))), .string(spell(Int(pair.right)))]
        }
        let byteLevel: JSON = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
        ]
        let json: JSON = [
            "version": "1.0", "truncation": nil, "padding": nil,
            "added_tokens": TrainedFile.addedTokens(specialTokens, first: 0), "normalizer": nil,
            "pre_tokenizer": byteLevel, "post_processor": byteLevel, "decoder": byteLevel,
            "model": [
                "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
                "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                "vocab": .object(vocabulary), "merges": .array(merges),
            ],
        ]
        return TrainedTokenizer(json: json, vocabularySize: pieces.count)
    }
}

/// What the files of all trained tokenizers have in common.
enum TrainedFile {
    static func addedTokens(_ contents: [String], first id: Int) -> JSON {
        .array(
            contents.enumerated().map { index, content in
                [
                    "id": .integer(Int64(id + index)), "content": .string(content), "single_word": false,
                    "lstrip": false, "rstrip": false, "normalized": false, "special": true,
                ]
            })
    }
}

extension [Int32] {
    /// Appends a number that is not the last one already.
    fileprivate mutating func appendIfNew(_ value: Int32) {
        if last != value { append(value) }
    }
}
