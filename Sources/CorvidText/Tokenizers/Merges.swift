/// The merges of byte-pair encoding and the search that applies them (Sennrich et al. 2016).
///
/// Of all adjacent pairs the one that was learned first is merged, the leftmost of equal ones, until no
/// pair is left that was learned.
struct Merges: Sendable {
    private var table: PairTable  // (left, right) to rank << 32 | id of the two together

    init(capacity: Int) { table = PairTable(capacity: capacity) }

    /// How many different pairs there are.
    var count: Int { table.count }

    /// The pairs in the order in which they were learned.
    var pairs: [(left: Int32, right: Int32)] {
        table.entries.sorted { $0.value < $1.value }.map { ($0.left, $0.right) }
    }

    /// Adds a merge; of two merges of one pair the last counts, or the first.
    mutating func set(left: Int32, right: Int32, rank: Int, merged: Int32, keepsFirst: Bool = false) {
        table.set(
            left, right, UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merged)), keepsFirst: keepsFirst)
    }

    /// Memory that the search uses again from piece to piece.
    struct Scratch {
        var values: [UInt64] = []
        var heap = MinimumHeap()
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
        scratch.heap.removeAll()
        func offer(_ left: Int, _ right: Int) {
            let value = table[ids[left], ids[right]]
            if value != PairTable.none { scratch.heap.push(rank: value >> 32, place: left) }
        }
        for place in 0..<(count - 1) { offer(place, place + 1) }

        while let (rank, place) = scratch.heap.pop() {
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
                offer(place, after)
            }
            let before = scratch.previous[place]
            if before >= 0 { offer(before, place) }
        }
        ids.removeAll { $0 < 0 }
    }
}
