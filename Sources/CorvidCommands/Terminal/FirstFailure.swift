import Synchronization

/// Keeps the first error of a callback that cannot throw.
final class FirstFailure: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    /// Runs `body`, unless something failed before.
    func keep(_ body: () throws -> Void) {
        guard failure.withLock({ $0 == nil }) else { return }
        do {
            try body()
        } catch {
            failure.withLock { $0 = error }
        }
    }

    /// Throws what was kept.
    func rethrow() throws {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
