import CorvidModels
import CorvidTensors
import TestSupport
import Testing

@Suite("Errors of the readers")
struct ErrorCoverageTests {
    @Test("Every kind of FormatError is the outcome of a bad file")
    func formatErrors() {
        let seen = Set(
            BadFiles.all.compactMap { entry -> FormatError.Kind? in
                do {
                    try BadFiles.open(entry)
                    return nil
                } catch {
                    return (error as? FormatError)?.kind
                }
            })
        // `range` of a safetensors file and of a GGUF file are one kind.
        let missing = Set(FormatError.Kind.allCases).subtracting(seen)
        #expect(missing.isEmpty, "never thrown: \(missing.map(\.rawValue).sorted())")
    }

    @Test("Every kind of CheckpointError is the outcome of a bad folder")
    func checkpointErrors() throws {
        var seen: Set<CheckpointError.Kind> = []
        for example in BadFolders.all {
            let folder = try TemporaryFolder()
            let path = try example.make(folder)
            do {
                _ = try ModelFiles(path: path)
            } catch let error as CheckpointError {
                seen.insert(error.kind)
            }
        }
        let missing = Set(CheckpointError.Kind.allCases).subtracting(seen)
        #expect(missing.isEmpty, "never thrown: \(missing.map(\.rawValue).sorted())")
    }
}
