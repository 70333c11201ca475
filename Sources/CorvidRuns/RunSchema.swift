import GRDB

/// The tables of the run store, and how each version came from the one before.
enum RunSchema {
    /// Written into the header of the file: `Corv`.
    static let application = 0x436F_7276
    /// Counts the migrations.
    static let version = 1

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE runs (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        command TEXT NOT NULL,
                        arguments TEXT NOT NULL,
                        folder TEXT NOT NULL,
                        seed TEXT,
                        version TEXT NOT NULL,
                        instruction_set TEXT NOT NULL,
                        threads INTEGER,
                        model TEXT,
                        repeats INTEGER,
                        status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
                        message TEXT,
                        started REAL NOT NULL,
                        finished REAL,
                        seconds REAL,
                        result TEXT,
                        measured TEXT,
                        CHECK ((status = 'running') = (finished IS NULL))
                    ) STRICT;
                    CREATE INDEX runs_command ON runs (command, id);
                    CREATE TABLE files (
                        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
                        position INTEGER NOT NULL,
                        role TEXT NOT NULL CHECK (role IN ('model', 'data', 'written')),
                        path TEXT NOT NULL,
                        bytes INTEGER,
                        digest TEXT,
                        PRIMARY KEY (run, position)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE digests (
                        path TEXT PRIMARY KEY,
                        stamp TEXT NOT NULL,
                        digest TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    PRAGMA application_id = \(application);
                    PRAGMA user_version = 1;
                    """)
        }
        return migrator
    }

    /// Refuses what is not ours or too new, before anything is written.
    static func check(_ database: Database, path: String) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        // A process may have been killed before the first migration was done.
        let tables =
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM sqlite_schema WHERE tbl_name NOT LIKE 'grdb_%'") ?? 0
        guard owner == application || (owner == 0 && tables == 0) else {
            throw RunStoreError.foreign(path: path)
        }
        guard found <= version else {
            throw RunStoreError.newer(path: path, found: found, known: version)
        }
    }
}
