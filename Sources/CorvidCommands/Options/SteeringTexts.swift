import CorvidEditing
import CorvidModels
import CorvidText
import Foundation

/// Reads texts and words for steering.
enum SteeringTexts {
    /// One text on each line, or an object with `text`.
    /// - Throws: ``CommandError``.
    static func read(_ path: String) throws -> [String] {
        let lines = try TextSource.file(path).split(whereSeparator: \.isNewline)
        let texts = lines.compactMap { line -> String? in
            guard line.contains(where: { !$0.isWhitespace }) else { return nil }
            guard line.hasPrefix("{"), let text = (try? JSON.parse(String(line)))?["text"]?.string else {
                return String(line)
            }
            return text
        }
        guard !texts.isEmpty else {
            throw CommandError.file(path: path, reason: "has no texts; expected one on each line")
        }
        return texts
    }

    /// The same as tokens, cut to their first `most`.
    static func ids(_ texts: [String], _ tokens: SteeringTokens, most: Int, _ model: Model) -> [[Int32]] {
        texts.map { Array(tokens.ids($0).prefix(min(most, model.contextLength))) }
    }

    /// Words divided by commas, or by commas, blanks and lines in a file of this name.
    /// - Throws: ``CommandError``.
    static func words(_ text: String) throws -> TopicWords {
        guard FileManager.default.fileExists(atPath: text) else {
            return TopicWords(text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
        }
        let content = try TextSource.file(text)
        return TopicWords(content.split { $0 == "," || $0.isWhitespace }.map(String.init))
    }
}
