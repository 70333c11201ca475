import CorvidKernels

/// Keys and values of 256 positions of one sequence, all layers and key-value heads, f16 or f32.
///
/// Keys lie in tiles of 16 positions, so that a score is a sum in the order of the head's dimensions and
/// sixteen of them are made at once; values lie row by row.
public final class KeyValuePage: @unchecked Sendable {
    // Sound: a page is written only by the pass that holds its cache, at positions nobody reads yet.
    public static let positions = Int(CK_PAGE_POSITIONS)

    let shape: KeyValueShape
    private let buffer: AlignedBuffer

    public init(_ shape: KeyValueShape) throws {
        self.shape = shape
        buffer = try AlignedBuffer(byteCount: shape.bytesPerPosition * Self.positions)
    }

    /// A page with the same first `count` positions. The others stay untouched, so that they take no memory.
    public func copy(positions count: Int) throws -> KeyValuePage {
        let page = try KeyValuePage(shape)
        let tiles = (count + Int(CK_TILE_POSITIONS) - 1) / Int(CK_TILE_POSITIONS)
        let bytesPerRow = shape.headWidth * shape.type.blockBytes
        for layer in 0..<shape.layers {
            for head in 0..<shape.heads {
                page.keys(layer: layer, head: head).copyMemory(
                    from: keys(layer: layer, head: head),
                    byteCount: tiles * Int(CK_TILE_POSITIONS) * bytesPerRow)
                page.values(layer: layer, head: head).copyMemory(
                    from: values(layer: layer, head: head), byteCount: count * bytesPerRow)
            }
        }
        return page
    }

    func keys(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        buffer.base + (2 * layer * shape.heads + head) * shape.headBytes
    }

    func values(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        buffer.base + ((2 * layer + 1) * shape.heads + head) * shape.headBytes
    }
}

/// Sizes of a sequence's keys and values.
public struct KeyValueShape: Sendable, Equatable {
    public let layers: Int
    /// Key-value heads.
    public let heads: Int
    public let headWidth: Int
    /// ``DType/f16`` or ``DType/f32``.
    public let type: DType

    public init(layers: Int, heads: Int, headWidth: Int, type: DType) {
        precondition(type == .f16 || type == .f32, "keys and values are f16 or f32")
        self.layers = layers
        self.heads = heads
        self.headWidth = headWidth
        self.type = type
    }

    /// The same with another number of heads.
    public func with(heads: Int) -> KeyValueShape {
        KeyValueShape(layers: layers, heads: heads, headWidth: headWidth, type: type)
    }

    /// Bytes of one head's keys (or values) in a page.
    var headBytes: Int { KeyValuePage.positions * headWidth * type.blockBytes }
    /// Bytes of keys and values of one position, over all layers.
    public var bytesPerPosition: Int { 2 * layers * heads * headWidth * type.blockBytes }
}
