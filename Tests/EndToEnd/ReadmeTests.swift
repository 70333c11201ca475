import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Whoever pastes a command of the README sees it work.
    @Suite(.enabled(if: Models.storeWithDefault != nil, "the default model has not been fetched"))
    struct ReadmeTests {
        /// Lines of code blocks that start with the launcher.
        static let commands: [String] = {
            let text =
                (try? String(
                    contentsOf: Fixtures.package.appendingPathComponent("README.md"), encoding: .utf8)) ?? ""
            var isCode = false
            return text.split(separator: "\n").compactMap { line in
                if line.hasPrefix("```") {
                    isCode.toggle()
                    return nil
                }
                return isCode && line.hasPrefix("./corvid ") ? String(line) : nil
            }
        }()

        @Test("the README shows how to talk and how to complete a text") func hasCommands() {
            #expect(Self.commands.contains { $0.hasPrefix("./corvid chat") })
            #expect(Self.commands.contains { $0.hasPrefix("./corvid generate") })
        }

        @Test("each command of the README runs", arguments: commands) func runs(command: String) async throws
        {
            let folder = try TemporaryFolder()
            // What stands beside the launcher, so that the commands may name it.
            try folder.link("README.md", to: Fixtures.package.appendingPathComponent("README.md").path)
            let script =
                "cd '\(folder.path)' && "
                + command.replacingOccurrences(of: "./corvid ", with: "'\(Program.path)' ")
            let outcome = try await Program().run(
                script: script, input: "Hello\n", environment: ["CORVID_HOME": Models.storeWithDefault ?? ""])
            #expect(outcome.status == 0, "\(command)\n\(outcome.errors)")
        }
    }
}
