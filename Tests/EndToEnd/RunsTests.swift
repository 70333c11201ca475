import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What was run can be listed, compared and run again.
    @Suite struct RunsTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func run(
            _ arguments: String..., environment: [String: String] = [:]
        ) async throws
            -> Program.Outcome
        {
            try await program.run(
                arguments,
                environment: ["CORVID_HOME": folder.path, "CORVID_RECORD": "1"].merging(environment) { $1 })
        }

        private func object(_ arguments: String...) async throws -> [String: Any] {
            let outcome = try await program.run(
                arguments + ["--json"], environment: ["CORVID_HOME": folder.path, "CORVID_RECORD": "1"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try outcome.object()
        }

        private func text(_ count: Int = 30) throws -> String {
            try folder.write(String(repeating: "the old man and the sea. ", count: count), to: "text")
        }

        @Test("a run is listed, shown and repeated with equal results") func recorded() async throws {
            let path = try text()
            let outcome = try await run("perplexity", Models.gptj, "--file", path, "--context", "32")
            #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")

            let list = try await object("runs", "list")
            let runs = try #require(list["runs"] as? [[String: Any]])
            #expect(runs.count == 1 && runs[0]["run"] as? Int == 1 && runs[0]["status"] as? String == "done")
            #expect(
                runs[0]["arguments"] as? [String]
                    == ["perplexity", Models.gptj, "--file", path, "--context", "32"])

            let shown = try await object("runs", "show", "last")
            let result = try #require(shown["result"] as? [String: Any])
            #expect(result["context"] as? Int == 32 && result["perplexity"] is Double)
            let files = try #require(shown["files"] as? [[String: Any]])
            #expect(files.contains { $0["role"] as? String == "data" && $0["path"] as? String == path })
            #expect(files.contains { ($0["path"] as? String ?? "").hasSuffix("/gptj/model.safetensors") })
            #expect(files.allSatisfy { ($0["sha256"] as? String)?.count == 64 })

            let again = try await object("runs", "repeat", "1")
            #expect(again["repeated_as"] as? Int == 2 && again["results_equal"] as? Bool == true)
            #expect(again["warnings"] as? [String] == [])
            let printed = try await run("runs", "repeat", "1")
            #expect(
                printed.output == "run 1 repeated as run 3\nresults: all 6 equal\n" && printed.status == 0)
            #expect(try await object("runs", "show", "3")["repeats"] as? Int == 1)
        }

        @Test("a repetition over other data says so, and ends with 1") func changedData() async throws {
            let path = try text()
            _ = try await run("perplexity", Models.gptj, "--file", path)
            _ = try text(20)
            let outcome = try await run("runs", "repeat", "last")
            #expect(outcome.status == 1 && outcome.errors == "")
            #expect(outcome.output.contains("note: data \(path) has changed"))
            #expect(outcome.output.contains("results: 3 of 6 equal"), "\(outcome.output)")
        }

        @Test("two runs are compared in settings and results") func compared() async throws {
            let path = try text()
            for context in ["16", "32"] {
                _ = try await run("perplexity", Models.gptj, "--file", path, "--context", context)
            }
            let object = try await object("runs", "compare", "1", "2")
            #expect(object["results_equal"] as? Bool == false)
            let settings = try #require(object["settings"] as? [[String: Any]])
            let different = settings.filter { $0["equal"] as? Bool == false }
            #expect(different.map { $0["name"] as? String } == ["--context"])
            let results = try #require(object["results"] as? [[String: Any]])
            let context = try #require(results.first { $0["name"] as? String == "context" })
            #expect(context["difference"] as? Double == 16)
            let printed = try await run("runs", "compare", "1", "2")
            #expect(printed.output.contains("--context  16     32     differs"), "\(printed.output)")
        }

        @Test("a run that failed is listed with its reason") func failed() async throws {
            let path = folder.path(of: "absent")
            expectFailure(try await run("perplexity", Models.gptj, "--file", path), naming: path)
            let shown = try await object("runs", "show", "1")
            #expect(shown["status"] as? String == "failed")
            #expect((shown["message"] as? String)?.hasPrefix(path) == true)
            let again = try await run("runs", "repeat", "1")
            expectFailure(again, naming: path)
        }

        @Test("the list is short when that is asked for") func listed() async throws {
            let path = try text(2)
            for _ in 0..<3 { _ = try await run("perplexity", Models.gptj, "--file", path) }
            let list = try await object("runs", "list", "--limit", "2", "--command", "perplexity")
            #expect((list["runs"] as? [[String: Any]])?.map { $0["run"] as? Int } == [3, 2])
            #expect(try await run("runs", "list", "--command", "bench").output == "no runs\n")
        }

        @Test("where no run can be recorded, the result is printed all the same, and a warning")
        func notRecorded() async throws {
            let path = try text()
            let bad = try TemporaryFolder()
            try bad.write(String(repeating: "no database ", count: 100), to: "runs.sqlite")
            let outcome = try await run(
                "perplexity", Models.gptj, "--file", path, environment: ["CORVID_HOME": bad.path])
            #expect(outcome.status == 0 && outcome.output.hasPrefix("perplexity "))
            #expect(
                outcome.errors.hasPrefix(
                    "corvid: this run was not recorded: \(bad.path)/runs.sqlite: is damaged"),
                "\(outcome.errors)")
            let list = try await run("runs", "list", environment: ["CORVID_HOME": bad.path])
            expectFailure(list, naming: "runs.sqlite: is damaged")
        }

        @Test("nothing is recorded when the environment says so") func switchedOff() async throws {
            let path = try text()
            _ = try await run("perplexity", Models.gptj, "--file", path, environment: ["CORVID_RECORD": "0"])
            #expect(try folder.names() == ["text"])
            #expect(try await run("runs", "list").output == "no runs\n")
            expectFailure(try await run("runs", "show", "last"), naming: "nothing was recorded yet")
        }

        @Test("an unknown run is answered with the last one") func unknown() async throws {
            let path = try text(2)
            _ = try await run("perplexity", Models.gptj, "--file", path)
            for command in ["show", "repeat"] {
                expectFailure(
                    try await run("runs", command, "7"), naming: "there is no run 7; the last one is 1")
            }
            for wrong in ["0", "-1", "first"] {
                let outcome = try await run("runs", "show", wrong)
                #expect(outcome.status == 64, "\(outcome.errors)")
            }
        }
    }
}
