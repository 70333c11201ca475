/// Read-only bytes of a mapped file or a buffer, which they keep alive. All reads are checked.
public struct Bytes: @unchecked Sendable {
    // Sound: the memory is never written after `Bytes` was made over it, and `owner` outlives it.
    private let owner: AnyObject
    @usableFromInline let base: UnsafeRawPointer
    public let count: Int

    init(owner: AnyObject, base: UnsafeRawPointer, count: Int) {
        self.owner = owner
        self.base = base
        self.count = count
    }

    /// A copy of `array` in aligned memory.
    public init(_ array: [UInt8]) throws {
        let buffer = try AlignedBuffer(byteCount: array.count)
        array.withUnsafeBytes { source in
            if let start = source.baseAddress { buffer.base.copyMemory(from: start, byteCount: source.count) }
        }
        self.init(owner: buffer, base: UnsafeRawPointer(buffer.base), count: array.count)
    }

    /// The part of `count` bytes at `offset`, sharing memory; nil if it does not lie inside.
    public func slice(offset: Int, count: Int) -> Bytes? {
        guard contains(offset: offset, count: count) else { return nil }
        return Bytes(owner: owner, base: base + offset, count: count)
    }

    /// The little-endian integer at `offset`, of any alignment; nil if it does not lie inside.
    @inlinable
    public func integer<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: T.Type = T.self
    ) -> T? {
        guard contains(offset: offset, count: MemoryLayout<T>.size) else { return nil }
        return T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// Lets the system take back the memory of pages of a mapped file; they are read again when they are used.
    func releasePages() { (owner as? MappedFile)?.releasePages(base, byteCount: count) }

    /// A copy of `count` bytes at `offset`; nil if they do not lie inside.
    public func array(offset: Int, count: Int) -> [UInt8]? {
        guard contains(offset: offset, count: count) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: base + offset, count: count))
    }

    /// The text of `count` bytes at `offset`, or nil if they do not lie inside or are not UTF-8.
    public func string(offset: Int, count: Int) -> String? {
        guard contains(offset: offset, count: count) else { return nil }
        return String(validating: UnsafeRawBufferPointer(start: base + offset, count: count), as: UTF8.self)
    }

    /// All bytes as an array.
    public var array: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: base, count: count)) }

    @inlinable
    func contains(offset: Int, count length: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= count && length <= count - offset
    }
}
