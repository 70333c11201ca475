import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport
import Testing

/// The fixtures of `Scripts/make-bad-files.py`.
enum BadFiles {
    struct Entry: Sendable, CustomTestStringConvertible {
        let file: String
        /// The name of the expected ``FormatError`` case; nil for a file that must be accepted.
        let error: String?
        let mentions: [String]
        /// Whether a tokenizer is to be made of the metadata, and the name of the expected error if one is.
        let isVocabulary: Bool
        let tokenizerError: String?
        /// What must be asked for to see the error.
        let tensor: String?
        let strings: String?

        var testDescription: String { file }
        var path: String { Fixtures.path("BadFiles/" + file) }
    }

    static let all: [Entry] = {
        guard let bytes = try? Fixtures.bytes("BadFiles/manifest.json"),
            let list = try? JSON.parse(bytes).array
        else { return [] }
        return list.map { item in
            Entry(
                file: item["file"]?.string ?? "", error: item["error"]?.string,
                mentions: item["mentions"]?.array?.compactMap(\.string) ?? [],
                isVocabulary: item["tokenizer"] != nil, tokenizerError: item["tokenizer"]?.string,
                tensor: item["tensor"]?.string,
                strings: item["strings"]?.string)
        }
    }()

    /// Opens the file as its name says, and asks for what the entry names.
    static func open(_ entry: Entry) throws {
        let format = WeightFormat(file: entry.path) ?? .safetensors
        try ask(format.open(entry.path), entry)
    }

    /// The same from memory.
    static func openInMemory(_ entry: Entry) throws {
        try ask(open(Bytes(Fixtures.bytes("BadFiles/" + entry.file)), entry), entry)
    }

    /// Reads bytes as the entry's name says.
    static func open(_ bytes: Bytes, _ entry: Entry) throws -> any TensorSource {
        switch WeightFormat(file: entry.path) {
        case .gguf: try GGUFFile(bytes: bytes, path: entry.path)
        case .pytorch: try PyTorchFile(bytes: bytes, path: entry.path)
        case .safetensors, nil: try SafetensorsFile(bytes: bytes, path: entry.path)
        }
    }

    private static func ask(_ file: any TensorSource, _ entry: Entry) throws {
        _ = try file.tensor(named: entry.tensor ?? "")
        _ = try (file as? GGUFFile)?.strings(entry.strings ?? "")
    }
}

@Suite("Files with the shapes of published bugs")
struct BadFilesTests {
    @Test(
        "The list has at least 25 published shapes, 27 broken GGUF rules, 30 broken safetensors files, 40 hostile pickles and 40 broken containers of them"
    )
    func listIsComplete() throws {
        let bad = BadFiles.all.filter { $0.error != nil }
        #expect(bad.filter { !$0.file.hasPrefix("case-") && $0.file.hasSuffix(".gguf") }.count >= 25)
        #expect(bad.filter { $0.file.hasPrefix("case-") && $0.file.hasSuffix(".gguf") }.count >= 27)
        #expect(bad.filter { $0.file.hasSuffix(".safetensors") }.count >= 30)
        let containers = ["case-zip-", "case-old-"]
        let pickles = bad.filter { $0.file.hasSuffix(".bin") }
        let broken = pickles.filter { entry in containers.contains { entry.file.hasPrefix($0) } }
        #expect(broken.count >= 40 && pickles.count - broken.count >= 40)
    }

    @Test(
        "A bad file is refused with the expected error, whose message names the file and the fault",
        arguments: BadFiles.all.filter { $0.error != nil })
    func isRefused(_ entry: BadFiles.Entry) throws {
        let error = try #require(throws: FormatError.self) { try BadFiles.open(entry) }
        #expect(error.kind.rawValue == entry.error, "\(error)")
        #expect(error.description.hasPrefix(entry.path + ":"))
        let message = error.description.dropFirst(entry.path.count)
        for mention in entry.mentions { #expect(message.contains(mention), "\(error)") }
        #expect(error.description.utf8.count < entry.path.utf8.count + 400)
        #expect(!error.description.contains("\n"))
    }

    @Test("The same file in memory gives the same error", arguments: BadFiles.all.filter { $0.error != nil })
    func isRefusedInMemory(_ entry: BadFiles.Entry) throws {
        // What belongs to a split checkpoint shows only in the name of a file.
        if entry.file.contains("split") { return }
        let error = try #require(throws: FormatError.self) { try BadFiles.openInMemory(entry) }
        #expect(error.kind.rawValue == entry.error, "\(error)")
    }

    @Test(
        "A file that keeps the rules in an unusual way is accepted",
        arguments: BadFiles.all.filter { $0.error == nil })
    func isAccepted(_ entry: BadFiles.Entry) throws {
        #expect(throws: Never.self) { try BadFiles.open(entry) }
    }

    @Test(
        "Every file cut short anywhere is refused or read, and never the reader's end",
        arguments: BadFiles.all.filter { $0.error == nil && !$0.isVocabulary })
    func cutShort(_ entry: BadFiles.Entry) throws {
        let bytes = try Fixtures.bytes("BadFiles/" + entry.file)
        var refused = 0
        for count in 0..<bytes.count {
            let part = try Bytes(Array(bytes.prefix(count)))
            do {
                _ = try BadFiles.open(part, entry)
            } catch is FormatError {
                refused += 1
            }
        }
        #expect(refused == bytes.count, "a file that lacks bytes was accepted")
    }

    @Test(
        "A vocabulary with the shape of a published bug is refused by name, or does no harm",
        arguments: BadFiles.all.filter(\.isVocabulary))
    func vocabulary(_ entry: BadFiles.Entry) throws {
        let files = try ModelFiles(path: entry.path)
        guard let expected = entry.tokenizerError else {
            let tokenizer = try files.tokenizer()
            for id in 0..<Int32(tokenizer.vocabularySize) {
                #expect(tokenizer.bytes(of: id) == Array(tokenizer.piece(of: id).utf8))
            }
            return
        }
        let error = try #require(throws: TokenizerError.self) { try files.tokenizer() }
        #expect(Mirror(reflecting: error).children.first?.label == expected, "\(error)")
        #expect(error.description.hasPrefix(entry.path))
        for mention in entry.mentions { #expect(error.description.contains(mention), "\(error)") }
    }
}
