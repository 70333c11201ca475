import ArgumentParser
import Foundation

/// Reads the texts that options name; `-` is standard input.
enum TextSource {
    /// A text given on the command line, or all of standard input for `-`.
    static func argument(_ text: String) throws -> String {
        text == "-" ? try file("-") : text
    }

    /// The content of a file, or all of standard input for `-`.
    /// - Throws: ``CommandError``.
    static func file(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(of: path), as: UTF8.self) else {
            throw CommandError.notText(path: name(path))
        }
        return text
    }

    /// The bytes of a file, or all of standard input for `-`.
    /// - Throws: ``CommandError``.
    static func bytes(of path: String) throws -> [UInt8] {
        do {
            if path == "-" { return [UInt8](try FileHandle.standardInput.readToEnd() ?? Data()) }
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw CommandError.file(path: name(path), reason: FileReason.text(of: error))
        }
    }

    private static func name(_ path: String) -> String { path == "-" ? "standard input" : path }
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
