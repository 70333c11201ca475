import CorvidModels
import CorvidText
import Foundation
import GRDB
import TestSupport
import Testing

@testable import CorvidRuns

@Suite("A recorder that is killed or fails", .serialized)
struct KilledRecorderTests {
    /// 30, and 200 with `CORVID_TEST_FULL=1`.
    private static let kills = MutantRun.count >= 100_000 ? 200 : 30

    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path(of: "runs.sqlite")
    }

    /// Checks that each run is whole or was interrupted, and that those are whole which were said to be.
    private func check(said output: String) throws {
        let store = try RunStore(path: path)
        let said = Set(
            output.split(separator: "\n").compactMap { line in
                line.hasPrefix("done ") ? Int(line.dropFirst(5)) : nil
            })
        var whole: Set<Int> = []
        for run in try store.runs() {
            let record = try store.record(of: run.id)
            switch record.run.status {
            case .done:
                whole.insert(run.id)
                let values = record.result?["values"]?.array?.compactMap(\.int)
                #expect(values == Array(repeating: run.id, count: 500), "run \(run.id)")
                let digest = Digest(of: Array("\(run.id)".utf8))
                #expect(record.files.map(\.digest) == [digest, digest, digest], "run \(run.id)")
            case .interrupted:
                #expect(record.result == nil && record.files.isEmpty, "run \(run.id)")
            default: Issue.record("run \(run.id) is \(record.run.status)")
            }
        }
        #expect(said.isSubset(of: whole), "lost: \(said.subtracting(whole))")
        let problems = try store.queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
        #expect(problems == ["ok"])
    }

    private func start(_ executable: URL, _ arguments: [String]) throws -> (Process, FileHandle) {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        let output = try FileHandle(forUpdating: URL(fileURLWithPath: folder.write("", to: "output")))
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return (process, output)
    }

    private func output() throws -> String {
        try String(contentsOfFile: folder.path(of: "output"), encoding: .utf8)
    }

    @Test("a recorder killed at any moment leaves no half result, and loses none") func killed() throws {
        var generator = SeededGenerator(seed: 12)
        var all = ""
        for kill in 0..<Self.kills {
            // Every third one is killed while it sets the store up, at the latest just after.
            let setsUp = kill.isMultiple(of: 3)
            if setsUp {
                for suffix in ["", "-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: path + suffix)
                }
                all = ""
            }
            let (process, _) = try start(MutantRun.executable(), ["--record", path])
            if !setsUp {
                for _ in 0..<30_000 where try output().isEmpty { usleep(1_000) }
            }
            usleep(UInt32(generator.index(below: 30_000)))
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            all += try output()
            try check(said: all)
        }
    }

    @Test("however large files may grow, a write that fails leaves no half result, and loses none")
    func fileSizeLimit() throws {
        let recorder = try MutantRun.executable().path
        var failures = 0
        var generator = SeededGenerator(seed: 13)
        // In blocks of 512 bytes; each limit makes another write fail.
        var limit = 0
        while true {
            for suffix in ["", "-wal", "-shm", ".lock"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
            let (process, _) = try start(
                URL(fileURLWithPath: "/bin/sh"),
                ["-c", "trap '' XFSZ; ulimit -f \(limit); exec '\(recorder)' --record '\(path)' --count 3"])
            process.waitUntilExit()
            #expect(process.terminationReason == .exit)
            try check(said: try output())
            if process.terminationStatus == 0 { break }
            #expect(process.terminationStatus == 1)
            failures += 1
            limit += 1 + generator.index(below: 8)
            guard limit < 100_000 else {
                Issue.record("no limit was large enough")
                break
            }
        }
        #expect(failures > 10)
    }
}
