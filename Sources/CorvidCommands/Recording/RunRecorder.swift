import ArgumentParser
import CorvidRuns
import CorvidStore
import CorvidTensors
import Foundation

/// Keeps one run of a command in the run store. Nothing that goes wrong here ends the command.
final class RunRecorder {
    /// What could not be recorded, and why.
    private(set) var problem: String?

    private let declaration: RunDeclaration
    private let start = ContinuousClock.now
    private var store: RunStore?
    private var running: RunningRun?

    /// Nil for a command that is not recorded, or not started from a command line, or when the environment
    /// says `CORVID_RECORD=0`.
    convenience init?(_ command: some Command) {
        guard let command = command as? any RecordedCommand, let arguments = CurrentRun.arguments,
            ProcessInfo.processInfo.environment["CORVID_RECORD"] != "0"
        else { return nil }
        self.init(command, arguments: arguments, repeats: nil, store: nil)
    }

    /// Notes that the run begins.
    /// - Parameter store: nil for the one that the environment names.
    init(_ command: some RecordedCommand, arguments: [String], repeats: Int?, store: RunStore?) {
        declaration = command.recorded
        do {
            let store = try store ?? RunStore(path: Store().runs)
            self.store = store
            // Digested before the work: the run may write over what it reads.
            let read = declaration.reads.flatMap { RunFiles.at($0, .data, store) }
            running = try store.begin(
                RunRequest(
                    command: Launch.name(of: type(of: command)), arguments: arguments,
                    folder: FileManager.default.currentDirectoryPath, seed: declaration.seed,
                    version: Corvid.version, instructionSet: InstructionSet.current.rawValue,
                    threads: declaration.threads, model: declaration.model?.name, repeats: repeats),
                files: read)
        } catch {
            note(error)
        }
    }

    /// Notes what the run found.
    func finish(_ report: some Report) {
        end(
            RunOutcome(
                status: report.wasInterrupted ? .interrupted : .done, result: report.json,
                measured: type(of: report).measured))
    }

    /// Notes why the run failed.
    func fail(_ error: any Error) {
        let wasInterrupted = error is CancellationError || Task.isCancelled
        end(
            RunOutcome(
                status: wasInterrupted ? .interrupted : .failed,
                message: wasInterrupted ? nil : Launch.failure(error)))
    }

    /// The run as it was recorded.
    /// - Throws: `RunStoreError`. Nil when it was not recorded, for a reason that ``problem`` says.
    func record() throws -> RunRecord? {
        guard let store, let running, problem == nil else { return nil }
        return try store.record(of: running.id)
    }

    private func end(_ outcome: RunOutcome) {
        guard let store, let running else { return }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        var outcome = outcome
        outcome.files = declaration.model.map { RunFiles.model(at: $0.path, store) } ?? []
        if outcome.status == .done {
            outcome.files += declaration.writes.flatMap { RunFiles.at($0, .written, store) }
        }
        do {
            try store.finish(running, outcome, seconds: seconds)
        } catch {
            note(error)
        }
    }

    private func note(_ error: any Error) {
        if problem == nil { problem = "this run was not recorded: \(Launch.failure(error))" }
    }
}
