import CorvidModels
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidRuns

@Suite("Two runs side by side")
struct RunComparisonTests {
    private func record(
        _ result: JSON?, arguments: [String] = [], files: [RunFile] = [], seed: UInt64? = nil
    ) -> RunRecord {
        let request = RunRequest(
            command: "a", arguments: arguments, folder: "/", seed: seed, version: "1", instructionSet: "avx2")
        let run = Run(
            id: 1, request: request, status: .done, message: nil, started: Date(), finished: Date(),
            seconds: 1)
        return RunRecord(run: run, result: result, measured: ["seconds"], files: files)
    }

    @Test("values have the names of their keys, and lists of numbers are one value") func names() {
        let result: JSON = [
            "a": 1, "b": ["c": "x", "d": [1, 2]], "e": [["f": 1], ["f": 2]], "g": [], "h": [:],
        ]
        #expect(
            RunComparison.values(of: result).map(\.name) == ["a", "b.c", "b.d", "e[0].f", "e[1].f", "g", "h"])
        #expect(RunComparison.values(of: 3).map(\.name) == ["result"])
    }

    @Test("differences are second minus first, of lists the largest") func differences() {
        let comparison = RunComparison(
            record(["a": 1, "b": [1, 2, 3], "c": "x", "d": 2.5]),
            record(["a": 1, "b": [1, -2, 4], "c": "y", "e": true]))
        let found = comparison.results
        #expect(found.map(\.name) == ["a", "b", "c", "d", "e"])
        #expect(found.map(\.isEqual) == [true, false, false, false, false])
        #expect(found.map(\.difference) == [0, -4, nil, nil, nil])
        #expect(!comparison.resultsAgree)
    }

    @Test("what is measured need not agree, wherever it lies") func measured() {
        let first: JSON = ["seconds": 1, "parts": [["seconds": 2, "n": 1]], "seconds_left": 1]
        #expect(
            RunComparison(
                record(first), record(["seconds": 2, "parts": [["seconds": 3, "n": 1]], "seconds_left": 1])
            ).resultsAgree)
        #expect(
            !RunComparison(
                record(first), record(["seconds": 1, "parts": [["seconds": 2, "n": 1]], "seconds_left": 2])
            ).resultsAgree)
    }

    @Test("a number that differs in the last bit differs") func lastBit() {
        #expect(!RunComparison(record(["a": 0.1]), record(["a": .number((0.1).nextUp)])).resultsAgree)
    }

    @Test("options are compared by name, however they are written") func options() {
        let comparison = RunComparison(
            record(nil, arguments: ["a", "m", "--x", "1", "--flag", "--y=2"], seed: 1),
            record(nil, arguments: ["a", "m", "--y", "2", "--x=3"], seed: 2))
        let wrong = comparison.settings.filter { !$0.isEqual }
        #expect(wrong.map(\.name) == ["--x", "--flag", "seed"])
        #expect(wrong.first?.first == "1" && wrong.first?.second == "3")
    }

    @Test("files are compared by what they are for, and where they lie") func files() {
        func file(_ role: RunFile.Role, _ content: UInt8) -> RunFile {
            RunFile(role: role, path: "/f", byteCount: 1, digest: Digest(of: [content]))
        }
        let comparison = RunComparison(
            record(nil, files: [file(.data, 1), file(.written, 1)]),
            record(nil, files: [file(.data, 2), file(.written, 1)]))
        #expect(comparison.files.map(\.name) == ["data /f", "written /f"])
        #expect(comparison.files.map(\.isEqual) == [false, true])
        #expect(comparison.writtenAgrees)
    }
}

@Suite("Digests of files that runs use")
struct FileDigestTests {
    @Test("a changed file has another digest, however soon and however it changed") func changed() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(path: folder.path(of: "runs.sqlite"))
        for round in 0..<20 as Range<UInt8> {
            let path = try folder.write([round, 1], to: "data")
            #expect(try store.file(.data, at: path).digest == Digest(of: [round, 1]))
        }
    }

    @Test("a file that lay still is not read again, and one that replaces it is") func cached() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(path: folder.path(of: "runs.sqlite"))
        let path = try folder.write([1, 2, 3], to: "data")
        let stamp = try #require(FileStamp(path: path))
        try store.write { database in
            try database.execute(
                sql: "INSERT INTO digests VALUES (?, ?, ?)",
                arguments: [path, stamp.text, Digest(of: [9]).description])
        }
        #expect(try store.file(.data, at: path).digest == Digest(of: [9]))
        try folder.write([1, 2, 4], to: "other")
        #expect(rename(folder.path(of: "other"), path) == 0)
        #expect(try store.file(.data, at: path).digest == Digest(of: [1, 2, 4]))
    }
}
