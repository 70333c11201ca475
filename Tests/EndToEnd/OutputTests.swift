import CorvidModels
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `--output` never takes the place of anything but a file.
    @Suite struct OutputTests {
        let program: Program
        let folder: TemporaryFolder
        init() throws {
            program = try Program()
            folder = try TemporaryFolder()
        }

        private func logits(to name: String) async throws -> Program.Outcome {
            try await program.run(["logits", Models.tiny, "--ids", "1,2", "--output", folder.path(of: name)])
        }

        private func target(of link: String) throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: folder.path(of: link))
        }

        @Test("the file that a link leads to is replaced, and the link stays") func link() async throws {
            try folder.write("old", to: "target")
            try folder.link("link", to: "target")
            let outcome = try await logits(to: "link")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try target(of: "link") == "target")
            let file = try SafetensorsFile(path: folder.path(of: "target"))
            #expect(file.names == ["logits"])
            #expect(try folder.names() == ["link", "target"])
        }

        @Test("a device keeps its place, and a full one is named") func device() async throws {
            // By way of links: were they replaced, the devices would stay.
            try folder.link("null", to: "/dev/null")
            try folder.link("full", to: "/dev/full")
            let outcome = try await logits(to: "null")
            #expect(outcome.status == 0, "\(outcome.errors)")
            expectFailure(try await logits(to: "full"), naming: folder.path(of: "full"), "No space left")
            for (name, target) in [("null", "/dev/null"), ("full", "/dev/full")] {
                #expect(try self.target(of: name) == target)
            }
        }

        @Test("a pipe gets the whole file") func pipe() async throws {
            let path = folder.path(of: "pipe")
            try #require(mkfifo(path, 0o600) == 0)
            // Open for both, so that neither end waits for the other; the file fits into the pipe.
            let descriptor = open(path, O_RDWR | O_NONBLOCK)
            try #require(descriptor >= 0)
            let reader = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            let outcome = try await logits(to: "pipe")
            #expect(outcome.status == 0, "\(outcome.errors)")
            var found = stat()
            try #require(stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFIFO)
            #expect(try folder.names() == ["pipe"])
            let copy = try folder.write([UInt8](reader.availableData), to: "copy")
            #expect(try SafetensorsFile(path: copy).names == ["logits"])
        }

        @Test("a folder is refused") func folderRefused() async throws {
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "data"), withIntermediateDirectories: false)
            expectFailure(try await logits(to: "data"), naming: folder.path(of: "data"), "is a folder")
        }

        @Test("a model without a tokenizer names the file that is missing by its path")
        func tokenizerPath() async throws {
            let outcome = try await program.run(["tokenize", Models.withoutTokenizer, "--text", "a"])
            let path = Models.withoutTokenizer + "/tokenizer.json"
            expectFailure(outcome, naming: path + ": ", "vocab.json", "is missing")
        }
    }
}
