import Synchronization

/// Counts what several tasks finish.
final class Counter: Sendable {
    private let count = Atomic(0)

    /// How many there are with this one.
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
