import Foundation

/// The child's side of a mutant run: reads mutant after mutant, and says before each which one it is.
public enum MutantWorker {
    /// Memory that a reader may take beyond this process's own, before the system refuses it more.
    private static let memoryLimit = 1 << 30
    /// After so many seconds on one mutant the process ends itself by SIGALRM.
    private static let patience: UInt32 = 20

    /// Reads the mutants `seed ..< seed + count`; writes lines to standard output.
    public static func run(_ format: MutantFormat, seed: UInt64, count: Int) throws {
        for input in format.inputs { try format.read(input) }
        limitMemory()
        let memoryBefore = peakMemory()
        let largest = format.inputs.map(\.count).max() ?? 0
        let start = ContinuousClock.now
        var accepted = 0
        var slowest = (seconds: 0.0, seed: seed)
        for offset in 0..<UInt64(count) {
            let number = seed &+ offset
            say("seed \(number)")
            let mutant = format.mutant(number)
            alarm(patience)
            let before = threadSeconds()
            do {
                try format.read(mutant)
                accepted += 1
            } catch {}
            let seconds = threadSeconds() - before
            if seconds > slowest.seconds { slowest = (seconds, number) }
        }
        alarm(0)
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        say(
            "done count=\(count) accepted=\(accepted) refused=\(count - accepted) seconds=\(elapsed)"
                + " slowest=\(slowest.seconds) slowestSeed=\(slowest.seed)"
                + " memory=\(max(0, peakMemory() - memoryBefore)) largest=\(largest)")
    }

    /// Writes the mutants into `folder`, each under its seed, and says what the reader makes of each.
    public static func write(_ format: MutantFormat, seed: UInt64, count: Int, to folder: String) throws {
        for offset in 0..<UInt64(count) {
            let number = seed &+ offset
            let mutant = format.mutant(number)
            let file = URL(fileURLWithPath: folder).appendingPathComponent("\(number)")
            try Data(mutant).write(to: file)
            do {
                try format.read(mutant)
                say("\(number) accepted")
            } catch {
                let message = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                say("\(number) refused \(message)")
            }
        }
    }

    /// Unbuffered, so that the last line is there even if the next mutant traps.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// Processor time of this thread: independent of what else runs on the machine.
    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func limitMemory() {
        guard let used = status("VmSize") else { return }
        var limit = rlimit(rlim_cur: rlim_t(used + memoryLimit), rlim_max: rlim_t(used + memoryLimit))
        #if os(Linux)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        #else
        setrlimit(RLIMIT_AS, &limit)
        #endif
    }

    /// Most memory that this process ever held, in bytes.
    private static func peakMemory() -> Int {
        if let peak = status("VmHWM") { return peak }
        var usage = rusage()
        #if os(Linux)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        return Int(usage.ru_maxrss)
    }

    /// A line of Linux's account of this process, in bytes.
    private static func status(_ key: String) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key + ":") }),
            let kilobytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
        else { return nil }
        return kilobytes * 1_024
    }
}
