import TestSupport
import Testing

/// Damaged files by the ten thousand, read in a child process which a trap may end.
@Suite("Mutants", .serialized)
struct MutantTests {
    static let formats = [
        "gguf", "safetensors", "pytorch", "safetensors.index.json", "config.json", "modules.json",
        "tokenizer.json", "vocab.json",
        "tokenizer.json of WordPiece", "vocab.txt", "tokenizer.json of Unigram", "tokenizer.model",
        "gguf tokenizer",
        "chat template", "gguf model", "patch",
    ]

    @Test(
        "No damaged file ends the process, takes a second or more memory than its size and 16 MiB",
        arguments: formats)
    func mutants(_ format: String) throws {
        let report = try MutantRun.run(format)
        print(report)
        #expect(report.traps.isEmpty, "\(report)")
        #expect(report.count >= MutantRun.count, "\(report)")
        #expect(report.accepted > report.count / 1_000 && report.refused > report.count / 10, "\(report)")
        #expect(report.slowest.seconds < 1, "\(report)")
        #expect(report.memory <= report.largest + 16 << 20, "\(report)")
    }

    @Test("A trap is found, named by its seed, and the rest is read all the same")
    func trapsAreFound() throws {
        let report = try MutantRun.run("trap", seed: 1, count: 200)
        // The format traps on every seed that 64 divides.
        #expect(report.traps.map(\.seed) == [64, 128, 192])
        #expect(report.traps.allSatisfy { $0.reason.contains("signal") })
        #expect(report.count == 197)
    }
}
