import CorvidModels
import Foundation
import TestSupport
import Testing

@Suite("A writer that is killed", .serialized)
struct KilledWriterTests {
    /// 30, and 200 with `CORVID_TEST_FULL=1`.
    private static let kills = MutantRun.count >= 100_000 ? 200 : 30

    @Test("A writer killed at any moment leaves a whole file, the one before or the one after")
    func killed() throws {
        let folder = try TemporaryFolder()
        let path = folder.path(of: "m.safetensors")
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<Self.kills {
            try? FileManager.default.removeItem(atPath: path)
            let process = Process()
            process.executableURL = try MutantRun.executable()
            process.arguments = ["--rewrite", path]
            try process.run()
            for _ in 0..<30_000 where !FileManager.default.fileExists(atPath: path) { usleep(1_000) }
            usleep(UInt32(generator.index(below: 20_000)))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()

            let file = try SafetensorsFile(path: path)
            let values = try #require(try file.tensor(named: "values")).floats()
            #expect(file.metadata["count"] == "\(values.count)")
            #expect(values.allSatisfy { $0 == values.first }, "parts of two files")
        }
        // What a killed writer leaves behind is hidden and never under the final name.
        #expect(try folder.names().allSatisfy { $0 == "m.safetensors" || $0.hasPrefix(".m.safetensors.") })
    }
}
