import CorvidText
import Foundation

/// What has been said in a conversation, as it is saved.
///
/// In JSON `{"messages": [{"role": "user", "content": "Hello"}, ...]}`, the form in which chat data sets and
/// servers have it; a system prompt is the first message.
public struct Transcript: Sendable, Equatable {
    static let systemRole = "system", userRole = "user", assistantRole = "assistant"

    /// What the model is told before the first turn.
    public var system: String?
    /// Turns of user and assistant.
    public var messages: [ChatMessage]

    public init(system: String? = nil, messages: [ChatMessage] = []) {
        self.system = system
        self.messages = messages
    }

    /// The system prompt and the messages from index `first` on.
    func messages(from first: Int) -> [ChatMessage] {
        (system.map { [ChatMessage(role: Self.systemRole, content: $0)] } ?? []) + messages[first...]
    }
}

extension Transcript: Codable {
    private enum CodingKeys: String, CodingKey {
        case messages
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        var messages = try values.decode([ChatMessage].self, forKey: .messages)
        var system: String?
        if messages.first?.role == Self.systemRole { system = messages.removeFirst().content }
        self.init(system: system, messages: messages)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(messages(from: 0), forKey: .messages)
    }
}

// MARK: - Files

extension Transcript {
    /// Longest file that is read, in bytes.
    public static let fileBytes = 64 << 20

    /// Writes JSON; the file is whole or not there.
    /// - Throws: ``WriteError``.
    public func save(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(self)
        try AtomicFile.write(to: path) { try $0.write([UInt8](data) + [0x0A]) }
    }

    /// - Throws: ``TranscriptError``.
    public init(contentsOf path: String) throws {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            let data = try file.read(upToCount: Self.fileBytes + 1) ?? Data()
            if data.count > Self.fileBytes {
                throw TranscriptError.tooLong(path: path, bytes: Self.fileBytes)
            }
            self = try JSONDecoder().decode(Transcript.self, from: data)
        } catch let error as TranscriptError {
            throw error
        } catch {
            throw TranscriptError.read(path: path, problem: Self.words(of: error))
        }
    }

    private static func words(of error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            place(context.codingPath + [key]) + " is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            place(context.codingPath) + " has the wrong type"
        case DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not JSON" : place(context.codingPath) + ": " + context.debugDescription
        default: error.localizedDescription
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty
            ? "the value" : path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
    }
}

/// Why a conversation cannot be read.
public enum TranscriptError: Error, Equatable, Sendable, CustomStringConvertible {
    case read(path: String, problem: String)
    case tooLong(path: String, bytes: Int)

    public var description: String {
        switch self {
        case .read(let path, let problem):
            "\(path): no conversation can be read from it: \(problem)"
        case .tooLong(let path, let bytes):
            "\(path): more than \(bytes) bytes, which is no conversation"
        }
    }
}
