import CorvidModels
import CorvidText
import Foundation
import GRDB
import TestSupport
import Testing

@testable import CorvidRuns

@Suite("The run store")
struct RunStoreTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path(of: "store/runs.sqlite")
    }

    static let request = RunRequest(
        command: "steer icl", arguments: ["steer", "icl", "--text", "naïve 世界\n'\"", ""], folder: "/tmp/a b",
        seed: UInt64.max, version: "0.1.0", instructionSet: "avx2", threads: 3, model: "m", repeats: 7)

    static let outcome = RunOutcome(
        status: .done,
        result: ["perplexity": 0.1, "tokens": 3, "list": [1, 2.5, nil], "nested": ["seconds": 1e-300]],
        measured: ["seconds", "bytes"],
        files: [
            RunFile(role: .model, path: "/m", byteCount: 12, digest: Digest(of: [1])),
            RunFile(role: .written, path: "/w", byteCount: nil, digest: nil),
        ])

    @Test("what is recorded is read back, also by another process's store")
    func roundTrip() throws {
        let data = RunFile(role: .data, path: "-", byteCount: nil, digest: nil)
        let store = try RunStore(path: path)
        let started = Date(timeIntervalSince1970: 1_700_000_000.25)
        let running = try store.begin(Self.request, files: [data], at: started)
        try store.finish(running, Self.outcome, seconds: 1.5, at: started.addingTimeInterval(2))
        for store in [store, try RunStore(path: path)] {
            let record = try store.record(of: running.id)
            #expect(record.run.request == Self.request)
            #expect(record.run.status == .done && record.run.message == nil)
            #expect(record.run.started == started && record.run.seconds == 1.5)
            #expect(record.run.finished == started.addingTimeInterval(2))
            #expect(record.result == Self.outcome.result)
            #expect(record.measured == Self.outcome.measured)
            #expect(record.files == [data] + Self.outcome.files)
            #expect(try store.runs() == [record.run])
        }
    }

    @Test("runs are listed newest first, by command, and no more than asked for")
    func list() throws {
        let store = try RunStore(path: path)
        #expect(try store.runs().isEmpty && store.lastRun() == nil)
        for command in ["a", "b", "a", "c"] {
            var request = Self.request
            request.command = command
            try store.finish(try store.begin(request), RunOutcome(status: .done), seconds: 0)
        }
        #expect(try store.runs().map(\.id) == [4, 3, 2, 1])
        #expect(try store.runs(of: "a").map(\.id) == [3, 1])
        #expect(try store.runs(of: "a", limit: 1).map(\.id) == [3])
        #expect(try store.runs(of: "d").isEmpty)
        #expect(try store.lastRun() == 4 && store.commands() == ["a", "b", "c"])
        #expect(throws: RunStoreError.unknownRun(id: 5, last: 4)) { try store.record(of: 5) }
    }

    @Test("a run is running as long as somebody holds it, and interrupted when nobody does")
    func interrupted() throws {
        let store = try RunStore(path: path)
        let other = try RunStore(path: path)
        var running: RunningRun? = try store.begin(Self.request)
        #expect(try other.runs().map(\.status) == [.running])
        #expect(try other.record(of: 1).run.status == .running)
        withExtendedLifetime(running) {}
        running = nil
        #expect(try other.runs().map(\.status) == [.interrupted])
        #expect(try other.record(of: 1).run.status == .interrupted)
        #expect(try other.record(of: 1).run.finished == nil)
    }

    @Test("a failure keeps its message") func failure() throws {
        let store = try RunStore(path: path)
        try store.finish(
            try store.begin(Self.request), RunOutcome(status: .failed, message: "no\nroom"), seconds: 1)
        #expect(try store.record(of: 1).run.message == "no\nroom")
    }

    @Test("a run ends once") func twice() throws {
        let store = try RunStore(path: path)
        let running = try store.begin(Self.request)
        try store.finish(running, Self.outcome, seconds: 1)
        let record = try store.record(of: 1)
        #expect(throws: RunStoreError.unknownRun(id: 1, last: 1)) {
            try store.finish(running, RunOutcome(status: .failed), seconds: 2)
        }
        #expect(try store.record(of: 1) == record)
    }

    @Test("a result that is too long is refused, and the run is as it was") func tooLong() throws {
        let store = try RunStore(path: path)
        let running = try store.begin(Self.request)
        let text = String(repeating: "a", count: RunStore.resultLimit)
        #expect(throws: RunStoreError.resultSize(found: text.utf8.count + 2, limit: RunStore.resultLimit)) {
            try store.finish(running, RunOutcome(status: .done, result: .string(text)), seconds: 1)
        }
        #expect(try store.record(of: 1).run.status == .running)
        withExtendedLifetime(running) {}
    }

    @Test("several stores over one new file record at once, each run under a number of its own")
    func concurrent() async throws {
        let path = path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let store = try RunStore(path: path)
                    for _ in 0..<15 {
                        try store.finish(try store.begin(Self.request), Self.outcome, seconds: 0)
                    }
                }
            }
            try await group.waitForAll()
        }
        let store = try RunStore(path: path)
        #expect(try store.runs().map(\.id) == (1...60).reversed())
        for id in 1...60 { #expect(try store.record(of: id).files == Self.outcome.files) }
    }

    @Test("commits reach the disk before they are reported, and readers do not wait for writers")
    func settings() throws {
        let store = try RunStore(path: path)
        let values = try store.queue.read { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous")
            )
        }
        #expect(values.0 == "wal" && values.1 == 2)
    }

    @Test("nothing is made by looking for a store") func absent() throws {
        #expect(try RunStore.existing(path: path) == nil)
        #expect(try folder.names().isEmpty)
        _ = try RunStore(path: path)
        #expect(try RunStore.existing(path: path) != nil)
    }
}
