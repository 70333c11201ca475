/// Memory for the values of one pass: handed out in order, given back all at once.
///
/// A pass that is differentiated keeps its arena; a pass that is not gives back what a block used when the
/// block ends, so that memory does not grow with depth. Not for several threads: the leader of a pass asks.
public final class Arena {
    /// A moment to return to.
    public struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
    }

    private var chunks: [AlignedBuffer] = []
    private var chunk = 0
    private var used = 0
    private static let smallestChunk = 1 << 20

    public init() {}

    /// Bytes held.
    public var byteCount: Int { chunks.reduce(0) { $0 + $1.byteCount } }

    /// A matrix of undefined content.
    public func matrix(rows: Int, columns: Int) throws -> Matrix {
        let (buffer, base) = try reserve(byteCount: rows * columns * MemoryLayout<Float>.stride)
        return Matrix(
            owner: buffer, base: base.bindMemory(to: Float.self, capacity: rows * columns), rows: rows,
            columns: columns, stride: columns)
    }

    /// Raw memory of undefined content, aligned to a cache line; valid until the arena goes back before it.
    func reserve(byteCount: Int) throws -> (owner: AlignedBuffer, base: UnsafeMutableRawPointer) {
        let size =
            (byteCount + AlignedBuffer.alignment - 1) / AlignedBuffer.alignment * AlignedBuffer.alignment
        while chunk < chunks.count {
            if used + size <= chunks[chunk].byteCount {
                let base = chunks[chunk].base + used
                used += size
                return (chunks[chunk], base)
            }
            chunk += 1
            used = 0
        }
        chunks.append(try AlignedBuffer(byteCount: max(size, Self.smallestChunk)))
        used = size
        return (chunks[chunk], chunks[chunk].base)
    }

    public func mark() -> Mark { Mark(chunk: chunk, used: used) }

    /// Gives back everything handed out after `mark`.
    public func reset(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
    }

    /// Gives back everything; keeps the memory for the next pass unless it is more than `limit` bytes.
    public func reset(keeping limit: Int = .max) {
        chunk = 0
        used = 0
        if byteCount > limit { chunks.removeAll() }
    }
}
