/// A piece that is cut out of the text before anything else is done with it.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    /// The UTF-8 bytes that are looked for in text.
    var content: [UInt8]
    /// Only where no word character stands on either side.
    var singleWord = false
    /// Takes the blanks before it along.
    var stripsLeft = false
    /// Takes the blanks after it along.
    var stripsRight = false
    /// Looked for in normalised text, after the other added tokens.
    var isNormalized = false
    /// Structure rather than text: it can be left out when decoding, and not looked for.
    var isSpecial = false
}

/// Added tokens as a trie over their bytes.
struct AddedTokenTrie: Sendable {
    let tokens: [AddedToken]
    private var trie: ByteTrie  // values are indices in `tokens`
    private var begins = [Bool](repeating: false, count: 256)

    init(_ added: [AddedToken]) {
        // Of tokens with equal content the first counts, special ones before others.
        let tokens = added.filter(\.isSpecial) + added.filter { !$0.isSpecial }
        self.tokens = tokens
        trie = ByteTrie(capacity: tokens.reduce(0) { $0 + $1.content.count })
        for (index, token) in tokens.enumerated() where !token.content.isEmpty {
            begins[Int(token.content[0])] = true
            trie.insert(token.content, value: Int32(truncatingIfNeeded: index), keepsFirst: true)
        }
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// The first place from `start` on where some token may begin, or the end.
    @inline(__always)
    func nextCandidate(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        var place = start
        while place < end, !begins[Int(bytes[place])] { place += 1 }
        return place
    }

    /// Calls `body` with each token that stands at `start`, from the shortest to the longest.
    func forEachMatch(_ bytes: [UInt8], at start: Int, _ end: Int, _ body: (Int) -> Void) {
        var node = ByteTrie.root
        var place = start
        while place < end {
            node = trie.child(node, bytes[place])
            if node == ByteTrie.none { return }
            place += 1
            if trie.value(node) >= 0 { body(Int(trie.value(node))) }
        }
    }

    /// The longest token that stands at `start`.
    func longestMatch(_ bytes: [UInt8], at start: Int, _ end: Int) -> AddedToken? {
        var longest: Int?
        forEachMatch(bytes, at: start, end) { longest = $0 }
        return longest.map { tokens[$0] }
    }
}

/// A part of the text: an added token, or text between added tokens.
enum TextSegment: Sendable, Equatable {
    case token(Int32)
    case text(Range<Int>)
}
