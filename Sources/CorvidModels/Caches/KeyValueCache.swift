import CorvidTensors

/// The full cache: keys and values of every position of one sequence, in pages of 256 positions.
///
/// Memory grows with the sequence. Copies share pages until one of them writes into a shared page.
public final class KeyValueCache: SequenceCache, @unchecked Sendable {
    // Sound: a cache belongs to one pass at a time (the contract of `Batch`), and passes queue.
    public let shape: KeyValueShape
    public let layers: Int
    public private(set) var count = 0
    /// Pages by layer.
    private var pages: [[KeyValuePage]]

    public init(layers: Int, shape: KeyValueShape) {
        self.layers = layers
        self.shape = shape
        pages = Array(repeating: [], count: layers)
    }

    /// Bytes of the pages held.
    public var byteCount: Int {
        pages.reduce(0) { $0 + $1.count } * KeyValuePage.positions * shape.bytesPerPosition
    }

    public func fork() throws -> KeyValueCache {
        let copy = KeyValueCache(layers: layers, shape: shape)
        copy.pages = pages
        copy.count = count
        return copy
    }

    public func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "a cache cannot be cut to more than it holds")
        self.count = count
        let needed = (count + KeyValuePage.positions - 1) / KeyValuePage.positions
        for layer in 0..<layers { pages[layer].removeLast(max(0, pages[layer].count - needed)) }
    }

    /// Makes room for positions up to `end` (exclusive) that this cache alone will write.
    func reserve(upTo end: Int) throws {
        let needed = (end + KeyValuePage.positions - 1) / KeyValuePage.positions
        for layer in 0..<layers {
            let partial = count / KeyValuePage.positions
            if partial < pages[layer].count, !isKnownUniquelyReferenced(&pages[layer][partial]) {
                pages[layer][partial] = try pages[layer][partial].copy()
            }
            while pages[layer].count < needed { pages[layer].append(try KeyValuePage(shape)) }
        }
    }

    /// All pages of one layer.
    func pages(layer: Int) -> [KeyValuePage] { pages[layer] }

    /// The pass has stored all positions up to `end`.
    func advance(to end: Int) { count = end }
}
