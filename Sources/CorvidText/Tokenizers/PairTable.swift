/// A flat hash table from two 32-bit numbers to a 64-bit one: merges by pair of ids, trie edges.
struct PairTable: Sendable {
    private struct Slot: Sendable {
        var key: UInt64
        var value: UInt64
    }

    private var slots: [Slot]
    private var mask: Int
    private(set) var count = 0
    private let seed = UInt64.random(in: .min ... .max)
    private static let empty = UInt64.max

    /// A value that no entry has: what looking up answers when there is none.
    static let none = UInt64.max

    init(capacity: Int) {
        slots = Array(
            repeating: Slot(key: Self.empty, value: Self.none), count: Hashing.capacity(for: capacity))
        mask = slots.count - 1
    }

    /// The value under a pair of numbers from 0 to `Int32.max`, or `none`.
    @inline(__always)
    subscript(left: Int32, right: Int32) -> UInt64 {
        let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
        var index = Int(truncatingIfNeeded: Hashing.mix(key ^ seed)) & mask
        while true {
            let slot = slots[index]
            if slot.key == key { return slot.value }
            if slot.key == Self.empty { return Self.none }
            index = (index + 1) & mask
        }
    }

    /// Sets the value under a pair; an earlier one is replaced, or kept.
    mutating func set(_ left: Int32, _ right: Int32, _ value: UInt64, keepsFirst: Bool = false) {
        if 2 * (count + 1) > slots.count { grow() }
        let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
        let index = index(for: key)
        if slots[index].key == Self.empty {
            count += 1
        } else if keepsFirst {
            return
        }
        slots[index] = Slot(key: key, value: value)
    }

    /// All pairs with their values, in no order.
    var entries: [(left: Int32, right: Int32, value: UInt64)] {
        slots.filter { $0.key != Self.empty }.map { slot in
            (
                Int32(truncatingIfNeeded: slot.key >> 32), Int32(truncatingIfNeeded: slot.key & 0xFFFF_FFFF),
                slot.value
            )
        }
    }

    private func index(for key: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: Hashing.mix(key ^ seed)) & mask
        while slots[index].key != Self.empty, slots[index].key != key { index = (index + 1) & mask }
        return index
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(key: Self.empty, value: Self.none), count: 2 * old.count)
        mask = slots.count - 1
        for slot in old where slot.key != Self.empty { slots[index(for: slot.key)] = slot }
    }
}
