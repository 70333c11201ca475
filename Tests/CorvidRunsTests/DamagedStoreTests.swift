import CorvidText
import Foundation
import GRDB
import TestSupport
import Testing

@testable import CorvidRuns

@Suite("A run store that is not as it should be")
struct DamagedStoreTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path(of: "runs.sqlite")
    }

    /// A store with some runs, all in one file.
    private func fill() throws {
        let store = try RunStore(path: path)
        for _ in 0..<20 {
            try store.finish(
                try store.begin(RunStoreTests.request), RunStoreTests.outcome, seconds: 0)
        }
        try store.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try store.queue.close()
    }

    private func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func readAll() throws {
        let store = try RunStore(path: path)
        for run in try store.runs() { _ = try store.record(of: run.id) }
        try store.finish(try store.begin(RunStoreTests.request), RunStoreTests.outcome, seconds: 0)
    }

    @Test(
        "what is no database is refused and left alone",
        arguments: ["no database", "SQLite format 3\0and no more"])
    func noDatabase(text: String) throws {
        let bytes = Array(String(repeating: text, count: 100).utf8)
        try folder.write(bytes, to: "runs.sqlite")
        let error = try #require(throws: RunStoreError.self) { try RunStore(path: path) }
        #expect("\(error)".hasPrefix("\(path): is damaged (") && "\(error)".split(separator: "\n").count == 2)
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
    }

    @Test("an empty file becomes a store") func empty() throws {
        try folder.write("", to: "runs.sqlite")
        try readAll()
    }

    @Test("a later version's store is refused and left alone") func newer() throws {
        try fill()
        try change("PRAGMA user_version = \(RunSchema.version + 1)")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(
            throws: RunStoreError.newer(path: path, found: RunSchema.version + 1, known: RunSchema.version)
        ) { try RunStore(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test("another program's database is refused and left alone") func foreign() throws {
        try change("CREATE TABLE runs (a)")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: RunStoreError.foreign(path: path)) { try RunStore(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test("a set-up that was killed before its first migration is taken up again") func begun() throws {
        try change("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        try readAll()
    }

    @Test("the number of the schema is the number of migrations") func version() throws {
        #expect(RunSchema.migrator.migrations.count == RunSchema.version)
        try fill()
        let queue = try DatabaseQueue(path: path)
        #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == RunSchema.version)
        #expect(
            try queue.read { try Int.fetchOne($0, sql: "PRAGMA application_id") } == RunSchema.application)
    }

    @Test("a place where no file can be is named") func noPlace() throws {
        try folder.write("", to: "file")
        let path = folder.path(of: "file/runs.sqlite")
        let error = try #require(throws: RunStoreError.self) { try RunStore(path: path) }
        #expect("\(error)".hasPrefix("\(path): "))
    }

    @Test("a store that stays locked is waited for and then named", .timeLimit(.minutes(1)))
    func locked() throws {
        try fill()
        let lock = try #require(RunLock(path: path + ".lock", byte: 0))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE") }
        #expect(throws: RunStoreError.busy(path: path)) { try RunStore(path: path, patience: 0.1) }
        withExtendedLifetime(lock) {}
    }

    @Test(
        "a row with a wrong value is refused, the others are not",
        arguments: [
            "arguments = 'x'", "arguments = '[1]'", "seed = '-1'", "result = '{'", "measured = '{}'",
        ])
    func wrongRow(change: String) throws {
        try fill()
        try self.change("UPDATE runs SET \(change) WHERE id = 2")
        let store = try RunStore(path: path)
        let column = change.prefix { $0 != " " }
        #expect(
            throws: RunStoreError.damaged(path: path, reason: "wrong value of '\(column)' in a row")
        ) { try store.record(of: 2) }
        #expect(try store.record(of: 3).result == RunStoreTests.outcome.result)
    }

    @Test("a wrong digest of a file is refused") func wrongDigest() throws {
        try fill()
        try change("UPDATE files SET digest = 'abc' WHERE run = 2 AND position = 0")
        let store = try RunStore(path: path)
        #expect(
            throws: RunStoreError.damaged(path: path, reason: "wrong value of 'digest' in a row")
        ) { try store.record(of: 2) }
    }

    @Test("a file with changed bytes is read or refused, and never more than that")
    func changedBytes() throws {
        try fill()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var refused = 0
        for seed in 0..<300 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var bytes = whole
            for _ in 0...generator.index(below: 8) {
                // Most of them in the headers of pages, where they do most harm.
                let page = generator.index(below: bytes.count / 4096) * 4096
                let offset =
                    generator.index(below: 2) == 0 ? generator.index(below: 64) : generator.index(below: 4096)
                bytes[page + offset] = UInt8(generator.index(below: 256))
            }
            if seed.isMultiple(of: 5) { bytes.removeLast(generator.index(below: bytes.count)) }
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            try folder.write(bytes, to: "runs.sqlite")
            do {
                try readAll()
            } catch is RunStoreError {
                refused += 1
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        #expect(refused > 30, "the changes were too gentle")
    }
}
