import CorvidModels
import CorvidRuns
import CorvidText
import Foundation

/// Records runs, for the tests of a killed or failing writer. All values of run i are i, and `done i` is
/// written to standard output when run i has been recorded.
func record(_ path: String, count: Int?) throws -> Never {
    do {
        let store = try RunStore(path: path)
        var done = 0
        while count.map({ done < $0 }) ?? true {
            let request = RunRequest(
                command: "record", arguments: ["record"], folder: "/", seed: 1, version: "0",
                instructionSet: "plain")
            let running = try store.begin(request)
            let number = JSON.integer(Int64(running.id))
            let digest = Digest(of: Array("\(running.id)".utf8))
            let outcome = RunOutcome(
                status: .done,
                result: ["values": .array(Array(repeating: number, count: 500)), "count": 500],
                files: (0..<3).map {
                    RunFile(role: .written, path: "/\($0)", byteCount: running.id, digest: digest)
                })
            try store.finish(running, outcome, seconds: 0)
            FileHandle.standardOutput.write(Data("done \(running.id)\n".utf8))
            done += 1
        }
        exit(0)
    } catch let error as RunStoreError {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        exit(1)
    }
}
