import GRDB

/// Why the run store could not be used. The work of a command does not depend on it.
public enum RunStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not a database, or one with broken pages or rows.
    case damaged(path: String, reason: String)
    /// A later version of Corvid wrote it.
    case newer(path: String, found: Int, known: Int)
    /// A database of another program.
    case foreign(path: String)
    /// Other processes kept it locked.
    case busy(path: String)
    /// The system refused: no permission, no space and the like.
    case system(path: String, reason: String)
    case unknownRun(id: Int, last: Int?)
    /// The result is too long to be kept.
    case resultSize(found: Int, limit: Int)

    public var description: String {
        switch self {
        case .damaged(let path, let reason):
            return "\(path): is damaged (\(reason)).\n"
                + "Move it away together with the files beside it whose names begin alike; "
                + "the next run begins a new one."
        case .newer(let path, let found, let known):
            return "\(path): was written by a later Corvid (schema \(found), known: \(known)).\n"
                + "Use that version, or set CORVID_HOME to another folder."
        case .foreign(let path):
            return "\(path): is a database of another program. Set CORVID_HOME to another folder."
        case .busy(let path):
            return "\(path): other processes keep it locked. Try again when they have ended."
        case .system(let path, let reason):
            return "\(path): \(reason)"
        case .unknownRun(let id, nil):
            return "there is no run \(id), and no other one yet"
        case .unknownRun(let id, let last?):
            return "there is no run \(id); the last one is \(last). 'corvid runs list' shows them."
        case .resultSize(let found, let limit):
            return "the result has \(found) bytes, at most \(limit) are kept"
        }
    }

    /// What an error of the database or the file system means for the store at `path`.
    init(_ error: any Error, path: String) {
        if let error = error as? RunStoreError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .system(path: path, reason: String(describing: error))
            return
        }
        // The statement stays out of the message: it tells people nothing.
        let reason = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_FORMAT:
            self = .damaged(path: path, reason: reason)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .busy(path: path)
        default:
            self = .system(path: path, reason: reason)
        }
    }
}
