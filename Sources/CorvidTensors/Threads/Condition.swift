import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A mutex with a condition variable: sleep until something holds.
///
/// Sound: the two pthread objects are allocated once, used only through their own thread-safe functions, and
/// freed with this object.
final class Condition: @unchecked Sendable {
    fileprivate let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    fileprivate let variable = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(variable, nil)
    }

    deinit {
        pthread_cond_destroy(variable)
        pthread_mutex_destroy(mutex)
        variable.deallocate()
        mutex.deallocate()
    }

    /// Sleeps until `holds()`; it is asked with the mutex held.
    func wait(until holds: () -> Bool) {
        pthread_mutex_lock(mutex)
        while !holds() { pthread_cond_wait(variable, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// Changes something under the mutex and wakes every sleeper, who then finds the mutex free.
    func broadcast(_ change: () -> Void = {}) {
        pthread_mutex_lock(mutex)
        change()
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(variable)
    }
}

extension Condition {
    /// Wakes at most `count` sleepers, for whom something has changed that is not behind the mutex.
    func wake(_ count: Int) {
        // Whoever has asked in vain sleeps by the time the mutex is free.
        pthread_mutex_lock(mutex)
        pthread_mutex_unlock(mutex)
        for _ in 0..<count { pthread_cond_signal(variable) }
    }
}

/// Jobs in order of arrival.
final class JobQueue: @unchecked Sendable {
    // Sound: `jobs` and `closed` are touched only with the condition's mutex held.
    private let condition = Condition()
    private var jobs: [@Sendable () -> Void] = []
    private var closed = false

    func add(_ job: @escaping @Sendable () -> Void) { condition.broadcast { jobs.append(job) } }
    func close() { condition.broadcast { closed = true } }

    /// The next job; nil when the queue is closed and empty.
    func next() -> (@Sendable () -> Void)? {
        var job: (@Sendable () -> Void)?
        condition.wait {
            if !jobs.isEmpty {
                job = jobs.removeFirst()
                return true
            }
            return closed
        }
        return job
    }
}

/// A result which one thread sets and another waits for.
final class ResultBox<Value: Sendable>: @unchecked Sendable {
    // Sound: `result` is touched only with the condition's mutex held.
    private let condition = Condition()
    private var result: Result<Value, any Error>?

    func set(_ value: Result<Value, any Error>) { condition.broadcast { result = value } }

    func wait() -> Result<Value, any Error> {
        var found: Result<Value, any Error>?
        condition.wait {
            found = result
            return found != nil
        }
        return found ?? .failure(CancellationError())
    }
}

/// Starts a detached thread; false if the system has none left.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(body))
    #if os(Linux)
    var thread = pthread_t()
    #else
    var thread: pthread_t?
    #endif
    let status = pthread_create(
        &thread, nil,
        { argument in
            #if os(Linux)
            guard let argument else { return nil }
            #endif
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard status == 0 else {
        box.release()
        return false
    }
    #if os(Linux)
    pthread_detach(thread)
    #else
    if let thread { pthread_detach(thread) }
    #endif
    return true
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
