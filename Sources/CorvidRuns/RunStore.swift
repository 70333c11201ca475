import CorvidModels
import CorvidText
import Foundation
import GRDB

/// All runs, in an SQLite database which several processes may use at once.
///
/// A run is there from its begin; its end is one transaction, flushed to the disk, so that it is either
/// whole or not there. A run whose process is gone without an end is read as interrupted.
///
///     let store = try RunStore(path: "/home/me/.local/share/corvid/runs.sqlite")
///     let running = try store.begin(request)
///     try store.finish(running, RunOutcome(status: .done, result: report), seconds: 1.5)
public final class RunStore: Sendable {
    /// Of the database. Beside it lie SQLite's own files and one of locks.
    public let path: String
    let queue: DatabaseQueue
    private let lockPath: String

    /// A longer result is not kept, in bytes of JSON.
    public static let resultLimit = 64 << 20
    /// How long other processes are waited for, in seconds.
    public static let patience = 10.0

    /// Opens the database, or makes it together with its folder.
    /// - Parameter patience: seconds for which other processes are waited for.
    /// - Throws: ``RunStoreError``.
    public init(path: String, patience: Double = RunStore.patience) throws {
        self.path = path
        lockPath = path + ".lock"
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw RunStoreError.system(path: path, reason: error.localizedDescription)
        }
        // Byte 0 is no run's: it keeps two processes from setting the file up at the same time.
        let lock = RunLock.waiting(path: lockPath, byte: 0, seconds: patience)
        defer { withExtendedLifetime(lock) {} }
        var configuration = Configuration()
        configuration.label = "runs"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { try RunSchema.check($0, path: path) }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            // Write-ahead logging was set up with less, under which a power failure may take the last run.
            try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try RunSchema.migrator.migrate(queue)
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    /// The store, if there is one already.
    /// - Throws: ``RunStoreError``.
    public static func existing(path: String) throws -> RunStore? {
        FileManager.default.fileExists(atPath: path) ? try RunStore(path: path) : nil
    }

    /// Notes that a run begins.
    /// - Parameter files: what it reads.
    /// - Throws: ``RunStoreError``.
    public func begin(
        _ request: RunRequest, files: [RunFile] = [], at started: Date = Date()
    ) throws -> RunningRun {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO runs (command, arguments, folder, seed, version, instruction_set, threads, \
                    model, repeats, status, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?)
                    """,
                arguments: [
                    request.command, JSON.array(request.arguments.map { .string($0) }).encoded(),
                    request.folder, request.seed.map { "\($0)" }, request.version, request.instructionSet,
                    request.threads, request.model, request.repeats, started.timeIntervalSince1970,
                ])
            let id = Int(database.lastInsertedRowID)
            try Self.insert(files, of: id, database)
            // Held before anybody can see the run.
            return RunningRun(id: id, lock: RunLock(path: lockPath, byte: id))
        }
    }

    /// Notes how a run ended.
    /// - Throws: ``RunStoreError``. The run then is as it was before.
    public func finish(
        _ running: RunningRun, _ outcome: RunOutcome, seconds: Double, at finished: Date = Date()
    ) throws {
        let result = outcome.result?.encoded()
        if let count = result?.utf8.count, count > Self.resultLimit {
            throw RunStoreError.resultSize(found: count, limit: Self.resultLimit)
        }
        let measured = JSON.array(outcome.measured.sorted().map { .string($0) }).encoded()
        try write { database in
            try database.execute(
                sql: """
                    UPDATE runs SET status = ?, message = ?, finished = ?, seconds = ?, result = ?, \
                    measured = ? WHERE id = ? AND status = 'running'
                    """,
                arguments: [
                    outcome.status.rawValue, outcome.message, finished.timeIntervalSince1970, seconds, result,
                    measured, running.id,
                ])
            guard database.changesCount == 1 else {
                throw RunStoreError.unknownRun(id: running.id, last: try Self.last(database))
            }
            try Self.insert(outcome.files, of: running.id, database)
        }
        running.release()
    }

    private static func insert(_ files: [RunFile], of run: Int, _ database: Database) throws {
        let count = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM files WHERE run = ?", arguments: [run])
        for (position, file) in files.enumerated() {
            try database.execute(
                sql: "INSERT INTO files (run, position, role, path, bytes, digest) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    run, (count ?? 0) + position, file.role.rawValue, file.path, file.byteCount,
                    file.digest?.description,
                ])
        }
    }

    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.write(body)
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    static func last(_ database: Database) throws -> Int? {
        try Int.fetchOne(database, sql: "SELECT max(id) FROM runs")
    }

    func isAlive(_ id: Int) -> Bool { RunLock.isHeld(path: lockPath, byte: id) }
}
