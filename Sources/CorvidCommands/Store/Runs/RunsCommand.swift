import ArgumentParser
import CorvidRuns
import CorvidStore

/// What was run.
struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List, show, compare and repeat what was run.",
        discussion: """
            Commands that measure or change a model are recorded with their arguments, seed, results and the \
            digests of the files they read and wrote, in runs.sqlite in the store folder. With CORVID_RECORD=0 \
            in the environment they are not.

            Example: corvid runs list
                     corvid runs compare 3 last
            """,
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self, RunsRepeatCommand.self,
        ])
}

/// `12` or `last`.
enum RunNumber: ExpressibleByArgument, Sendable, Equatable {
    case number(Int)
    case last

    init?(argument: String) {
        if argument == "last" {
            self = .last
        } else if let number = Int(argument), number > 0 {
            self = .number(number)
        } else {
            return nil
        }
    }

    /// The run with this number.
    /// - Throws: `RunStoreError`.
    func record(in store: RunStore) throws -> RunRecord {
        switch self {
        case .number(let id): return try store.record(of: id)
        case .last:
            guard let id = try store.lastRun() else { throw RunsError.none(path: store.path) }
            return try store.record(of: id)
        }
    }

    /// The run store, which must be there to look something up in it.
    /// - Throws: `RunStoreError`, ``RunsError/none(path:)``.
    static func store() throws -> RunStore {
        let path = try Store().runs
        guard let store = try RunStore.existing(path: path) else { throw RunsError.none(path: path) }
        return store
    }
}

/// Why a run could not be looked up or repeated.
enum RunsError: Error, Equatable, CustomStringConvertible {
    case none(path: String)
    case isRunning(id: Int)
    case folder(id: Int, path: String)
    case arguments(id: Int, reason: String)
    case overwrites(id: Int, path: String)
    case unrecorded(id: Int, reason: String)

    var description: String {
        switch self {
        case .none(let path):
            "nothing was recorded yet in \(path)"
        case .isRunning(let id):
            "run \(id) has not ended yet; wait for it"
        case .folder(let id, let path):
            "\(path): the folder in which run \(id) ran cannot be entered; make it again"
        case .arguments(let id, let reason):
            "run \(id) has arguments that this version does not understand: \(reason)"
        case .overwrites(let id, let path):
            "\(path): is no longer what run \(id) wrote, and would be replaced.\n"
                + "Move it away, or add --overwrite."
        case .unrecorded(let id, let reason):
            "run \(id) ran again, but there is nothing to compare: \(reason)"
        }
    }
}
