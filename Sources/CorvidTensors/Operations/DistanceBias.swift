import CorvidKernels

/// A number for each head and distance between key and query, which is added to the scores.
public struct DistanceBias: Sendable {
    /// `[heads, count]`
    private let values: Vector
    let count: Int
    /// Distance of the first value.
    let first: Int

    /// - Parameters:
    ///   - distances: distances key - query beyond them have the values of their ends.
    ///   - value: the number for a head and a distance.
    public init(heads: Int, distances: ClosedRange<Int>, value: (Int, Int) -> Float) throws {
        // The kernels read 16 neighbours at once, wherever the first of them stands.
        let margin = Int(CK_TILE_POSITIONS) - 1
        first = distances.lowerBound - margin
        count = distances.count + 2 * margin
        var table: [Float] = []
        table.reserveCapacity(heads * count)
        for head in 0..<heads {
            for distance in first...distances.upperBound + margin {
                table.append(value(head, min(max(distance, distances.lowerBound), distances.upperBound)))
            }
        }
        values = try Vector(table)
    }

    func pointer(head: Int) -> UnsafePointer<Float> { values.pointer + head * count }
}
