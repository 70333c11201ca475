import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What token vectors know about letters.
    @Suite struct CharacterProbeTests {
        let program: Program
        init() throws { program = try Program() }

        @Test("a model without a tokenizer cannot be probed") func noText() async throws {
            let outcome = try await program.run(["probe", "characters", Models.withoutTokenizer, "--json"])
            #expect(outcome.status == 1 && outcome.output == "", "\(outcome.errors)")
        }

        @Test("what is no letter, script, probe or share is refused")
        func refused() async throws {
            for (options, name) in [
                (["--script", "klingon"], "klingon"), (["--probe", "forest"], "forest"),
                (["--controls", "random,random"], "random,random"), (["--letters", ""], "--letters"),
                (["--repeats", "0"], "--repeats"),
            ] {
                let outcome = try await program.run(["probe", "characters", Models.tiny] + options)
                #expect(outcome.status == 64 && outcome.errors.contains(name), "\(outcome.errors)")
            }
            for options in [["--letters", "é"], ["--test-share", "1.5"], ["--lemmas", "no/such/file"]] {
                expectFailure(try await program.run(["probe", "characters", Models.tiny] + options))
            }
        }

        @Test(
            "the default model's vectors know their letters, letter by letter",
            .enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
        func defaultModel() async throws {
            let outcome = try await program.run(
                ["probe", "characters", "--repeats", "1", "--controls", "random", "--json"],
                environment: ["CORVID_HOME": Models.storeWithDefault ?? ""])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let object = try outcome.object()
            #expect(object["tokens"] as? Int == 47_026)
            #expect(try #require(object["f1"] as? Double) >= 75)
            #expect(try #require(object["gap"] as? Double) >= 25)
            let letters = try #require(object["letters"] as? [[String: Any]])
            #expect(letters.count == 26)
            for letter in letters where try #require(letter["tokens"] as? Int) >= 500 {
                #expect(try #require(letter["f1"] as? Double) > 68, "\(letter)")
            }
            let control = try #require((object["controls"] as? [[String: Any]])?.first)
            #expect(abs(try #require(control["f1"] as? Double) - 50) < 3)
        }
    }
}
