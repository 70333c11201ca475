import CorvidModels
import CorvidText
import Foundation
import GRDB

extension RunStore {
    /// The runs, newest first.
    /// - Parameter command: only the runs of this command.
    /// - Parameter limit: at most so many.
    /// - Throws: ``RunStoreError``.
    public func runs(of command: String? = nil, limit: Int? = nil) throws -> [Run] {
        try fetch(command: command, limit: limit).map(settled)
    }

    /// The number of the newest run; nil when there is none.
    /// - Throws: ``RunStoreError``.
    public func lastRun() throws -> Int? { try read { try Self.last($0) } }

    /// The names of all commands that were run, in alphabetical order.
    /// - Throws: ``RunStoreError``.
    public func commands() throws -> [String] {
        try read { try String.fetchAll($0, sql: "SELECT DISTINCT command FROM runs ORDER BY command") }
    }

    /// One run with all that is known about it.
    /// - Throws: ``RunStoreError``, ``RunStoreError/unknownRun(id:last:)`` among them.
    public func record(of id: Int) throws -> RunRecord {
        let record = try read { database -> RunRecord in
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT \(Self.columns), result, measured FROM runs WHERE id = ?",
                    arguments: [id])
            else { throw RunStoreError.unknownRun(id: id, last: try Self.last(database)) }
            let files = try Row.fetchAll(
                database, sql: "SELECT role, path, bytes, digest FROM files WHERE run = ? ORDER BY position",
                arguments: [id])
            let reader = RowReader(row: row, path: path)
            return RunRecord(
                run: try reader.run(), result: try reader.json("result"),
                measured: Set(try reader.texts("measured") ?? []),
                files: try files.map { try RowReader(row: $0, path: path).file() })
        }
        guard record.run.status == .running, !isAlive(id) else { return record }
        // It may have ended between the two looks; if not, its process is gone.
        let again = try fetch(id: id)
        guard let again, again.status == .running else { return try self.record(of: id) }
        return RunRecord(
            run: again.interrupted, result: record.result, measured: record.measured, files: record.files)
    }

    private static let columns = """
        id, command, arguments, folder, seed, version, instruction_set, threads, model, repeats, status, \
        message, started, finished, seconds
        """

    /// A run that is noted as running, seen with the eyes of now.
    private func settled(_ run: Run) throws -> Run {
        guard run.status == .running, !isAlive(run.id) else { return run }
        guard let again = try fetch(id: run.id), again.status != .running else { return run.interrupted }
        return again
    }

    private func fetch(id: Int? = nil, command: String? = nil, limit: Int? = nil) throws -> [Run] {
        try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT \(Self.columns) FROM runs WHERE (?1 IS NULL OR id = ?1) AND \
                    (?2 IS NULL OR command = ?2) ORDER BY id DESC LIMIT ?3
                    """,
                arguments: [id, command, limit ?? -1])
            return try rows.map { try RowReader(row: $0, path: path).run() }
        }
    }

    private func fetch(id: Int) throws -> Run? { try fetch(id: Optional(id), limit: 1).first }
}

extension Run {
    fileprivate var interrupted: Run {
        Run(
            id: id, request: request, status: .interrupted, message: message, started: started,
            finished: nil, seconds: nil)
    }
}

/// Reads the columns of a row, whatever may stand in them.
private struct RowReader {
    let row: Row
    let path: String

    private func value<Value: DatabaseValueConvertible>(_ column: String, as type: Value.Type) -> Value? {
        guard row.hasColumn(column) else { return nil }
        let value: DatabaseValue = row[column]
        return Value.fromDatabaseValue(value)
    }

    private func needed<Value: DatabaseValueConvertible>(
        _ column: String, as type: Value.Type
    ) throws -> Value {
        guard let value = value(column, as: type) else { throw wrong(column) }
        return value
    }

    private func wrong(_ column: String) -> RunStoreError {
        .damaged(path: path, reason: "wrong value of '\(column)' in a row")
    }

    /// The JSON in a column; nil if there is none.
    func json(_ column: String) throws -> JSON? {
        guard let text = value(column, as: String.self) else { return nil }
        guard let json = try? JSON.parse(Array(text.utf8), duplicateKeys: .keepLast) else {
            throw wrong(column)
        }
        return json
    }

    func texts(_ column: String) throws -> [String]? {
        guard let json = try json(column) else { return nil }
        guard let texts = json.array?.compactMap(\.string), texts.count == json.array?.count else {
            throw wrong(column)
        }
        return texts
    }

    func run() throws -> Run {
        guard let arguments = try texts("arguments") else { throw wrong("arguments") }
        guard let status = Run.Status(rawValue: try needed("status", as: String.self)) else {
            throw wrong("status")
        }
        var seed: UInt64?
        if let text = value("seed", as: String.self) {
            seed = UInt64(text)
            if seed == nil { throw wrong("seed") }
        }
        let request = RunRequest(
            command: try needed("command", as: String.self), arguments: arguments,
            folder: try needed("folder", as: String.self), seed: seed,
            version: try needed("version", as: String.self),
            instructionSet: try needed("instruction_set", as: String.self),
            threads: value("threads", as: Int.self), model: value("model", as: String.self),
            repeats: value("repeats", as: Int.self))
        return Run(
            id: try needed("id", as: Int.self), request: request, status: status,
            message: value("message", as: String.self),
            started: Date(timeIntervalSince1970: try needed("started", as: Double.self)),
            finished: value("finished", as: Double.self).map { Date(timeIntervalSince1970: $0) },
            seconds: value("seconds", as: Double.self))
    }

    func file() throws -> RunFile {
        guard let role = RunFile.Role(rawValue: try needed("role", as: String.self)) else {
            throw wrong("role")
        }
        var digest: Digest?
        if let text = value("digest", as: String.self) {
            digest = Digest(hexadecimal: text)
            if digest == nil { throw wrong("digest") }
        }
        return RunFile(
            role: role, path: try needed("path", as: String.self), byteCount: value("bytes", as: Int.self),
            digest: digest)
    }
}
