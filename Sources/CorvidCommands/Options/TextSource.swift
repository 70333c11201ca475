import ArgumentParser
import Foundation

/// Reads the texts that options name; `-` is standard input.
enum TextSource {
    /// A text given on the command line, or all of standard input for `-`.
    static func argument(_ text: String) throws -> String {
        text == "-" ? try standardInput() : text
    }

    /// The content of a file, or all of standard input for `-`.
    static func file(_ path: String) throws -> String {
        if path == "-" { return try standardInput() }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw CommandError.file(path: path, reason: FileReason.text(of: error))
        }
        return try text(data, from: path)
    }

    private static func standardInput() throws -> String {
        do {
            return try text(FileHandle.standardInput.readToEnd() ?? Data(), from: "standard input")
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError.file(path: "standard input", reason: FileReason.text(of: error))
        }
    }

    private static func text(_ data: Data, from path: String) throws -> String {
        guard let text = String(validating: data, as: UTF8.self) else { throw CommandError.notText(path: path) }
        return text
    }
}

/// `1,2,3`, also with blanks: token ids.
struct TokenIdentifiers: ExpressibleByArgument, Sendable {
    let ids: [Int32]

    init?(argument: String) {
        let words = argument.split { $0 == "," || $0.isWhitespace }
        let ids = words.compactMap { Int32($0) }
        guard !words.isEmpty, ids.count == words.count, ids.allSatisfy({ $0 >= 0 }) else { return nil }
        self.ids = ids
    }
}
