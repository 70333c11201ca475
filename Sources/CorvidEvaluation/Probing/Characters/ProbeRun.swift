import CorvidTensors
import Synchronization

/// Work on the threads of a pool that can be cancelled and says how far it is.
enum ProbeRun {
    /// How much is done of how much.
    typealias Progress = @Sendable (_ done: Int, _ total: Int) -> Void

    /// Runs `body` on the pool. It asks its second argument whether the caller's task was cancelled.
    static func run<Value: Sendable>(
        on pool: WorkerPool,
        _ body: @escaping @Sendable (Workers, @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        let flag = Flag()
        return try await withTaskCancellationHandler {
            try await pool.run { workers in
                if flag.isSet { throw CancellationError() }
                return try body(workers) { flag.isSet }
            }
        } onCancel: {
            flag.set()
        }
    }

    /// Runs jobs, each on one thread, those of most work first.
    /// - Returns: what they gave, in their order.
    /// - Throws: the error of the first job that failed.
    static func jobs<Job: Sendable, Value: Sendable>(
        _ jobs: [Job], workers: Workers, work: (Job) -> Int, _ body: (Job) throws -> Value
    ) throws -> [Value] {
        let costs = jobs.map(work)
        let order = jobs.indices.sorted { (costs[$1], $0) < (costs[$0], $1) }
        let results = Mutex<[Result<Value, any Error>?]>(Array(repeating: nil, count: jobs.count))
        workers.forEach(jobs.count) { task, _ in
            let place = order[task]
            let result = Result { try body(jobs[place]) }
            results.withLock { $0[place] = result }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }

    /// Counts what is done, from any thread.
    final class Counter: Sendable {
        private let done = Atomic<Int>(0)
        private let total: Int
        private let progress: Progress

        init(total: Int, _ progress: @escaping Progress) {
            self.total = total
            self.progress = progress
        }

        func add(_ count: Int = 1) {
            let sum = done.wrappingAdd(count, ordering: .relaxed).newValue
            progress(sum, total)
        }
    }

    private final class Flag: Sendable {
        private let flag = Atomic<Bool>(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}
