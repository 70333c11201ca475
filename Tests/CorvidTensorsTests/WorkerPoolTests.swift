import CorvidTensors
import Synchronization
import Testing

@Suite struct WorkerPoolTests {
    @Test(
        "every task runs exactly once, also with more threads than processors", arguments: [1, 2, 3, 8, 33])
    func everyTaskOnce(threads: Int) throws {
        let pool = try WorkerPool(threads: threads)
        #expect(pool.threads == threads)
        let counts = Counts(1000)
        for tasks in [0, 1, 2, 7, 1000] {
            try pool.runBlocking { workers in
                for _ in 0..<20 {
                    workers.forEach(tasks) { task, worker in
                        counts.add(worker < threads ? task : 999)
                    }
                }
            }
        }
        // Task 0 ran in four of the five sizes, 1 in three, 2...6 in two, the others in one, 20 times each.
        let seen = counts.values
        #expect(seen[0] == 80 && seen[1] == 60 && seen[6] == 40 && seen[7] == 20 && seen[999] == 20)
    }

    @Test("an operation is complete before the next one begins")
    func operationsAreOrdered() throws {
        let pool = try WorkerPool(threads: 4)
        let sum = try pool.runBlocking { workers in
            let cells = Counts(64)
            for _ in 0..<3000 {
                workers.forEach(64) { task, _ in cells.add(task) }
                let least = cells.values.min()
                if least != cells.values.max() { return -1 }
            }
            return cells.values.reduce(0, +)
        }
        #expect(sum == 64 * 3000)
    }

    @Test("jobs of many callers run one at a time in order of arrival, and their errors come back")
    func jobsQueue() async throws {
        struct Stop: Error {}
        let pool = try WorkerPool(threads: 2)
        let jobs = RunningJobs()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<50 {
                group.addTask {
                    try await pool.run { _ in
                        jobs.pass()
                        return index
                    }
                }
            }
            var total = 0
            for try await index in group { total += index }
            #expect(total == 49 * 50 / 2)
        }
        #expect(jobs.mostAtOnce == 1)
        await #expect(throws: Stop.self) { try await pool.run { _ in throw Stop() } }
    }
}

/// Counts jobs that run at one time.
private final class RunningJobs: Sendable {
    private let running = Atomic<Int>(0)
    private let most = Atomic<Int>(0)
    var mostAtOnce: Int { most.load(ordering: .relaxed) }

    func pass() {
        most.max(running.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue, ordering: .relaxed)
        running.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
}

/// Counters that several threads raise.
private final class Counts: Sendable {
    private let storage: Mutex<[Int]>
    init(_ count: Int) { storage = Mutex([Int](repeating: 0, count: count)) }
    func add(_ index: Int) { storage.withLock { $0[index] += 1 } }
    var values: [Int] { storage.withLock { $0 } }
}
