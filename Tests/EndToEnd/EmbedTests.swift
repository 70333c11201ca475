import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Vectors of texts, and answers of an encoder-decoder.
    @Suite struct EmbedTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private let encoder = Fixtures.path("Models/bert-sentence")

        @Test("each text has a vector of length 1, the same for a line of a file") func vectors() async throws
        {
            let texts = ["the sea and the rain", "on"]
            let given = try await program.run(
                ["embed", encoder, "--json"] + texts.flatMap { ["--text", $0] })
            #expect(given.status == 0, "\(given.errors)")
            let object = try given.object()
            #expect(object["width"] as? Int == 20)
            let vectors = try #require(object["vectors"] as? [[Double]])
            #expect(vectors.count == 2)
            for vector in vectors {
                #expect(vector.count == 20 && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            }
            let path = try folder.write(texts.joined(separator: "\n\n") + "\n", to: "lines.txt")
            let lines = try await program.run(["embed", encoder, "--json", "--file", path])
            #expect(lines.output == given.output)
            let printed = try await program.run(["embed", encoder, "--file", path])
            #expect(printed.output.split(separator: "\n").count == 2)
        }

        @Test("--search shows the most similar texts, a text itself before all others") func search()
            async throws
        {
            let lines = ["the rain", "a hand in the sand", "on", "the sea and the rain"]
            let path = try folder.write(lines.joined(separator: "\n"), to: "lines.txt")
            let arguments = ["embed", encoder, "--file", path, "--search", "on", "--top", "2"]
            let outcome = try await program.run(arguments + ["--json"])
            let matches = try #require(try outcome.object()["matches"] as? [[String: Any]])
            #expect(matches.count == 2)
            #expect(matches[0]["index"] as? Int == 2 && matches[0]["text"] as? String == "on")
            let score = try #require(matches[0]["score"] as? Double)
            #expect(abs(score - 1) < 1e-6)
            let printed = try await program.run(arguments)
            #expect(printed.output.hasPrefix("1.000  on\n"))
        }

        @Test("an encoder neither generates nor scores, and says so") func refusals() async throws {
            let text = try folder.write("the sea", to: "text.txt")
            for arguments in [
                ["generate", encoder, "--prompt", "the"], ["perplexity", encoder, "--file", text],
                ["logits", encoder, "--ids", "1,2", "--output", folder.path(of: "x.safetensors")],
            ] {
                expectFailure(try await program.run(arguments), naming: "model")
            }
        }

        @Test("an encoder-decoder answers its prompt") func answer() async throws {
            let model = Fixtures.path("Models/t5")
            func ids(_ options: [String]) async throws -> [Int] {
                let outcome = try await program.run(
                    ["generate", model, "--greedy", "--max-tokens", "6", "--json"] + options)
                #expect(outcome.status == 0, "\(outcome.errors)")
                let object = try outcome.object()
                #expect(object["prompt_ids"] as? [Int] == [0])
                return try #require(object["ids"] as? [Int])
            }
            let answer = try await ids(["--prompt", "the sea and the rain"])
            #expect(!answer.isEmpty)
            #expect(try await ids(["--prompt", "the sea and the rain", "--no-cache"]) == answer)
            #expect(try await ids(["--prompt", "on"]) != answer)
        }
    }
}
