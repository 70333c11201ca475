#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Takes the times of passes while a pool is being profiled.
///
/// Sound: the leader alone changes what stands outside `taskTimes`, and each worker has a row of its own there,
/// which the leader reads only after the operation's last task is done.
final class PassRecorder: @unchecked Sendable {
    private let threads: Int
    private var passes = 0
    private var isInPass = false
    private var current = 0
    private var mark: UInt64 = 0
    private var passTimes: Times
    private var total: Times
    /// Nanoseconds in tasks of the running operation, one cache line for each worker.
    private let taskTimes: AlignedBuffer

    private static let parts = PassPart.allCases
    private static let other = parts.count - 1
    private static let indices = Dictionary(uniqueKeysWithValues: parts.enumerated().map { ($1, $0) })

    /// Nanoseconds and counts of each part.
    private struct Times {
        var wall = [UInt64](repeating: 0, count: PassRecorder.parts.count)
        /// Less than `wall` by what the leader spent alone.
        var shared = [UInt64](repeating: 0, count: PassRecorder.parts.count)
        var tasks = [UInt64](repeating: 0, count: PassRecorder.parts.count)
        var calls = [Int](repeating: 0, count: PassRecorder.parts.count)
    }

    init(threads: Int) throws {
        self.threads = threads
        passTimes = Times()
        total = Times()
        taskTimes = try AlignedBuffer(byteCount: threads * AlignedBuffer.alignment)
    }

    func beginPass() {
        isInPass = true
        passTimes = Times()
        current = Self.other
        mark = Self.now
    }

    func endPass() {
        guard isInPass else { return }
        enter(Self.other)
        isInPass = false
        passes += 1
        for part in Self.parts.indices {
            total.wall[part] += passTimes.wall[part]
            total.shared[part] += passTimes.shared[part]
            total.tasks[part] += passTimes.tasks[part]
            total.calls[part] += passTimes.calls[part]
        }
    }

    /// The time from now on belongs to `part`. Returns the part to which it belonged.
    func begin(_ part: PassPart) -> PassPart {
        let outer = Self.parts[current]
        let index = Self.indices[part] ?? Self.other
        passTimes.calls[index] += 1
        enter(index)
        return outer
    }

    /// The time from now on belongs to `outer` again.
    func end(_ outer: PassPart) { enter(Self.indices[outer] ?? Self.other) }

    private func enter(_ part: Int) {
        let now = Self.now
        passTimes.wall[current] &+= now &- mark
        mark = now
        current = part
    }

    /// An operation begins, whose tasks are timed. Give the result to ``endOperation(_:)``.
    func beginOperation() -> UInt64 {
        for worker in 0..<threads { taskTime(of: worker).pointee = 0 }
        return Self.now
    }

    func endOperation(_ start: UInt64) {
        passTimes.shared[current] &+= Self.now &- start
        for worker in 0..<threads { passTimes.tasks[current] &+= taskTime(of: worker).pointee }
    }

    /// Runs one task.
    func time(worker: Int, _ task: () -> Void) {
        let start = Self.now
        task()
        taskTime(of: worker).pointee &+= Self.now &- start
    }

    private func taskTime(of worker: Int) -> UnsafeMutablePointer<UInt64> {
        (taskTimes.base + worker * AlignedBuffer.alignment).assumingMemoryBound(to: UInt64.self)
    }

    /// The passes that have ended.
    var profile: PassProfile {
        var profile = PassProfile(threads: threads)
        profile.passes = passes
        for (index, part) in Self.parts.enumerated() {
            let alone = total.wall[index] &- min(total.wall[index], total.shared[index])
            profile.parts[part] = PassProfile.Part(
                seconds: Double(total.wall[index]) * 1e-9,
                busySeconds: Double(total.tasks[index] &+ alone) * 1e-9, calls: total.calls[index])
        }
        return profile
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
            &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }
}

extension WorkerPool {
    /// Takes the times of all jobs from now on, until ``stopProfile()``. What they compute stays the same.
    public func startProfile() throws {
        try runBlocking { workers in try workers.record() }
    }

    /// Where the time of the jobs since ``startProfile()`` went; nil if no profile was started.
    public func stopProfile() throws -> PassProfile? {
        try runBlocking { workers in workers.stopRecording() }
    }
}
