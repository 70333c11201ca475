/// Byte-pair encoding by scores, as SentencePiece and llama.cpp have it for LLaMA 1 and 2: of all neighbours
/// that are a piece together those with the highest score are joined, the leftmost of equal ones. What is no
/// piece in the end falls apart into bytes.
struct ScoredPairs: Sendable {
    /// By id: the place of the piece in the order of scores, the highest first; equal scores have one place.
    private let ranks: [Int32]
    /// Strings that are never joined with others, to ids.
    private let frozen: ByteTrie
    let unknown: Int32?
    /// The ids of `<0x00>` to `<0xFF>`, which stand for text that is no piece.
    private let byteIDs: [Int32]?

    struct Scratch {
        fileprivate var symbols: [Symbol] = []
        fileprivate var heap = MinimumHeap()
    }

    fileprivate struct Symbol {
        var start: Int
        var end: Int
        var previous: Int
        var next: Int
        var isFrozen = false
    }

    private static let notFound: Int32 = -1

    /// - Parameters:
    ///   - scores: by id.
    ///   - isFound: whether a piece is looked for in text.
    ///   - frozen: pieces that are never joined with others.
    init(
        scores: [Float], isFound: (_ id: Int) -> Bool, frozen: ByteTrie, unknown: Int32?, byteIDs: [Int32]?
    ) {
        let order = scores.indices.filter(isFound).sorted { scores[$0] > scores[$1] }
        var ranks = [Int32](repeating: Self.notFound, count: scores.count)
        var rank: Int32 = -1
        var last: Float?
        for id in order {
            if scores[id] != last { rank += 1 }
            last = scores[id]
            ranks[id] = rank
        }
        self.ranks = ranks
        self.frozen = frozen
        self.unknown = unknown
        self.byteIDs = byteIDs
    }

    func encode(
        _ bytes: [UInt8], _ part: Range<Int>, _ vocabulary: Vocabulary, _ scratch: inout Scratch,
        into ids: inout [Int32]
    ) {
        cut(bytes, part, &scratch.symbols)
        join(bytes, vocabulary, &scratch)
        var place = 0
        var afterUnknown = false
        while place >= 0, place < scratch.symbols.count {
            let symbol = scratch.symbols[place]
            place = symbol.next
            if let id = id(bytes, symbol.start..<symbol.end, vocabulary) {
                ids.append(id)
                afterUnknown = false
            } else if let byteIDs {
                for offset in symbol.start..<symbol.end { ids.append(byteIDs[Int(bytes[offset])]) }
            } else if let unknown {
                if !afterUnknown { ids.append(unknown) }
                afterUnknown = true
            }
        }
    }

    private func id(_ bytes: [UInt8], _ range: Range<Int>, _ vocabulary: Vocabulary) -> Int32? {
        guard let id = vocabulary.id(of: bytes, range, .verbatim), Int(id) < ranks.count,
            ranks[Int(id)] != Self.notFound
        else { return nil }
        return id
    }

    /// The code points, and the frozen strings, each as one.
    private func cut(_ bytes: [UInt8], _ part: Range<Int>, _ symbols: inout [Symbol]) {
        symbols.removeAll(keepingCapacity: true)
        var start = part.lowerBound
        while start < part.upperBound {
            var end = start + UTF8Sequence.decode(bytes, at: start, end: part.upperBound).length
            var isFrozen = false
            if !frozen.isEmpty {
                var (node, place) = (ByteTrie.root, start)
                while place < part.upperBound {
                    node = frozen.child(node, bytes[place])
                    if node == ByteTrie.none { break }
                    place += 1
                    if frozen.value(node) >= 0 { (end, isFrozen) = (place, true) }
                }
            }
            symbols.append(
                Symbol(
                    start: start, end: end, previous: symbols.count - 1, next: symbols.count + 1,
                    isFrozen: isFrozen))
            start = end
        }
        if !symbols.isEmpty { symbols[symbols.count - 1].next = -1 }
    }

    private func join(_ bytes: [UInt8], _ vocabulary: Vocabulary, _ scratch: inout Scratch) {
        scratch.heap.removeAll()
        func offer(_ left: Int, _ right: Int, _ scratch: inout Scratch) {
            guard left >= 0, right >= 0 else { return }
            let (first, second) = (scratch.symbols[left], scratch.symbols[right])
            if first.isFrozen || second.isFrozen { return }
            guard let id = id(bytes, first.start..<second.end, vocabulary) else { return }
            scratch.heap.push(rank: UInt64(ranks[Int(id)]), place: left)
        }
        for index in 1..<max(scratch.symbols.count, 1) { offer(index - 1, index, &scratch) }
        while let (rank, place) = scratch.heap.pop() {
            // An entry is out of date when either side has been joined since.
            let left = scratch.symbols[place]
            guard left.end > left.start, left.next >= 0 else { continue }
            let right = scratch.symbols[left.next]
            guard let id = id(bytes, left.start..<right.end, vocabulary), UInt64(ranks[Int(id)]) == rank
            else { continue }
            scratch.symbols[place].end = right.end
            scratch.symbols[place].next = right.next
            scratch.symbols[left.next].end = right.start  // empty
            if right.next >= 0 { scratch.symbols[right.next].previous = place }
            offer(left.previous, place, &scratch)
            offer(place, right.next, &scratch)
        }
    }
}
