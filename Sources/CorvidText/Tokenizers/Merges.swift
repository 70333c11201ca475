/// The merges of byte-pair encoding and the search that applies them (Sennrich et al. 2016).
///
/// Of all adjacent pairs the one that was learned first is merged, the leftmost of equal ones, until no
/// pair is left that was learned.
struct Merges: Sendable {
    private var table: PairTable  // (left, right) to rank << 32 | id of the two together

    init(capacity: Int) { table = PairTable(capacity: capacity) }

    /// How many different pairs there are.
    var count: Int { table.count }

    /// Adds a merge; of two merges of one pair the last counts, or the first.
    mutating func set(left: Int32, right: Int32, rank: Int, merged: Int32, keepsFirst: Bool = false) {
        table.set(
            left, right, UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merged)), keepsFirst: keepsFirst)
    }

    /// Memory that the search uses again from piece to piece.
    struct Scratch {
        var values: [UInt64] = []
        var heap: [UInt64] = []
        var previous: [Int] = []
        var next: [Int] = []
    }

    private static let shortPiece = 64

    /// Merges a piece, given and returned as ids.
    func apply(to ids: inout [Int32], _ scratch: inout Scratch) {
        if ids.count < 2 { return }
        if ids.count <= Self.shortPiece { applyToShort(&ids, &scratch) } else { applyToLong(&ids, &scratch) }
    }

    /// Looks at all pairs in each round: quadratic, but fastest for words.
    private func applyToShort(_ ids: inout [Int32], _ scratch: inout Scratch) {
        scratch.values.removeAll(keepingCapacity: true)
        for index in 1..<ids.count { scratch.values.append(table[ids[index - 1], ids[index]]) }
        while true {
            var best = PairTable.none
            var place = 0
            for index in 0..<scratch.values.count where scratch.values[index] < best {
                best = scratch.values[index]
                place = index
            }
            if best == PairTable.none { return }
            ids[place] = Int32(truncatingIfNeeded: best & 0xFFFF_FFFF)
            ids.remove(at: place + 1)
            scratch.values.remove(at: place)
            if place > 0 { scratch.values[place - 1] = table[ids[place - 1], ids[place]] }
            if place < scratch.values.count { scratch.values[place] = table[ids[place], ids[place + 1]] }
        }
    }

    /// A heap of pairs over a linked list: n log n, for pieces of any length.
    private func applyToLong(_ ids: inout [Int32], _ scratch: inout Scratch) {
        let count = ids.count
        scratch.previous = Array(-1..<(count - 1))
        scratch.next = Array(1...count)
        scratch.heap.removeAll(keepingCapacity: true)
        for place in 0..<(count - 1) { scratch.push(table[ids[place], ids[place + 1]], place) }

        while let (rank, place) = scratch.pop() {
            // An entry is out of date when either side has been merged since.
            guard ids[place] >= 0, scratch.next[place] < count else { continue }
            let right = scratch.next[place]
            let value = table[ids[place], ids[right]]
            guard value >> 32 == rank else { continue }
            ids[place] = Int32(truncatingIfNeeded: value & 0xFFFF_FFFF)
            ids[right] = -1
            let after = scratch.next[right]
            scratch.next[place] = after
            if after < count {
                scratch.previous[after] = place
                scratch.push(table[ids[place], ids[after]], place)
            }
            let before = scratch.previous[place]
            if before >= 0 { scratch.push(table[ids[before], ids[place]], before) }
        }
        ids.removeAll { $0 < 0 }
    }
}

extension Merges.Scratch {
    private static let placeBits: UInt64 = 40

    /// Enters a pair by rank, then by place; `none` is not entered.
    fileprivate mutating func push(_ value: UInt64, _ place: Int) {
        if value == PairTable.none { return }
        let entry = (value >> 32) << Self.placeBits | UInt64(place)
        var child = heap.count
        heap.append(entry)
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= entry { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    fileprivate mutating func pop() -> (rank: UInt64, place: Int)? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            var parent = 0
            while true {
                var child = 2 * parent + 1
                if child >= heap.count { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                if last <= heap[child] { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = last
        }
        return (top >> Self.placeBits, Int(top & (1 << Self.placeBits - 1)))
    }
}
