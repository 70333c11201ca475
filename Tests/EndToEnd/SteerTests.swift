import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Steering as a user does it, on tiny random models.
    @Suite struct SteerTests {
        let program: Program
        private let folder: TemporaryFolder

        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func file(_ name: String, _ text: String) throws -> String {
            let path = folder.path + "/" + name
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return path
        }

        private let pair = ["--positive", " the sea", "--negative", " a", "--layer", "1"]

        @Test("a pair of prompts becomes a patch that generate takes, with the same text")
        func pairToPatch() async throws {
            let patch = folder.path + "/sea.patch"
            let made = try await program.run(
                ["steer", Models.gptj] + pair + [
                    "--coefficient", "8", "--prompt", "the cat and the dog", "--greedy", "--max-tokens", "8",
                    "--output", patch, "--json",
                ])
            #expect(made.status == 0, "\(made.errors)")
            let object = try made.object()
            let vectors = try #require(object["vectors"] as? [[String: Any]])
            #expect(vectors[0]["site"] as? String == "1.input")
            #expect(vectors[0]["place"] as? String == "front")
            let sample = try #require((object["samples"] as? [[String: Any]])?.first)
            let again = try await program.run(
                ["steer", Models.gptj, "--vector", patch] + [
                    "--prompt", "the cat and the dog", "--greedy", "--max-tokens", "8", "--json",
                ])
            #expect(again.status == 0, "\(again.errors)")
            let second = try #require((try again.object()["samples"] as? [[String: Any]])?.first)
            #expect(second["steered"] as? String == sample["steered"] as? String)
            #expect(second["plain"] as? String == sample["plain"] as? String)
            let shown = try await program.run(
                ["generate", Models.gptj, "--with", patch, "--prompt", "the cat and the dog", "--greedy"])
            #expect(shown.status == 0, "\(shown.errors)")
        }

        @Test(
            "many pairs give a vector of each layer, by every method",
            arguments: ["mean", "pca", "pca-centred", "logistic"])
        func pairs(method: String) async throws {
            let pairs = try file(
                "p.json",
                """
                {"pairs": [{"positive": "a sea", "negative": "a hill"}, {"positive": "the sea", "negative": "no"},
                 {"positive": "cat", "negative": "dog"}]}
                """)
            let outcome = try await program.run(
                [
                    "steer", Models.gptj, "--pairs", pairs, "--method", method, "--layer", "all",
                    "--strength", "0.1",
                    "--json",
                ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let vectors = try #require(try outcome.object()["vectors"] as? [[String: Any]])
            #expect(!vectors.isEmpty)
            for vector in vectors {
                #expect(vector["place"] as? String == "all")
                #expect(abs((vector["relative_norm"] as? Double ?? 0) - 0.1) < 1e-4)
            }
        }

        @Test("a sweep has a row for each layer and coefficient, and writes the best") func sweep()
            async throws
        {
            let texts = try file(
                "t.txt", "the cat and the dog\na hill by the sea\n\n{\"text\": \"the sea and a cat\"}\n")
            let outcome = try await program.run(
                [
                    "steer", "sweep", Models.gptj, "--positive", " the sea", "--negative", " a",
                    "--coefficients",
                    "0.1,1", "--topical", texts, "--unrelated", texts, "--most-drift", "100", "--output",
                    folder.path + "/best.patch", "--json",
                ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            let points = try #require(object["points"] as? [[String: Any]])
            #expect(points.count.isMultiple(of: 2) && points.count >= 4)
            for point in points { #expect((point["topical"] as? Double)?.isFinite == true) }
            #expect(object["topical_texts"] as? Int == 3)
            #expect((object["front"] as? [[String: Any]])?.isEmpty == false)
            #expect(FileManager.default.fileExists(atPath: folder.path + "/best.patch"))
        }

        @Test("an evaluation measures texts, answers and cloze prompts") func evaluate() async throws {
            let texts = try file("t.txt", "the cat and the dog\na hill by the sea\n")
            let cloze = try file("c.jsonl", "{\"prompt\": \"the cat and the\", \"target\": \"a\"}\n")
            let outcome = try await program.run(
                ["steer", "evaluate", Models.gptj] + pair + [
                    "--topical", texts, "--unrelated", texts, "--topic", "the,cat", "--prompt",
                    "the cat and a dog",
                    "--samples", "3", "--max-tokens", "6", "--good", "cat", "--bad", "dog", "--cloze", cloze,
                    "--seen",
                    "1", "--seed", "1", "--json",
                ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            for group in ["topical", "unrelated"] {
                let found = try #require(object[group] as? [String: Any])
                #expect((found["perplexity_ratio"] as? Double)?.isFinite == true)
                #expect((found["shifts"] as? [Any])?.isEmpty == false)
            }
            #expect(object["selectivity"] as? Double == 1)
            for answers in ["plain", "steered", "random"] {
                let found = try #require(object[answers] as? [String: Any])
                #expect((found["texts"] as? [String])?.count == 3)
                #expect(found["share"] as? Double != nil && found["sentiment"] as? Double != nil)
            }
        }

        @Test("what cannot be done is said in a line") func refusals() async throws {
            func run(_ arguments: [String]) async throws -> Program.Outcome {
                try await program.run(["steer", Models.gptj] + arguments)
            }
            expectFailure(
                try await run(["--positive", " a", "--layer", "99"]), naming: "there is no layer 99")
            expectFailure(try await run(["--positive", " a"]), naming: "--layer")
            expectFailure(
                try await run(["--positive", "", "--layer", "1"]), naming: "both prompts are empty")
            expectFailure(
                try await run(["--positive", " the cat and the dog", "--layer", "1", "--prompt", "a"]),
                naming: "longer prompt")
            expectFailure(try await run([]), status: 64, naming: "--positive")
            expectFailure(
                try await run(["--positive", "a", "--layer", "1", "--coefficient", "nan"]), status: 64,
                naming: "--coefficient")
            expectFailure(
                try await run(pair + ["--coefficient", "3e38", "--prompt", "the cat and the dog"]),
                naming: "no number")
            let pairs = try file("p.json", "{\"pairs\": []}")
            expectFailure(try await run(["--pairs", pairs, "--layer", "1"]), naming: "has no pairs")
            let patch = folder.path + "/sea.patch"
            let made = try await run(pair + ["--output", patch])
            #expect(made.status == 0, "\(made.errors)")
            expectFailure(
                try await program.run(
                    ["generate", Models.tiny, "--with", patch, "--prompt", "the cat and the dog"]),
                naming: "made on another model")
        }
    }

    /// What steering does to the default model, by the thresholds that were measured once.
    @Suite(.enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
    struct SteeringEffectTests {
        let program: Program
        let environment: [String: String]

        init() throws {
            program = try Program()
            environment = ["CORVID_HOME": Models.storeWithDefault ?? "", "CORVID_RECORD": "0"]
        }

        @Test("a vector of one word over the front of texts favours its topic") func oneWord() async throws {
            let outcome = try await program.run(
                [
                    "steer", "evaluate", "--positive", " weddings", "--layer", "18",
                    "--topical", Fixtures.path("Steering/weddings.txt"),
                    "--unrelated", Fixtures.path("Steering/unrelated.txt"), "--json",
                ], environment: environment)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            #expect(try #require(object["selectivity"] as? Double) < 0.9)
        }

        @Test("the mean difference of eight pairs turns answers to the topic, a random vector does not")
        func pairs() async throws {
            let outcome = try await program.run(
                [
                    "steer", "evaluate", "--pairs", Fixtures.path("Steering/pairs.json"), "--layer", "14",
                    "--coefficient", "2", "--topic", SteeringEffectTests.topic,
                    "--prompt", "I went up to my friend and said", "--samples", "40", "--max-tokens", "30",
                    "--temperature", "1", "--seed", "1", "--json",
                ], environment: environment)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            func share(_ name: String) throws -> Double {
                try #require((object[name] as? [String: Any])?["share"] as? Double)
            }
            #expect(try share("steered") >= (try share("plain")) + 0.3)
            #expect(try share("random") <= (try share("plain")) + 0.05)
        }

        static let topic = "wedding,weddings,wed,marry,married,marriage,bride,groom,honeymoon"
    }
}
