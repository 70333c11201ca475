import Foundation

/// What a mutant run found.
public struct MutantReport: Sendable, CustomStringConvertible {
    public var format: String
    public var seed: UInt64
    /// Mutants that were read to an end, accepted or refused.
    public var count = 0
    public var accepted = 0
    public var refused = 0
    /// Wall clock, of the children.
    public var seconds = 0.0
    /// The seed of each mutant that ended the process, and how it ended.
    public var traps: [(seed: UInt64, reason: String)] = []
    /// Processor time of the slowest mutant, and its seed.
    public var slowest = (seconds: 0.0, seed: UInt64(0))
    /// Greatest growth of a child's memory, in bytes.
    public var memory = 0
    /// Size of the largest input, in bytes.
    public var largest = 0

    public var description: String {
        let trapped = traps.map { "\($0.seed) (\($0.reason))" }.joined(separator: ", ")
        return
            "mutants: format \(format), seed \(seed), count \(count), accepted \(accepted), refused "
            + "\(refused), "
            + "traps \(traps.count)\(trapped.isEmpty ? "" : ": " + trapped), seconds \(rounded(seconds)), "
            + "slowest \(rounded(slowest.seconds)) s (seed \(slowest.seed)), memory \(memory) bytes"
    }

    private func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}

/// The parent's side of a mutant run: starts a child, starts another behind the mutant that ended it, and
/// counts.
public enum MutantRun {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// How many mutants of a format a test reads: 20,000, and 100,000 with `CORVID_TEST_FULL=1`.
    public static var count: Int {
        ProcessInfo.processInfo.environment["CORVID_TEST_FULL"] == "1" ? 100_000 : 20_000
    }

    /// The first seed: `CORVID_TEST_SEED`, else 1.
    public static var seed: UInt64 {
        ProcessInfo.processInfo.environment["CORVID_TEST_SEED"].flatMap { UInt64($0) } ?? 1
    }

    /// Reads `count` mutants of `format` in child processes.
    /// - Throws: ``Failure`` if a child cannot be started, or ends without having said why.
    public static func run(_ format: String, seed: UInt64 = seed, count: Int = count) throws -> MutantReport {
        var report = MutantReport(format: format, seed: seed)
        let end = seed &+ UInt64(count)
        var next = seed
        // A reader that traps on everything shall not keep us all day.
        while next < end, report.traps.count < 20 {
            let child = try start(format, seed: next, count: Int(end - next))
            if let done = child.last, done.hasPrefix("done ") {
                report.add(done)
                break
            }
            guard let line = child.last, let trapped = UInt64(line.dropFirst("seed ".count)) else {
                throw Failure(
                    description: "the child for \(format) ended before its first mutant: \(child.errors)")
            }
            report.traps.append((trapped, child.ending))
            report.count += Int(trapped - next)
            next = trapped &+ 1
        }
        return report
    }

    private struct Child {
        var last: String?
        var errors: String
        var ending: String
    }

    private static func start(_ format: String, seed: UInt64, count: Int) throws -> Child {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = try executable()
        process.arguments = ["--format", format, "--seed", "\(seed)", "--count", "\(count)"]
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write("", to: "output")))
        let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write("", to: "errors")))
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let lines = try String(contentsOfFile: folder.path(of: "output"), encoding: .utf8).split(
            separator: "\n")
        let message = try String(contentsOfFile: folder.path(of: "errors"), encoding: .utf8)
        let signal = process.terminationReason == .uncaughtSignal
        let ending = (signal ? "signal " : "exit ") + "\(process.terminationStatus)"
        let fault = message.split(separator: "\n").first.map { ": " + $0 } ?? ""
        return Child(last: lines.last.map(String.init), errors: message, ending: ending + fault)
    }

    /// The executable `mutants` in the folder of the test binary.
    public static func executable() throws -> URL {
        var candidates = [Bundle.main.bundleURL, URL(fileURLWithPath: CommandLine.arguments.first ?? "")]
        if let path = ProcessInfo.processInfo.environment["CORVID_MUTANTS"] {
            return URL(fileURLWithPath: path)
        }
        if let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            candidates.insert(URL(fileURLWithPath: own), at: 0)
        }
        for candidate in candidates {
            for folder in [candidate, candidate.deletingLastPathComponent()] {
                let file = folder.appendingPathComponent("mutants")
                if FileManager.default.isExecutableFile(atPath: file.path) { return file }
            }
        }
        throw Failure(description: "no executable 'mutants' beside the tests; set CORVID_MUTANTS to its path")
    }
}

extension MutantReport {
    /// Adds what a child's last line says.
    fileprivate mutating func add(_ line: String) {
        var values: [Substring: Double] = [:]
        for word in line.split(separator: " ") {
            let pair = word.split(separator: "=")
            if pair.count == 2, let value = Double(pair[1]) { values[pair[0]] = value }
        }
        func value(_ key: Substring) -> Double { values[key] ?? 0 }
        count += Int(value("count"))
        accepted += Int(value("accepted"))
        refused += Int(value("refused"))
        seconds += value("seconds")
        memory = max(memory, Int(value("memory")))
        largest = max(largest, Int(value("largest")))
        if value("slowest") > slowest.seconds { slowest = (value("slowest"), UInt64(value("slowestSeed"))) }
    }
}
