/// Byte strings as a trie whose edges lie in one flat hash table.
struct ByteTrie: Sendable {
    private var slots: [UInt64]  // (node << 8 | byte) << 32 | child, or `empty`
    private var values: [Int32] = [-1]  // what stands at a node, or -1
    private let seed = UInt64.random(in: .min ... .max)
    private static let empty = UInt64.max

    /// The node of the empty string.
    static let root: Int32 = 0
    /// Answer for a node that is not there.
    static let none: Int32 = -1
    /// Greatest length of all strings together, in bytes.
    static let mostBytes = 1 << 23

    /// - Parameter bytes: about how many bytes the strings have that no other begins with.
    init(capacity bytes: Int) {
        let count = Hashing.capacity(for: bytes)
        slots = [UInt64](repeating: Self.empty, count: count)
        values.reserveCapacity(min(bytes + 1, count))
    }

    /// Whether there are no strings.
    var isEmpty: Bool { values.count == 1 }

    @inline(__always)
    private func start(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: Hashing.mix(key ^ seed)) & (slots.count - 1)
    }

    /// The node after one more byte, or `none`.
    @inline(__always)
    func child(_ node: Int32, _ byte: UInt8) -> Int32 {
        let key = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
        var slot = start(key)
        while true {
            let entry = slots[slot]
            if entry >> 32 == key { return Int32(truncatingIfNeeded: entry & 0xFFFF_FFFF) }
            if entry == Self.empty { return Self.none }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    /// The node after some bytes, or `none`.
    func node(after bytes: some Sequence<UInt8>, from start: Int32 = root) -> Int32 {
        var node = start
        for byte in bytes {
            node = child(node, byte)
            if node == Self.none { break }
        }
        return node
    }

    /// What was set for the string that ends at a node; -1 when none does.
    @inline(__always)
    func value(_ node: Int32) -> Int32 { values[Int(node)] }

    /// Sets the value of a string; the caller holds `mostBytes`.
    /// - Parameter keepsFirst: whether an earlier value for the same string stays.
    mutating func insert(_ bytes: some Sequence<UInt8>, value: Int32, keepsFirst: Bool = false) {
        var node = Self.root
        for byte in bytes {
            let next = child(node, byte)
            node = next == Self.none ? addChild(node, byte) : next
        }
        if !keepsFirst || values[Int(node)] < 0 { values[Int(node)] = value }
    }

    private mutating func addChild(_ node: Int32, _ byte: UInt8) -> Int32 {
        if 2 * (values.count + 1) > slots.count { grow() }
        let child = Int32(truncatingIfNeeded: values.count)
        values.append(-1)
        let key = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
        place(key << 32 | UInt64(UInt32(bitPattern: child)))
        return child
    }

    private mutating func place(_ entry: UInt64) {
        var slot = start(entry >> 32)
        while slots[slot] != Self.empty { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: Self.empty, count: 2 * old.count)
        for entry in old where entry != Self.empty { place(entry) }
    }
}
