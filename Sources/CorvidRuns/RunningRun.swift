import Synchronization

/// A run that has begun. As long as this value lives, others see the run as running.
public final class RunningRun: Sendable {
    public let id: Int
    private let lock: Mutex<RunLock?>

    init(id: Int, lock: RunLock?) {
        self.id = id
        self.lock = Mutex(lock)
    }

    func release() { lock.withLock { $0 = nil } }
}
