import CorvidKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The threads on which all passes run: one leader, which takes jobs in order, and its workers.
///
/// A pass blocks for milliseconds to minutes, so it must not sit on Swift's cooperative threads. Between the
/// operations of one job the workers spin for a moment (a small model has some hundred operations in 3 ms;
/// waking a thread costs more than most of them); between jobs they sleep. Of more threads than processors only
/// as many are awake as there are processors, since the others could only take turns with them.
public final class WorkerPool: Sendable {
    /// Threads that work on an operation, the leader included.
    public let threads: Int
    private let team: Team
    private let queue: JobQueue

    /// - Parameter threads: at least 1; nil takes the processors which this process may use. Where the system
    ///   has fewer threads left, the pool has fewer.
    /// - Throws: ``MemoryError/threads`` if there is not even one.
    public init(threads: Int? = nil) throws {
        let wanted = max(1, min(threads ?? Self.availableProcessors, 1024))
        let team = Team(threads: wanted, processors: Self.availableProcessors)
        let queue = JobQueue()
        let leads = startThread {
            while let job = queue.next() {
                team.begin()
                job()
                team.end()
            }
            team.stop()
        }
        guard leads else { throw MemoryError.threads }
        var started = 1
        while started < wanted, startThread({ [started] in team.work(worker: started) }) { started += 1 }
        self.threads = started
        self.team = team
        self.queue = queue
    }

    deinit { queue.close() }

    /// Runs `body` on the leader and returns what it returns. Jobs of several callers run in order of arrival.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable (Workers) throws -> Value
    ) async throws
        -> Value
    {
        let team = team
        return try await withCheckedThrowingContinuation { continuation in
            queue.add { continuation.resume(with: Result { try body(Workers(team: team)) }) }
        }
    }

    /// The same for callers that may block, such as tests and programs without tasks.
    public func runBlocking<Value: Sendable>(
        _ body: @escaping @Sendable (Workers) throws -> Value
    ) throws -> Value {
        let team = team
        let box = ResultBox<Value>()
        queue.add { box.set(Result { try body(Workers(team: team)) }) }
        return try box.wait().get()
    }

    /// Processors which this process may use.
    public static let availableProcessors = Int(ck_available_processors())
}

/// The workers during one job. Only the job is handed one and it is not Sendable, so that no operation starts
/// elsewhere.
public struct Workers {
    fileprivate let team: Team

    public var threads: Int { team.threads }

    /// Runs `body(task, worker)` for every task in `0..<tasks` and returns when all are done. Which worker
    /// takes a task is open: the result must not depend on it.
    public func forEach(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        team.run(tasks: tasks, body)
    }

    /// The time from now on belongs to `part`, if the pool is being profiled. Give the result to ``end(_:)``.
    @inline(__always)
    func begin(_ part: PassPart) -> PassPart? { team.recorder?.begin(part) }

    /// The time from now on belongs to the part before ``begin(_:)``.
    @inline(__always)
    func end(_ outer: PassPart?) { if let outer { team.recorder?.end(outer) } }

    func record() throws { team.recorder = try PassRecorder(threads: threads) }

    func stopRecording() -> PassProfile? {
        defer { team.recorder = nil }
        return team.recorder?.profile
    }

    /// At least `byteCount` bytes of memory for each worker, valid until the next call.
    func scratch(byteCount: Int) throws -> WorkerScratch { try team.scratch(byteCount: byteCount) }
}

/// One aligned piece of memory per worker.
struct WorkerScratch: @unchecked Sendable {
    fileprivate let buffer: AlignedBuffer
    fileprivate let bytesPerWorker: Int

    func pointer(worker: Int) -> UnsafeMutableRawPointer { buffer.base + worker * bytesPerWorker }
}

