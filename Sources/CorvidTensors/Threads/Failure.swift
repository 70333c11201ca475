import Synchronization

/// The first error of the tasks of one operation.
final class Failure: Sendable {
    private let first = Mutex<(any Error)?>(nil)

    func catching(_ body: () throws -> Void) {
        do { try body() } catch { first.withLock { if $0 == nil { $0 = error } } }
    }

    func check() throws {
        if let error = first.withLock({ $0 }) { throw error }
    }
}
