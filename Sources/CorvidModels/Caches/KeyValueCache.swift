import CorvidTensors

/// The full cache: keys and values of every position of one sequence, in pages of 256 positions.
///
/// Memory grows with the sequence. Copies share pages until one of them writes into a shared page.
public final class KeyValueCache: SequenceCache, @unchecked Sendable {
    // Sound: a cache belongs to one pass at a time (the contract of `Batch`), and passes queue.
    public let shape: KeyValueShape
    public private(set) var count = 0
    /// Keys and values before the first token's; ``count`` does not count them.
    let prefixCount: Int
    private(set) var pages: [KeyValuePage] = []
    /// Keys and values of the source text that the sequence answers to; shared by all forks, and never changed.
    let source: KeyValueCache?

    /// Keys and sense vectors of the same positions, in a Backpack.
    let senses: KeyValueCache?

    public convenience init(shape: KeyValueShape) { self.init(shape: shape, senses: nil, source: nil) }

    init(
        shape: KeyValueShape, senses: KeyValueCache?, source: KeyValueCache?, prefix: [KeyValuePage] = [],
        prefixCount: Int = 0
    ) {
        self.shape = shape
        self.senses = senses
        self.source = source
        self.prefixCount = prefixCount
        pages = prefix
    }

    /// Bytes of the pages held, the source's among them.
    public var byteCount: Int {
        pages.count * KeyValuePage.positions * shape.bytesPerPosition + (senses?.byteCount ?? 0)
            + (source?.byteCount ?? 0)
    }

    public func fork() throws -> KeyValueCache {
        let copy = KeyValueCache(
            shape: shape, senses: try senses?.fork(), source: source, prefixCount: prefixCount)
        // A pass that failed may have left pages beyond `count`; they are not part of the content.
        copy.pages = Array(pages.prefix(Self.pages(for: prefixCount + count)))
        copy.count = count
        return copy
    }

    public func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "a cache cannot be cut to more than it holds")
        self.count = count
        pages.removeLast(max(0, pages.count - Self.pages(for: prefixCount + count)))
        senses?.truncate(to: count)
    }

    /// Makes room for positions up to `end` (exclusive) that this cache alone will write.
    func reserve(upTo end: Int) throws {
        let held = prefixCount + count
        let partial = held / KeyValuePage.positions
        if end > count, partial < pages.count, !isKnownUniquelyReferenced(&pages[partial]) {
            pages[partial] = try pages[partial].copy(positions: held % KeyValuePage.positions)
        }
        while pages.count < Self.pages(for: prefixCount + end) { pages.append(try KeyValuePage(shape)) }
        try senses?.reserve(upTo: end)
    }

    /// The pass has stored all positions up to `end`.
    func advance(to end: Int) {
        count = end
        senses?.advance(to: end)
    }

    private static func pages(for positions: Int) -> Int {
        (positions + KeyValuePage.positions - 1) / KeyValuePage.positions
    }
}
