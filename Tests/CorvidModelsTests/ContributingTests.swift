import CorvidModels
import Foundation
import TestSupport
import Testing

/// What CONTRIBUTING shows is the code as it is.
@Suite struct ContributingTests {
    private struct Part {
        var path = ""
        var lines: [String] = []
    }

    /// Added lines of the diff, by file, and the lines of context around them.
    private func diff() throws -> [Part] {
        let text = try String(
            contentsOf: Fixtures.package.appendingPathComponent("CONTRIBUTING.md"), encoding: .utf8)
        var parts: [Part] = []
        var isDiff = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                isDiff = line == "```diff"
            } else if isDiff, line.hasPrefix("+++ b/") {
                parts.append(Part(path: String(line.dropFirst(6))))
            } else if isDiff, !line.hasPrefix("---"), !line.hasPrefix("@@"), !parts.isEmpty {
                parts[parts.count - 1].lines.append(String(line.dropFirst()))
            }
        }
        return parts
    }

    @Test("the diff that adds a family is one file, whole and as it is, and one line of the index")
    func family() throws {
        let parts = try diff()
        try #require(parts.count == 2)
        func source(_ path: String) throws -> String {
            try String(contentsOf: Fixtures.package.appendingPathComponent(path), encoding: .utf8)
        }
        #expect(parts[0].path == "Sources/CorvidModels/Families/Index.swift")
        #expect(try source(parts[0].path).contains(parts[0].lines.joined(separator: "\n")))
        #expect(try source(parts[1].path) == parts[1].lines.joined(separator: "\n") + "\n")
    }
}
