import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Patches from the command line.
    @Suite struct PatchTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private let adapter = Fixtures.path("Adapters/gptj")

        private func run(_ arguments: String...) async throws -> Program.Outcome {
            let outcome = try await program.run(arguments + ["--quiet"])
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
            return outcome
        }

        private func imported() async throws -> String {
            let path = folder.path(of: "lora.patch")
            _ = try await run("patch", "import", adapter, "--model", Models.gptj, "--output", path)
            return path
        }

        private func logits(_ model: String, _ with: String...) async throws -> Data {
            let path = folder.path(of: "\(UUID().uuidString).safetensors")
            let outcome = try await program.run(
                ["logits", model, "--ids", "1,2,3,4,5", "--output", path, "--quiet"]
                    + with.flatMap { ["--with", $0] })
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }

        @Test(
            "a patch changes what a model gives, at scale 0 it does not, and adapters are taken as they are")
        func with() async throws {
            let patch = try await imported()
            let plain = try await logits(Models.gptj)
            let changed = try await logits(Models.gptj, patch)
            #expect(changed != plain)
            #expect(try await logits(Models.gptj, patch + "@0") == plain)
            #expect(try await logits(Models.gptj, adapter) == changed)
            #expect(try await logits(Models.gptj) == plain)
        }

        @Test("show says what is in a patch, the same for people and programs") func show() async throws {
            let patch = try await imported()
            let object = try await run("patch", "show", patch, "--json", "--model", Models.gptj).object()
            let changes = try #require(object["changes"] as? [[String: Any]])
            #expect(changes.map { $0["place"] as? String } == ["0.query", "0.value", "1.query", "1.value"])
            #expect(changes.allSatisfy { ($0["norm"] as? Double ?? 0) > 0 && $0["weight_norm"] is Double })
            #expect(object["method"] as? String == "lora" && object["family"] as? String == "gptj")
            let inspected = try await run("inspect", patch, "--json").object()
            #expect(inspected["fingerprint"] as? String == object["fingerprint"] as? String)
            let lines = try await run("patch", "show", patch).output
            #expect(lines.contains("rank 3 of [20, 20]"))
            #expect(lines.contains(try #require(object["fingerprint"] as? String)))
        }

        @Test("scale, stack, revert, diff, merge and export go hand in hand") func algebra() async throws {
            let patch = try await imported()
            let half = folder.path(of: "half.patch")
            _ = try await run("patch", "scale", patch, "--by", "0.5", "--output", half)
            #expect(try await logits(Models.gptj, half) == logits(Models.gptj, patch + "@0.5"))
            let both = folder.path(of: "both.patch")
            _ = try await run("patch", "stack", patch, half + "@2", "--output", both)
            #expect(try await logits(Models.gptj, both) == logits(Models.gptj, patch, half + "@2"))
            let back = folder.path(of: "back.patch")
            _ = try await run("patch", "revert", both, "--remove", "half", "--output", back)
            #expect(try await logits(Models.gptj, back) == logits(Models.gptj, patch))
            let merged = folder.path(of: "merged")
            _ = try await run("patch", "merge", Models.gptj, "--with", patch, "--output", merged)
            let record = try await run("patch", "revert", merged, "--base", Models.gptj, "--json").object()
            #expect(record["base"] as? String == "gptj" && record["checked"] as? String == Models.gptj)
            let difference = folder.path(of: "difference.patch")
            _ = try await run("patch", "diff", Models.gptj, merged, "--output", difference)
            let shown = try await run("patch", "show", difference, "--json").object()
            #expect((shown["changes"] as? [[String: Any]])?.count == 4)
            for (format, place) in [("peft", "peft"), ("mlx", "mlx"), ("gguf", "lora.gguf")] {
                let path = folder.path(of: place)
                _ = try await run(
                    "patch", "export", patch, "--model", Models.gptj, "--format", format, "--output", path)
                #expect(try await logits(Models.gptj, path) != logits(Models.gptj))
            }
        }

        @Test("a patch of another base is refused with both fingerprints, one that does not fit in any case")
        func otherBase() async throws {
            let patch = try await imported()
            let other = Fixtures.path("Models/gptj-tied")
            let outcome = try await program.run(
                ["logits", other, "--ids", "1", "--with", patch, "--output", folder.path(of: "l")])
            expectFailure(outcome, naming: "another model", "fingerprint", "--any-base")
            let forced = try await program.run([
                "logits", other, "--ids", "1", "--with", patch, "--any-base", "--output",
                folder.path(of: "l"),
            ])
            expectFailure(forced, naming: "does not fit this model", "0.query has shape [16, 16]")
            let missing = try await program.run([
                "generate", "--with", "nothing", "--prompt", "a", Models.gptj,
            ])
            expectFailure(missing, naming: "nothing: no such patch")
        }

        /// 30, and 200 with `CORVID_TEST_FULL=1`.
        private static let kills = MutantRun.count >= 100_000 ? 200 : 30

        @Test("a merge that is killed at any moment leaves a whole model or none") func killed() async throws
        {
            let patch = try await imported()
            let place = folder.path(of: "merged.gguf")
            let start = ContinuousClock.now
            _ = try await run("patch", "merge", Models.gptj, "--with", patch, "--output", place)
            let most = Int((ContinuousClock.now - start) / .milliseconds(1)) + 10
            let whole = try Data(contentsOf: URL(fileURLWithPath: place)).count
            var generator = SeededGenerator(seed: 4)
            for _ in 0..<Self.kills {
                try? FileManager.default.removeItem(atPath: place)
                _ = try await program.run(
                    ["patch", "merge", Models.gptj, "--with", patch, "--output", place, "--quiet"],
                    signal: SIGKILL, delay: .milliseconds(generator.index(below: most)))
                if FileManager.default.fileExists(atPath: place) {
                    #expect(try Data(contentsOf: URL(fileURLWithPath: place)).count == whole)
                    _ = try await logits(place)
                }
            }
            // What a killed writer leaves behind is hidden and never under the final name.
            let names = try folder.names().filter { $0.hasPrefix("merged") }
            #expect(names.allSatisfy { $0 == "merged.gguf" }, "\(names)")
        }
    }
}
