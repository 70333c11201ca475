import Foundation
import TestSupport
import Testing

@testable import CorvidModels

@Suite("Where a file is written")
struct AtomicFileTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(Array(text.utf8)) }
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.path(of: name), encoding: .utf8)
    }

    private func isLink(_ name: String) throws -> Bool {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(of: name))
        return attributes[.type] as? FileAttributeType == .typeSymbolicLink
    }

    @Test("A link stays, and the file at the end of all links is replaced", arguments: [true, false])
    func links(targetExists: Bool) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "data"), withIntermediateDirectories: false)
        if targetExists { try folder.write("old", to: "data/target") }
        try folder.link("data/middle", to: "target")
        try folder.link("link", to: "data/middle")
        try write("new", to: folder.path(of: "link"))
        #expect(try text("data/target") == "new")
        #expect(try isLink("link") && isLink("data/middle"))
        #expect(try folder.names() == ["data", "link"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "data")).sorted()
                == ["middle", "target"])
    }

    @Test("A link that leads in a circle is refused")
    func circle() throws {
        try folder.link("a", to: "b")
        try folder.link("b", to: "a")
        let path = folder.path(of: "a")
        #expect(throws: WriteError.occupied(file: path, found: "a link that leads in a circle")) {
            try write("new", to: path)
        }
        #expect(try folder.names() == ["a", "b"])
    }

    @Test("A folder, and a link to one, are refused before anything is written")
    func folders() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "data"), withIntermediateDirectories: false)
        try folder.link("link", to: "data")
        for name in ["data", "data/", "link", "data/.", "absent/"] {
            let path = folder.path(of: name)
            let error = #expect(throws: WriteError.self, "\(name)") {
                try AtomicFile.write(to: path) { _ in Issue.record("\(name) was opened") }
            }
            #expect(error?.description.contains("\(path): is ") == true, "\(String(describing: error))")
        }
        #expect(throws: WriteError.occupied(file: "", found: "an empty name")) { try write("new", to: "") }
        #expect(try folder.names() == ["data", "link"])
    }

    @Test("A device is written into and keeps its place")
    func device() throws {
        // By way of links: were they replaced, the device would stay.
        try folder.link("null", to: "/dev/null")
        try folder.link("full", to: "/dev/full")
        try write("gone", to: folder.path(of: "null"))
        #expect(try isLink("null"))
        let path = folder.path(of: "full")
        let error = try #require(throws: WriteError.self) { try write("no room", to: path) }
        #expect(error == .broken(file: path, reason: String(cString: strerror(ENOSPC))))
        #expect(try isLink("full"))
        #expect(try folder.names() == ["full", "null"])
    }

    @Test("A pipe is written into and keeps its place")
    func pipe() throws {
        let path = folder.path(of: "pipe")
        try #require(mkfifo(path, 0o600) == 0)
        // Open for both, so that neither end waits for the other; the text fits into the pipe.
        let descriptor = open(path, O_RDWR | O_NONBLOCK)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try write("through the pipe", to: path)
        #expect(try folder.names() == ["pipe"])
        var found = stat()
        try #require(stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFIFO)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "through the pipe")
    }

    @Test("A path without a folder is written in the current one")
    func split() {
        #expect(WritePlace.split("name") == ("", "name"))
        #expect(WritePlace.split("/name") == ("/", "name"))
        #expect(WritePlace.split("a/b/name") == ("a/b/", "name"))
        #expect(WritePlace.split("a/b/") == ("a/b/", ""))
    }
}
