import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Labels of texts.
    @Suite struct ClassifyTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        /// A golden classifier with the tokenizer of another golden model, whose ids it has.
        private func classifier(
            _ name: String, tokens: String = "", config: [String: Any] = [:]
        ) throws -> String {
            let source = Fixtures.path("Models/\(name)")
            let path = folder.path + "/" + name
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: source + "/config.json"))
            var object = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            object.merge(config) { $1 }
            try JSONSerialization.data(withJSONObject: object).write(
                to: URL(fileURLWithPath: path + "/config.json"))
            try FileManager.default.createSymbolicLink(
                atPath: path + "/model.safetensors", withDestinationPath: source + "/model.safetensors")
            // Words with ids that a vocabulary of 57 has.
            let words = [
                "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "##s", ".",
            ]
            try words.joined(separator: "\n").write(
                toFile: path + "/vocab.txt", atomically: true, encoding: .utf8)
            return path
        }

        @Test("each text has the label with the highest probability, the same for a line of a file")
        func labels() async throws {
            let model = try classifier("bert-classifier")
            let texts = ["a good film.", "bad films", "a"]
            let given = try await program.run(
                ["classify", model, "--json"] + texts.flatMap { ["--text", $0] })
            #expect(given.status == 0, "\(given.errors)")
            let object = try given.object()
            let labels = try #require(object["labels"] as? [String])
            #expect(labels == ["bad", "fair", "good"])
            let results = try #require(object["results"] as? [[String: Any]])
            #expect(results.count == 3)
            for (text, result) in zip(texts, results) {
                #expect(result["text"] as? String == text)
                let probabilities = try #require(result["probabilities"] as? [Double])
                let scores = try #require(result["scores"] as? [Double])
                #expect(abs(probabilities.reduce(0, +) - 1) < 1e-9)
                let best = try #require(scores.indices.max { scores[$0] < scores[$1] })
                #expect(result["label"] as? String == labels[best])
                // A softmax: ratios of probabilities are powers of differences of scores.
                #expect(abs(probabilities[0] / probabilities[1] - exp(scores[0] - scores[1])) < 1e-6)
            }
            let path = try folder.write(texts.joined(separator: "\n\n") + "\n", to: "lines.txt")
            #expect(
                try await program.run(["classify", model, "--json", "--file", path]).output == given.output)
            let printed = try await program.run(["classify", model, "--file", path])
            let lines = printed.output.split(separator: "\n")
            #expect(lines.count == 3 && lines[2].hasSuffix("  a"))
            #expect(lines[0].hasPrefix(results[0]["label"] as? String ?? "-"))
        }

        @Test("labels that hold for themselves have a probability each, and a learned number has none")
        func otherScores() async throws {
            let several = try classifier(
                "bert-classifier", config: ["problem_type": "multi_label_classification"])
            let object = try await program.run(["classify", several, "--json", "--text", "a film"]).object()
            let result = try #require((object["results"] as? [[String: Any]])?.first)
            let scores = try #require(result["scores"] as? [Double])
            let probabilities = try #require(result["probabilities"] as? [Double])
            for (score, probability) in zip(scores, probabilities) {
                #expect(abs(probability - 1 / (1 + exp(-score))) < 1e-9)
            }
            let names = ["bad", "fair", "good"]
            let held = try #require(result["labels"] as? [String])
            #expect(Set(held) == Set(names.indices.filter { scores[$0] > 0 }.map { names[$0] }))
            let value = try classifier("distilbert-classifier", config: ["problem_type": "regression"])
            let numbers = try await program.run(["classify", value, "--json", "--text", "a film"]).object()
            let only = try #require((numbers["results"] as? [[String: Any]])?.first)
            #expect(only["probabilities"] == nil && only["label"] == nil && only["scores"] != nil)
        }

        @Test("a model that is no classifier says so") func refused() async throws {
            for model in ["bert-sentence", "t5"] {
                let outcome = try await program.run(
                    ["classify", Fixtures.path("Models/\(model)"), "--text", "the sea"])
                expectFailure(outcome, naming: "no classifier")
            }
            let gptj = try await program.run(["classify", Models.gptj, "--text", "the sea"])
            expectFailure(gptj, status: 64, naming: "no classifier", "--labels")
            let bert = try classifier("bert-classifier")
            let other = try await program.run(["classify", bert, "--text", "a", "--labels", "a,b"])
            expectFailure(other, status: 64, naming: "no language model", "--labels")
        }
    }
}
