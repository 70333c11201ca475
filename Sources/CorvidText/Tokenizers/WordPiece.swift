/// WordPiece (Schuster and Nakajima 2012; Devlin et al. 2018): a word becomes the longest piece it begins
/// with, then the longest that goes on from there, and so forth. A word that comes to no end in this way
/// is unknown as a whole.
struct WordPiece: Sendable {
    private let trie: ByteTrie
    private let initial: Int32  // where the search for a piece that begins a word starts
    private let continuing: Int32  // and for one within a word
    let unknown: Int32?
    /// A word with more code points is unknown.
    private let mostCharacters: Int

    /// - Parameters:
    ///   - initialPrefix: what pieces that begin a word begin with ("▁" in GGUF files, else nothing).
    ///   - continuingPrefix: what pieces within a word begin with ("##", nothing in GGUF files).
    /// - Throws: `TokenizerError.limit` for a vocabulary of very many bytes.
    init(
        _ vocabulary: Vocabulary, initialPrefix: [UInt8] = [], continuingPrefix: [UInt8] = Array("##".utf8),
        unknown: Int32?, mostCharacters: Int, file: String
    ) throws(TokenizerError) {
        trie = try vocabulary.trie(file: file) { _ in true }
        initial = trie.node(after: initialPrefix)
        continuing = trie.node(after: continuingPrefix)
        self.unknown = unknown
        self.mostCharacters = mostCharacters
    }

    func encode(_ bytes: [UInt8], _ part: Range<Int>, into ids: inout [Int32]) {
        let characters = bytes[part].count { $0 & 0xC0 != 0x80 }
        var start = part.lowerBound
        var origin = characters > mostCharacters ? ByteTrie.none : initial
        while start < part.upperBound {
            var (node, place) = (origin, start)
            var (best, end) = (Int32(-1), start)
            while node != ByteTrie.none {
                if trie.value(node) >= 0, place > start { (best, end) = (trie.value(node), place) }
                if place == part.upperBound { break }
                node = trie.child(node, bytes[place])
                place += 1
            }
            guard best >= 0 else {
                ids.removeAll(keepingCapacity: true)
                if let unknown { ids.append(unknown) }
                return
            }
            ids.append(best)
            start = end
            origin = continuing
        }
    }
}

extension Vocabulary {
    /// The verbatim pieces that a condition holds for as a trie from their bytes to their ids.
    func trie(file: String, _ isIn: (_ id: Int) -> Bool) throws(TokenizerError) -> ByteTrie {
        guard bytes.count <= ByteTrie.mostBytes else {
            throw .limit(
                field: "the length of all pieces", found: bytes.count, limit: ByteTrie.mostBytes, file: file)
        }
        var trie = ByteTrie(capacity: bytes.count / 2)
        for id in 0..<idBound where form(of: id) == .verbatim && isIn(id) {
            trie.insert(bytes[range(of: id)], value: Int32(id))
        }
        return trie
    }
}
