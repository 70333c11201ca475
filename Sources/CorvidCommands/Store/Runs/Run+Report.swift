import CorvidRuns
import CorvidText
import Foundation

extension Run {
    /// What is known about the run itself, with the names that all commands use.
    var json: JSONObject {
        [
            "run": .count(id), "command": .string(request.command), "status": .string(status.rawValue),
            "message": message.map { .string($0) } ?? .null,
            "started": .string(started.formatted(.iso8601)),
            "finished": finished.map { .string($0.formatted(.iso8601)) } ?? .null,
            "seconds": seconds.map { .number($0) } ?? .null,
            "arguments": .array(request.arguments.map { .string($0) }), "folder": .string(request.folder),
            "model": request.model.map { .string($0) } ?? .null,
            "seed": request.seed.map { .seed($0) } ?? .null, "version": .string(request.version),
            "instruction_set": .string(request.instructionSet),
            "threads": request.threads.map { .count($0) } ?? .null,
            "repeats": request.repeats.map { .count($0) } ?? .null,
        ]
    }

    /// Local time, as `2026-03-01 17:05:09`.
    var startedText: String {
        let parts = Calendar(identifier: .gregorian).dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: started)
        return String(
            format: "%04d-%02d-%02d %02d:%02d:%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0,
            parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
    }

    /// The arguments behind the command's name, as one types them.
    var argumentsText: String {
        let words = request.command.split(separator: " ").count
        return request.arguments.dropFirst(words).map(Self.quoted).joined(separator: " ")
    }

    /// A word of a command line, in quotes when the shell would not leave it as it is.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || "-_./=,:@%+".unicodeScalars.contains(scalar)
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.replacing("'", with: #"'\''"#) + "'"
    }
}

extension RunFile {
    var json: JSON {
        [
            "role": .string(role.rawValue), "path": .string(path),
            "bytes": byteCount.map { .count($0) } ?? .null,
            "sha256": digest.map { .string($0.description) } ?? .null,
        ]
    }

    /// The path, or what stands for it.
    var name: String { path == RunFile.standardInput ? "standard input" : path }
}

extension JSON {
    /// The value in a cell of a table.
    var cell: String {
        let text = string ?? encoded()
        return text.count > 60 ? text.prefix(57) + "..." : text
    }
}
