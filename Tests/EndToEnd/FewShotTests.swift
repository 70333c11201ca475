import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A language model that labels texts.
    @Suite struct FewShotTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func lines(_ rows: [(String, Int?)], to name: String) throws -> String {
            let text = rows.map { text, label in
                "{\"text\": \"\(text)\"" + (label.map { ", \"label\": \($0)" } ?? "") + "}"
            }.joined(separator: "\n")
            return try folder.write(text + "\n", to: name)
        }

        private let pool: [(String, Int?)] = [("a", 0), ("b", 1), ("c", 0), ("d", 1)]

        @Test("each text gets a label with probabilities that add up to 1, the same in JSON and lines")
        func predictions() async throws {
            let arguments = [
                "classify", Models.tiny, "--labels", "ab,cd", "--text", "x", "--text", "y z",
            ]
            let object = try await program.run(arguments + ["--json"]).object()
            let results = try #require(object["results"] as? [[String: Any]])
            #expect(results.map { $0["text"] as? String } == ["x", "y z"])
            for result in results {
                let probabilities = try #require(result["probabilities"] as? [Double])
                #expect(abs(probabilities.reduce(0, +) - 1) < 1e-9)
                #expect(result["label"] as? String == (probabilities[0] >= probabilities[1] ? "ab" : "cd"))
                #expect(result["expected"] == nil)
            }
            #expect(object["methods"] == nil && object["shots"] as? Int == 0)
            let printed = try await program.run(arguments)
            let found = printed.output.split(separator: "\n").map { $0.split(separator: " ").first }
            #expect(found.map { $0.map(String.init) } == results.map { $0["label"] as? String })
            #expect(try await program.run(arguments).output == printed.output)
        }

        @Test("texts with labels are scored by each method, with the priors of each seed") func scores()
            async throws
        {
            let examples = try lines(pool, to: "pool.jsonl")
            let texts = try lines([("e", 0), ("f", 1), ("g", 1), ("b", 1)], to: "texts.jsonl")
            let arguments = [
                "classify", Models.tiny, "--labels", "ab,cd", "--examples", examples, "--shots", "1",
                "--seeds", "4", "--random-texts", "6", "--file", texts,
            ]
            let outcome = try await program.run(arguments + ["--json"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            #expect(object["seeds"] as? [Int] == [0, 1, 2, 3] && object["corpus"] as? String == "examples")
            let methods = try #require(object["methods"] as? [String: [String: Any]])
            #expect(Set(methods.keys) == ["chance", "plain", "cc", "dc"])
            for name in ["plain", "cc", "dc"] {
                let macro = try #require(methods[name]?["macro_f1"] as? [String: Any])
                #expect((macro["values"] as? [Double])?.count == 4)
                let confusion = try #require(methods[name]?["confusion"] as? [[[Int]]])
                #expect(confusion.allSatisfy { $0.flatMap { $0 }.reduce(0, +) == 4 })
            }
            let runs = try #require(object["runs"] as? [[String: Any]])
            for run in runs {
                let priors = try #require(run["priors"] as? [String: [Double]])
                #expect(Set(priors.keys) == ["vanilla", "cc", "dc", "english"])
                #expect(priors.values.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
                let examples = try #require(run["examples"] as? [[String: Any]])
                let isShown = examples.first?["text"] as? String == "b"
                #expect(run["texts_shown"] as? [Int] == (isShown ? [3] : []))
            }
            // Four examples are drawn one at a time with four seeds; the tests below lean on no particular one.
            let printed = try await program.run(arguments).output
            for word in [
                "macro-F1", "chance", "plain", "cc", "dc", "entropy", "domain label bias", "chosen: ",
            ] {
                #expect(printed.contains(word), "\(printed)")
            }
            let zero = try await program.run(
                ["classify", Models.tiny, "--labels", "ab,cd", "--file", texts, "--json"]
            ).object()
            #expect((zero["seeds"] as? [Int])?.count == 1 && zero["corpus"] as? String == "texts")
        }

        @Test("a class of which no text is, and texts that are shown, are warned of") func warnings()
            async throws
        {
            let examples = try lines(pool, to: "pool.jsonl")
            let texts = try lines([("a", 0), ("c", 0)], to: "texts.jsonl")
            let object = try await program.run(
                [
                    "classify", Models.tiny, "--labels", "ab,cd", "--examples", examples, "--shots", "1",
                    "--seed", "0", "--seeds", "1", "--random-texts", "2", "--file", texts, "--json",
                ]
            ).object()
            let warnings = try #require(object["warnings"] as? [String])
            #expect(warnings.contains { $0.contains("no text has the label \"cd\"") })
            #expect(warnings.contains { $0.contains("among the examples shown") })
            #expect(warnings.contains { $0.contains("several tokens") })
        }

        @Test("a task card from a file is used") func card() async throws {
            let card = try folder.write(
                #"{"q_prefix": "Q", "a_prefix": "A", "q1_prefix": "1", "labels": [["x", "y"], "z"]}"#,
                to: "card.json")
            let texts = try folder.write(#"{"text_a": "u", "text_b": "v"}"# + "\n", to: "pairs.jsonl")
            let object = try await program.run(
                ["classify", Models.tiny, "--task", card, "--file", texts, "--json", "--random-texts", "2"]
            ).object()
            #expect(object["labels"] as? [String] == ["x", "z"])
            let result = try #require((object["results"] as? [[String: Any]])?.first)
            #expect(result["text_a"] as? String == "u" && result["text_b"] as? String == "v")
        }

        @Test("a calibration that was written as a patch labels texts as when it was measured") func patch()
            async throws
        {
            let examples = try lines(pool, to: "pool.jsonl")
            let texts = try lines([("e", nil), ("f", nil)], to: "texts.jsonl")
            let path = folder.path + "/calibration.patch"
            let common = ["classify", Models.tiny, "--file", texts, "--json"]
            let measured = try await program.run(
                common + [
                    "--labels", "ab,cd", "--examples", examples, "--shots", "1", "--calibrate", "dc",
                    "--random-texts", "4", "--output", path,
                ])
            #expect(measured.status == 0, "\(measured.errors)")
            #expect(try measured.object()["output"] as? String == path)
            let applied = try await program.run(common + ["--with", path])
            #expect(applied.status == 0 && applied.errors == "", "\(applied.errors)")
            let results = try [measured, applied].map { outcome in
                try #require(try outcome.object()["results"] as? [[String: Any]])
                    .map { try #require($0["probabilities"] as? [Double]) }
            }
            #expect(results[0] == results[1])
            let shown = try await program.run(["patch", "show", path, "--json"])
            #expect(shown.status == 0 && shown.output.contains("label-prior"), "\(shown.errors)")
            // Other examples make another prompt, whose biases were not measured.
            let other = try lines([("y", 0), ("z", 1)], to: "other.jsonl")
            let warned = try await program.run(
                common + ["--with", path, "--examples", other, "--shots", "1"])
            #expect(warned.status == 0 && warned.errors.contains("another prompt"), "\(warned.errors)")
            let labels = try await program.run(common + ["--with", path, "--labels", "x,y"])
            expectFailure(labels, naming: "ab, cd")
            let nothing = try await program.run(
                common + ["--labels", "ab,cd", "--calibrate", "none", "--output", path + "2"])
            expectFailure(nothing, naming: "nothing to save")
        }

        @Test("the comparison is drawn, if labels are known") func plot() async throws {
            let texts = try lines([("e", 0), ("f", 1)], to: "texts.jsonl")
            let path = folder.path + "/bars.svg"
            let arguments = ["classify", Models.tiny, "--labels", "ab,cd", "--plot", path]
            let outcome = try await program.run(
                arguments + ["--file", texts, "--random-texts", "2", "--json"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let svg = try String(contentsOfFile: path, encoding: .utf8)
            #expect(svg.contains("<svg") && svg.contains("macro-F1") && svg.contains("chance"))
            expectFailure(
                try await program.run(arguments + ["--text", "x"]), status: 64, naming: "--plot")
        }

        @Test("what cannot be classified is refused in one or two lines") func refused() async throws {
            let texts = try lines([("e", 0), ("f", 1)], to: "texts.jsonl")
            let bad = try folder.write("{\"text\": \"a\"}\n{\"text\": 3}\n", to: "bad.jsonl")
            let same = try lines([("a", 1), ("b", 1), ("c", 1)], to: "same.jsonl")
            let long = try lines(
                [(String(repeating: "long ", count: 40), 0), ("b", 1)], to: "long.jsonl")
            let broken = try folder.write("{\"labels\": [}", to: "broken.json")
            let classify = ["classify", Models.tiny]
            let labels = classify + ["--labels", "ab,cd"]
            expectFailure(
                try await program.run(classify + ["--labels", "ab", "--file", texts]), naming: "at least two")
            expectFailure(
                try await program.run(classify + ["--labels", "ab,", "--file", texts]), naming: "class 1")
            expectFailure(
                try await program.run(classify + ["--labels", "ab,ab", "--file", texts]),
                naming: "classes 0 and 1")
            expectFailure(
                try await program.run(classify + ["--labels", "ab,abc", "--file", texts]),
                naming: "begin with those of")
            expectFailure(
                try await program.run(classify + ["--task", "nothing", "--file", texts]), naming: "sst2")
            expectFailure(
                try await program.run(classify + ["--task", broken, "--file", texts]), naming: "broken.json")
            expectFailure(
                try await program.run(classify + ["--task", "rte", "--text", "a"]), naming: "text_a")
            expectFailure(try await program.run(labels + ["--file", bad]), naming: "bad.jsonl", "line 2")
            expectFailure(try await program.run(labels + ["--text", " "]), naming: "no words")
            expectFailure(
                try await program.run(labels + ["--examples", same, "--file", texts]),
                naming: "all 3 examples")
            expectFailure(
                try await program.run(labels + ["--examples", texts, "--shots", "3", "--file", texts]),
                naming: "--shots")
            expectFailure(
                try await program.run(labels + ["--examples", long, "--shots", "2", "--file", texts]),
                naming: "the context holds 64")
            for options in [
                ["--shots", "3"], ["--seeds", "0"], ["--random-texts", "0"], ["--tolerance", "0"],
                ["--limit", "0"], ["--calibrate", "much"],
            ] {
                let outcome = try await program.run(labels + options + ["--file", texts])
                expectFailure(outcome, status: 64, naming: options[0])
            }
        }
    }

    /// The default model labels texts that leave no doubt.
    @Suite(.enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
    struct DefaultModelFewShotTests {
        private static let adjectives = (
            good: ["wonderful", "moving", "brilliant", "charming", "superb", "delightful"],
            bad: ["dreadful", "boring", "awful", "clumsy", "terrible", "tedious"]
        )
        private static let things = ["film", "story", "comedy", "drama", "movie", "picture"]

        /// Reviews that say the same in many words; `first` keeps sets apart.
        static func reviews(_ count: Int, first: Int) -> [(text: String, label: Int)] {
            (first..<first + count).map { number in
                let label = number % 2
                let words = label == 1 ? adjectives.good : adjectives.bad
                let thing = things[number / 2 % 6]
                let text =
                    "this \(thing) is \(words[number / 12 % 6]) and its \(things[(number / 2 + 1) % 6]) is "
                    + "\(words[(number / 7 + 3) % 6]) from scene \(number) on"
                return (text, label)
            }
        }

        private func write(
            _ reviews: [(text: String, label: Int)], to name: String, in folder: TemporaryFolder
        )
            throws -> String
        {
            try folder.write(
                reviews.map { "{\"text\": \"\($0.text)\", \"label\": \($0.label)}\n" }.joined(), to: name)
        }

        private func run(texts: Int, seeds: Int) async throws -> [String: Any] {
            let folder = try TemporaryFolder()
            let examples = try write(Self.reviews(40, first: 0), to: "pool.jsonl", in: folder)
            let file = try write(Self.reviews(texts, first: 40), to: "texts.jsonl", in: folder)
            let outcome = try await Program().run(
                [
                    "classify", "--task", "sst2", "--examples", examples, "--shots", "8", "--seeds",
                    "\(seeds)", "--file", file, "--json",
                ], environment: ["CORVID_HOME": Models.storeWithDefault ?? ""])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try outcome.object()
        }

        private func macroF1(_ object: [String: Any], _ method: String) throws -> [String: Any] {
            let methods = try #require(object["methods"] as? [String: [String: Any]])
            return try #require(methods[method]?["macro_f1"] as? [String: Any])
        }

        @Test("reviews that leave no doubt are labelled far better than by chance") func reviews()
            async throws
        {
            let object = try await run(texts: 40, seeds: 1)
            let mean = try #require(try macroF1(object, "dc")["mean"] as? Double)
            #expect(mean > 0.8)
            // The words of reviews are no domain of their own.
            let bias = try #require((object["domain_label_bias"] as? [String: Any])?["mean"] as? Double)
            #expect(bias >= 0 && bias < 0.5)
        }

        @Test(
            "over five sets of examples, calibrated scores vary no more than plain ones",
            .enabled(if: ProcessInfo.processInfo.environment["CORVID_TEST_FULL"] == "1", "only with --full"))
        func seeds() async throws {
            let object = try await run(texts: 120, seeds: 5)
            let plain = try #require(try macroF1(object, "plain")["std"] as? Double)
            let calibrated = try #require(try macroF1(object, "dc")["std"] as? Double)
            #expect(calibrated <= plain, "\(calibrated) against \(plain)")
        }
    }
}
