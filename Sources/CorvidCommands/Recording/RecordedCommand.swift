import CorvidStore
import CorvidTensors

/// A command whose runs are kept in the run store: it says what it reads and writes, and nothing else.
///
///     struct SteerCommand: RecordedCommand {
///         var recorded: RunDeclaration {
///             RunDeclaration(model: model, seed: model.run.chosenSeed(), reads: [pairs], writes: [output])
///         }
///         // ... report(to:) as in every other command
///     }
///
/// The report's `json` is the result; its `measured` names the keys that no two runs agree on.
protocol RecordedCommand: Command {
    var recorded: RunDeclaration { get }
}

/// What a run depends on beside its options, and what it leaves behind.
struct RunDeclaration: Sendable {
    let model: ModelLocation?
    let threads: Int
    /// Start of the random numbers; nil when nothing is random.
    let seed: UInt64?
    /// Paths of files, or of folders whose files count; `-` is standard input.
    let reads: [String]
    let writes: [String]

    /// - Parameters:
    ///   - seed: `model.run.chosenSeed()` when the command draws random numbers.
    ///   - reads, writes: paths as they were given, nil for options that were not.
    init(
        model: ModelOptions, seed: UInt64? = nil, reads: [String?] = [], writes: [String?] = []
    ) {
        self.init(
            location: try? model.location(), threads: model.run.threads, patches: model.patches, seed: seed,
            reads: reads, writes: writes)
    }

    /// - Parameter location: nil when there is no model, or when it was not found.
    init(
        location: ModelLocation?, threads: Int? = nil, patches: PatchOptions? = nil, seed: UInt64? = nil,
        reads: [String?] = [], writes: [String?] = []
    ) {
        model = location
        self.threads = threads ?? WorkerPool.availableProcessors
        self.seed = seed
        self.reads = reads.compactMap { $0 } + (patches?.paths ?? [])
        self.writes = writes.compactMap { $0 }
    }
}

/// What is known about the run that a task works for.
enum CurrentRun {
    /// The command line after the program's name, completed from the environment; nil outside of the program.
    @TaskLocal static var arguments: [String]?
    /// The seed of a command that is given none.
    @TaskLocal static var drawnSeed: UInt64?

    /// A seed that is short enough to be written down.
    static func newSeed() -> UInt64 { UInt64.random(in: 0...999_999_999) }
}
