import CorvidText
import Foundation

/// One run of a command, without what it found.
public struct Run: Sendable, Equatable {
    public enum Status: String, Sendable, CaseIterable {
        /// The process that began it lives.
        case running
        case done
        case failed
        /// A signal asked it to end, or its process is gone.
        case interrupted
    }

    /// A short number, from 1 on; none is given twice.
    public let id: Int
    public let request: RunRequest
    public let status: Status
    /// Why it failed, in one or two lines.
    public let message: String?
    public let started: Date
    /// Nil while it runs, and when its process ended without a word.
    public let finished: Date?
    /// Wall clock from its begin to its end, by a clock that nobody sets.
    public let seconds: Double?
}

/// What is known when a run begins.
public struct RunRequest: Sendable, Equatable {
    /// The words that name the command: `perplexity`, `steer icl`.
    public var command: String
    /// The whole command line after the program's name, with what the environment added to it.
    public var arguments: [String]
    /// The working directory, which relative paths start from.
    public var folder: String
    /// Start of the random numbers, whether it was given or drawn; nil when nothing is random.
    public var seed: UInt64?
    /// Of Corvid.
    public var version: String
    public var instructionSet: String
    public var threads: Int?
    /// How the model is called.
    public var model: String?
    /// The run that this one repeats.
    public var repeats: Int?

    public init(
        command: String, arguments: [String], folder: String, seed: UInt64? = nil, version: String,
        instructionSet: String, threads: Int? = nil, model: String? = nil, repeats: Int? = nil
    ) {
        self.command = command
        self.arguments = arguments
        self.folder = folder
        self.seed = seed
        self.version = version
        self.instructionSet = instructionSet
        self.threads = threads
        self.model = model
        self.repeats = repeats
    }
}

/// How a run ended, and what it found.
public struct RunOutcome: Sendable, Equatable {
    public var status: Run.Status
    public var message: String?
    /// What the command prints with `--json`.
    public var result: JSON?
    /// Keys of the result that measure time or memory, and so differ from run to run.
    public var measured: Set<String>
    /// The model's files, and what was written; what was read is known since the begin.
    public var files: [RunFile]

    public init(
        status: Run.Status, message: String? = nil, result: JSON? = nil, measured: Set<String> = [],
        files: [RunFile] = []
    ) {
        self.status = status
        self.message = message
        self.result = result
        self.measured = measured
        self.files = files
    }
}

/// A run with all that is known about it.
public struct RunRecord: Sendable, Equatable {
    public let run: Run
    public let result: JSON?
    public let measured: Set<String>
    public let files: [RunFile]

    public init(run: Run, result: JSON?, measured: Set<String>, files: [RunFile]) {
        self.run = run
        self.result = result
        self.measured = measured
        self.files = files
    }
}
