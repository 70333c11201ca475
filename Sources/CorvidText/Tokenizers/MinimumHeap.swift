/// A binary heap of places, the one with the lowest rank on top, the leftmost of equal ones.
struct MinimumHeap {
    private var entries: [UInt64] = []  // rank << placeBits | place

    private static let placeBits: UInt64 = 40

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// - Parameter rank: less than 2²⁴.
    mutating func push(rank: UInt64, place: Int) {
        let entry = rank << Self.placeBits | UInt64(place)
        var child = entries.count
        entries.append(entry)
        while child > 0 {
            let parent = (child - 1) / 2
            if entries[parent] <= entry { break }
            entries[child] = entries[parent]
            child = parent
        }
        entries[child] = entry
    }

    mutating func pop() -> (rank: UInt64, place: Int)? {
        guard let top = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            var parent = 0
            while true {
                var child = 2 * parent + 1
                if child >= entries.count { break }
                if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
                if last <= entries[child] { break }
                entries[parent] = entries[child]
                parent = child
            }
            entries[parent] = last
        }
        return (top >> Self.placeBits, Int(top & (1 << Self.placeBits - 1)))
    }
}
