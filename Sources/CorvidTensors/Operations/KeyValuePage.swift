import CorvidKernels

/// Keys and values of 256 positions of one layer, all key-value heads, f16 or f32.
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
        buffer = try AlignedBuffer(byteCount: 2 * shape.heads * shape.headBytes)
    }

    /// A page with the same content.
    public func copy() throws -> KeyValuePage {
        let page = try KeyValuePage(shape)
        page.buffer.base.copyMemory(from: buffer.base, byteCount: buffer.byteCount)
        return page
    }

    func keys(head: Int) -> UnsafeMutableRawPointer { buffer.base + head * shape.headBytes }
    func values(head: Int) -> UnsafeMutableRawPointer {
        buffer.base + (shape.heads + head) * shape.headBytes
    }
}

/// Sizes of one layer's keys and values.
public struct KeyValueShape: Sendable, Equatable {
    /// Key-value heads.
    public let heads: Int
    public let headWidth: Int
    /// ``DType/f16`` or ``DType/f32``.
    public let type: DType

    public init(heads: Int, headWidth: Int, type: DType) {
        precondition(type == .f16 || type == .f32, "keys and values are f16 or f32")
        self.heads = heads
        self.headWidth = headWidth
        self.type = type
    }

    /// Bytes of one head's keys (or values) in a page.
    var headBytes: Int { KeyValuePage.positions * headWidth * type.blockBytes }
    /// Bytes of keys and values of one position.
    public var bytesPerPosition: Int { 2 * heads * headWidth * type.blockBytes }
}