/// The leader and its workers: one operation at a time, its tasks handed out by tickets.
///
/// Sound: `body` and its task count are written by the leader before the ticket that makes them visible, and
/// read only by the holder of a valid ticket; the leader waits until every ticket is worked off.
private final class Team: @unchecked Sendable {
    let threads: Int
    /// Workers that are awake at most, unless chance wakes more.
    private let helpers: Int
    private let spinLimit: Int
    /// Serial number, tasks and next task of the running operation in one word, so that a late worker can
    /// never match the task of one operation with the body of another.
    private let ticket = Atomic<UInt64>(0)
    private let pending = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let active = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)
    private let condition = Condition()
    private var body: ((Int, Int) -> Void)?
    private var serial: UInt64 = 0
    private var scratchBuffer: AlignedBuffer?
    /// Takes times while the pool is being profiled. Only the leader touches it.
    fileprivate var recorder: PassRecorder?

    /// Rounds of waiting before the processor is offered to others: longer than the serial steps between two
    /// operations of a small model take.
    private static let pauses = 1_000
    /// Rounds in which a worker offers its processor before it sleeps.
    private static let offers = 200
    private static let taskBits: UInt64 = 24
    private static let taskMask: UInt64 = (1 << 24) - 1

    init(threads: Int, processors: Int) {
        self.threads = threads
        helpers = max(1, min(threads, processors) - 1)
        // On a single processor whoever spins keeps the others from working.
        spinLimit = processors > 1 ? Self.pauses : 0
    }

    func run(tasks: Int, _ body: (Int, Int) -> Void) {
        if let recorder {
            let start = recorder.beginOperation()
            share(tasks: tasks) { task, worker in recorder.time(worker: worker) { body(task, worker) } }
            recorder.endOperation(start)
        } else {
            share(tasks: tasks, body)
        }
    }

    private func share(tasks: Int, _ body: (Int, Int) -> Void) {
        guard threads > 1, tasks > 1 else {
            for task in 0..<max(0, tasks) { body(task, 0) }
            return
        }
        precondition(tasks < Int(Self.taskMask) / 2, "too many tasks in one operation")
        withoutActuallyEscaping(body) { escaping in
            self.body = escaping
            pending.store(tasks, ordering: .relaxed)
            serial &+= 1
            let first = (serial << (2 * Self.taskBits)) | (UInt64(tasks) << Self.taskBits)
            ticket.store(first, ordering: .sequentiallyConsistent)
            wake(for: tasks)
            takeTasks(worker: 0)
            var spins = 0
            while pending.load(ordering: .acquiring) > 0 {
                spins += 1
                // Whoever has the last task may be waiting for this very processor.
                if spins > spinLimit { sched_yield() } else { ck_pause() }
            }
            self.body = nil
        }
    }

    private func takeTasks(worker: Int) {
        while hasTask(ticket.load(ordering: .relaxed)) {
            let mine = ticket.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            guard hasTask(mine) else { continue }
            perform(task: Int(mine & Self.taskMask), worker: worker)
            pending.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        }
    }

    /// Not inlined: its own reference to the body must be gone before the task counts as done, since the body
    /// does not outlive the operation.
    @inline(never)
    private func perform(task: Int, worker: Int) { body?(task, worker) }

    private func hasTask(_ ticket: UInt64) -> Bool {
        ticket & Self.taskMask < (ticket >> Self.taskBits) & Self.taskMask
    }

    func work(worker: Int) {
        var rounds = 0
        while !stopped.load(ordering: .relaxed) {
            if hasTask(ticket.load(ordering: .relaxed)) {
                takeTasks(worker: worker)
                rounds = 0
            } else if spinLimit > 0 && rounds < Self.pauses + Self.offers && active.load(ordering: .relaxed) {
                rounds += 1
                if rounds <= Self.pauses { ck_pause() } else { sched_yield() }
            } else {
                sleep(whileIdle: rounds < Self.pauses + Self.offers)
                rounds = 0
            }
        }
    }

    /// Sleeps until there is a task, or until the next job begins if this worker had not waited in vain.
    private func sleep(whileIdle: Bool) {
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        condition.wait {
            hasTask(ticket.load(ordering: .sequentiallyConsistent))
                || stopped.load(ordering: .relaxed)
                || (spinLimit > 0 && whileIdle && active.load(ordering: .relaxed))
        }
        sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }

    /// Wakes workers for all tasks but the leader's, if too few are awake.
    private func wake(for tasks: Int) {
        let asleep = sleepers.load(ordering: .sequentiallyConsistent)
        guard asleep > 0 else { return }
        let missing = min(helpers, tasks - 1) - (threads - 1 - asleep)
        if missing > 0 { condition.wake(missing) }
    }

    /// A job begins: workers wake and spin, ready for its first operation.
    func begin() {
        recorder?.beginPass()
        active.store(true, ordering: .sequentiallyConsistent)
        if spinLimit > 0 { wake(for: threads) }
    }

    func end() {
        active.store(false, ordering: .sequentiallyConsistent)
        recorder?.endPass()
    }

    func stop() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        condition.broadcast()
    }

    func scratch(byteCount: Int) throws -> WorkerScratch {
        let size = (byteCount + 4095) / 4096 * 4096
        if let scratchBuffer, scratchBuffer.byteCount >= size * threads {
            return WorkerScratch(
                buffer: scratchBuffer, bytesPerWorker: scratchBuffer.byteCount / threads / 64 * 64)
        }
        let buffer = try AlignedBuffer(byteCount: size * threads)
        scratchBuffer = buffer
        return WorkerScratch(buffer: buffer, bytesPerWorker: size)
    }
}
