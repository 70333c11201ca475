import CorvidModels
import Foundation
import TestSupport
import Testing

/// `corvid record`, as a user runs it.
@Suite struct RecordTests {
    @Test("a record holds the sites that were asked for, with ids and positions") func recording()
        async throws
    {
        let folder = try TemporaryFolder()
        let path = folder.path + "/sites.safetensors"
        let result = try await Program().run([
            "record", Fixtures.path("Models/gptj"), "--ids", "3,1,4,1,5", "--site", "*.output", "--site",
            "0.attention.pattern", "--site", "final.norm", "--at", "1-2", "--output", path, "--json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let file = try SafetensorsFile(path: path)
        let model = try Model.load(path: Fixtures.path("Models/gptj"))
        let c = model.configuration
        for layer in 0..<c.layers {
            #expect(try file.tensor(named: "\(layer).output")?.shape == [2, c.width])
        }
        #expect(try file.tensor(named: "0.attention.pattern")?.shape == [2, c.heads * 5])
        #expect(file.metadata["ids"] == "3,1,4,1,5")
        #expect(file.metadata["positions of final.norm"] == "1,2")
    }

    @Test("what cannot be recorded is refused, and no file is left") func refusals() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/sites.safetensors"
        let cases = [
            (["--site", "9.output", "--at", "all"], "layers 0 to"),
            (["--site", "0.outputs", "--at", "all"], "is no site"),
            (["--site", "senses", "--at", "all"], "no site senses"),
            (["--site", "0.output", "--at", "5"], "outside the text"),
            (["--site", "0.output", "--at", "somewhere"], "names no positions"),
        ]
        for (options, expected) in cases {
            let result = try await Program().run(
                ["record", Fixtures.path("Models/gptj"), "--ids", "3,1,4", "--output", path] + options)
            #expect(result.status == 1)
            #expect(result.errors.contains(expected), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}
