/// Integer arithmetic on numbers that come from a file: nil where the true result does not fit.
///
/// Every size, count and offset that a reader of this folder computes goes through here, so that a wrapped
/// product can never pass for a small one.
enum CheckedArithmetic {
    /// `value` as a size or an offset; nil if it is too large.
    static func size(_ value: UInt64) -> Int? { Int(exactly: value) }

    static func sum(_ left: Int, _ right: Int) -> Int? {
        let (result, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : result
    }

    static func product(_ left: Int, _ right: Int) -> Int? {
        let (result, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? nil : result
    }

    /// The product of all sizes, 1 for none. Zeros do not hide an overflow of the others: code that
    /// multiplies in another order must not trap later.
    static func product(of sizes: [Int]) -> Int? {
        var result = 1
        var isZero = false
        for size in sizes {
            guard size >= 0 else { return nil }
            if size == 0 {
                isZero = true
            } else if let next = product(result, size) {
                result = next
            } else {
                return nil
            }
        }
        return isZero ? 0 : result
    }

    /// The least multiple of `alignment` that is not below `value`; nil for a negative value or no alignment.
    static func alignedUp(_ value: Int, to alignment: Int) -> Int? {
        guard value >= 0, alignment > 0 else { return nil }
        let rest = value % alignment
        return rest == 0 ? value : sum(value, alignment - rest)
    }

    /// Where `count` bytes at `offset` end; nil unless they lie inside `0..<bound`.
    static func end(offset: Int, count: Int, within bound: Int) -> Int? {
        guard offset >= 0, count >= 0, let end = sum(offset, count), end <= bound else { return nil }
        return end
    }

    /// Bytes of a tensor with rows of `columns` elements in blocks of `blockSize` elements and `blockBytes`
    /// bytes; nil if blocks do not divide the row or the size does not fit.
    static func byteCount(shape: [Int], blockSize: Int, blockBytes: Int) -> Int? {
        let columns = shape.last ?? 1
        guard blockSize > 0, columns % blockSize == 0, product(of: shape) != nil else { return nil }
        return product(of: shape.dropLast() + [columns / blockSize, blockBytes])
    }
}
